"""ClipX's query: what each parameter is, and what a query string says, read the way its real clients write it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import parse_qsl

from clipstead.errors import InvalidParams
from clipstead.resolve.resolver import clean_language

QUALITIES = ("best", "hd", "sd")
MAX_TIMEOUT_MS = 60_000
_TRUE = frozenset(("true", "1", "yes"))
_FALSE = frozenset(("false", "0", "no"))

# name: (type, description), in the order of the published table
DESCRIPTIONS: Mapping[str, tuple[str, str]] = {
    "url": ("string", "TikTok URL to download"),
    "format": ("boolean", "Format numbers (K/M/B) and time (H:M:S)"),
    "quality": ("enum", "Video quality preference: best, hd, sd"),
    "audio": ("boolean", "Include audio information"),
    "cover": ("boolean", "Include cover/thumbnail URLs"),
    "metadata": ("boolean", "Include processing metadata inside data.metadata"),
    "meta": ("boolean", "Include top-level meta object"),
    "lang": ("string", "Language preference (e.g. en, es, fr)"),
    "timeout": ("number", "Request timeout in milliseconds (max 60000)"),
    "help": ("boolean", "Show help information instead of downloading"),
    "stats": ("boolean", "Show cache statistics"),
    "rate_limit": ("boolean", "Include rate limit info in result; or when used alone, return rate limit status"),
    "cache": ("boolean", "Include cache info in response"),
    "trace": ("boolean", "Include trace information in response"),
    "processing_time": ("boolean", "Include processing time in response"),
    "contact": ("boolean", "Include contact information in response"),
}


@dataclass(frozen=True, slots=True)
class Params:
    """One query, understood; the defaults are the contract's. `timeout` in milliseconds, `lang` a tag in lower case."""

    url: str = ""
    format: bool = False
    quality: str = "best"
    audio: bool = True
    cover: bool = True
    metadata: bool = True
    meta: bool = True
    lang: str = "en"
    timeout: float = 30_000
    help: bool = False
    stats: bool = False
    rate_limit: bool = False
    cache: bool = True
    trace: bool = True
    processing_time: bool = True
    contact: bool = True


DEFAULTS: Mapping[str, Any] = {each.name: each.default for each in fields(Params)}


def raw_values(query: bytes) -> dict[str, str]:
    """Parameters as text. Unknown ones are dropped, empty ones count as not given.

    Clients paste links unencoded, so the link's own `&b=2` arrives as a parameter of ours, right after `url`: the
    first `url` counts, and of anything else the last, which is the client's own.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("utf-8", "replace"), errors="replace"):
        if name in DEFAULTS and not (name == "url" and "url" in values):
            values[name] = value.strip()
    return {name: value for name, value in values.items() if value}


def parse(query: bytes) -> Params:
    """The query as Params; InvalidParams names every parameter that cannot be read."""
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {}
    for name, text in raw_values(query).items():
        try:
            given[name] = _value(name, text)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise InvalidParams(wrong)
    return Params(**given)


def leaves_out(query: bytes, name: str) -> bool:
    """Whether a switch is off, said of any query: an error's body has its switches too, even one about the query."""
    return raw_values(query).get(name, "").lower() in _FALSE


def _value(name: str, text: str) -> Any:
    default = DEFAULTS[name]
    if isinstance(default, bool):
        return _boolean(text)
    if name == "timeout":
        return _timeout(text)
    if name == "quality":
        return _quality(text)
    return clean_language(text) if name == "lang" else text


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("must be true or false")


def _quality(text: str) -> str:
    if text.lower() not in QUALITIES:
        raise ValueError(f"must be one of {', '.join(QUALITIES)}")
    return text.lower()


def _timeout(text: str) -> float:
    try:
        number = float(text) if text.isascii() else math.nan
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError("must be a number of milliseconds above 0")
    return min(int(number) if number.is_integer() else number, MAX_TIMEOUT_MS)

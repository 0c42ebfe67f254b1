"""What a download is asked to be: a query, a JSON object, a JSON text that holds one, or a form, judged. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from multipart import (  # type: ignore[import-untyped]  # it has types, but does not say so
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from clipstead.errors import BadRequest, InvalidParams, UnsupportedLink
from clipstead.model import Link
from clipstead.server.dialects.base import tiktok_post

RANDOM = "random"
MOST_ASKED = 3  # providers, the first among them
# Names that the service has had over the years; clients still send them, and anybody's answer will do.
PUBLISHED = frozenset(
    (
        "snaptik", "tikmate", "musicalydown", "musicallydown", "ttdownloader", "savefrom", "savetik", "tikdown",
        "downtik", "native", "fasttoksave", "ttdownloaderone", "lovetik", "dddtik", "getvidtik", "tokup", "dltik",
        "ttsave",
    )
)  # fmt: skip
NAMES = ("url", "type", "nocache", "rotateOnError")
_TRUE = frozenset(("true", "1", "yes", "on"))
_FALSE = frozenset(("false", "0", "no", "off"))
_MOST_PARTS = 32


class BadUrl(BadRequest):
    """The url leads to no post of TikTok's; live clients look for "Expected" in its words."""

    code: ClassVar[str] = "bad_url"

    def __init__(self, why: str) -> None:
        super().__init__(f"Expected (.*).tiktok.com: {why}")


class UnknownProvider(BadRequest):
    """No provider goes, or ever went, by that name."""

    code: ClassVar[str] = "unknown_provider"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"Invalid Provider, available provider is: {', '.join(names)}")
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class Params:
    """`type` is a provider of ours, or "random", which the published names are taken for."""

    link: Link
    type: str = RANDOM
    nocache: bool = False
    rotate: bool = True


def of_query(query: bytes) -> dict[str, str]:
    """A query or a form as text by name, empty values left out.

    Links come unencoded, and bring parameters of their own along: the first `url` counts, of anything else the last.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("utf-8", "replace"), errors="replace"):
        if name in NAMES and value.strip() and not (name == "url" and "url" in values):
            values[name] = value.strip()
    return values


def of_body(body: bytes, content_type: str) -> Mapping[str, Any]:
    """The fields of a body. Raises BadRequest for what is no object."""
    kind, options = parse_options_header(content_type[:1000])
    if kind == "application/x-www-form-urlencoded":
        return of_query(body)
    if kind == "multipart/form-data":
        return _of_form(body, options.get("boundary", ""))
    try:
        found = orjson.loads(body)
        found = orjson.loads(found) if isinstance(found, str) else found
    except orjson.JSONDecodeError:
        raise BadRequest("The body must be a JSON object") from None
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object")
    return found


def _of_form(body: bytes, boundary: str) -> dict[str, str]:
    if not 0 < len(boundary) <= 200:
        raise BadRequest("Malformed multipart body")
    values: dict[str, bytearray] = {}
    here: bytearray | None = None
    try:
        with PushMultipartParser(boundary, max_segment_count=_MOST_PARTS) as parser:
            for event in (*parser.parse(body), *(parser.parse(b"") if not parser.closed else ())):
                if isinstance(event, MultipartSegment):
                    here = values.setdefault(event.name or "", bytearray()) if event.filename is None else None
                elif event and here is not None:
                    here += event
    except MultipartError:
        raise BadRequest("Malformed multipart body") from None
    shown = {name: value.decode("utf-8", "replace").strip() for name, value in values.items() if name in NAMES}
    return {name: text for name, text in shown.items() if text}


def judge(values: Mapping[str, Any], providers: Sequence[str]) -> Params:
    """The request; `providers` are the names of ours. Raises BadUrl, UnknownProvider, InvalidParams."""
    link = _link(values.get("url"))
    wrong: dict[str, str] = {}
    flags: dict[str, bool] = {}
    for name, default in (("nocache", False), ("rotateOnError", True)):
        try:
            flags[name] = _flag(values.get(name), default)
        except ValueError:
            wrong[name] = "must be true or false"
    if wrong:
        raise InvalidParams(wrong)
    return Params(link, _provider(values.get("type"), providers), flags["nocache"], flags["rotateOnError"])


def _link(url: Any) -> Link:
    if url is None or url == "":
        raise InvalidParams({"url": "is required"})
    if not isinstance(url, str):
        raise InvalidParams({"url": "must be text"})
    try:
        return tiktok_post(url)
    except UnsupportedLink as error:
        raise BadUrl(str(error)) from None


def _flag(value: Any, default: bool) -> bool:
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word not in _TRUE | _FALSE:
        raise ValueError("no boolean")
    return word in _TRUE


def _provider(value: Any, providers: Sequence[str]) -> str:
    if value is None or value == "":
        return RANDOM
    name = value.strip().lower() if isinstance(value, str) else ""
    if name in providers:
        return name
    if name not in (*PUBLISHED, RANDOM):
        raise UnknownProvider(providers)
    return RANDOM

"""The JSON bodies of Clipi's video calls: read within bounds and judged, each wrong parameter named."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from clipstead.capture.pick import AUDIO_FILES, VIDEO_FILES, Ask, check_quality
from clipstead.errors import BadRequest, InvalidParams, UnsupportedLink
from clipstead.model import Link, LinkKind
from clipstead.resolve.links import parse as parse_link
from clipstead.server.small_body import small_body

FORMATS = (*VIDEO_FILES, *AUDIO_FILES)
WEBHOOK = "webhook"
_LONGEST_WORD = 200
_LATEST = 12 * 3600 * 10
_JSON_TYPES = re.compile(r"(application/(?:[\w.+-]+\+)?json|text/json)?\s*(;|$)", re.IGNORECASE)
# A link to somewhere, as against text that is none: what is unsupported is another answer than what is malformed.
_SOMEWHERE = re.compile(r"\s*(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?:[/?#:].*)?\s*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Download:
    """What a download is asked to be. Seconds for the trim: `end` None is the end of the file. `webhook` is an address
    as it was given, "" for none."""

    url: str
    link: Link
    ask: Ask
    start: float = 0.0
    end: float | None = None
    webhook: str = ""


async def read_json(request: Request) -> Mapping[str, Any]:
    """The body as an object. Raises BadRequest, and what `small_body` raises."""
    if not _JSON_TYPES.match(request.headers.get("content-type", "").strip()):
        raise BadRequest("Content-Type must be application/json")
    try:
        found = orjson.loads(await small_body(request))
    except orjson.JSONDecodeError:
        raise BadRequest("Malformed JSON body") from None
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object")
    return found


def link_in(body: Mapping[str, Any]) -> tuple[str, Link]:
    """The `url` as it was given, and what it leads to. Raises InvalidParams, UnsupportedLink."""
    url = body.get("url")
    if not isinstance(url, str) or not url.strip():
        raise InvalidParams({"url": "must be given as text"})
    try:
        link = parse_link(url)
    except UnsupportedLink:
        if not _SOMEWHERE.fullmatch(url):
            raise InvalidParams({"url": "must be a link to a video"}) from None
        raise
    if link.kind not in (LinkKind.POST, LinkKind.SHORT):
        raise UnsupportedLink(f"This link leads to a {link.kind}, not to a video")
    return url.strip(), link


def download_in(body: Mapping[str, Any]) -> Download:
    """The whole request, unknown fields ignored, null as not given. Raises InvalidParams naming every wrong one."""
    given = {name: value for name, value in body.items() if value is not None}
    wrong: dict[str, str] = {}

    def judged(read: Any, name: str) -> Any:
        try:
            return read(given, name)
        except InvalidParams as error:
            wrong.update(error.fields)
            return None

    format_id, container, quality = (judged(read, name) for read, name in _WORDS)
    start, end = judged(_seconds, "trimStart"), judged(_seconds, "trimEnd")
    clean, webhook = judged(_flag, "noWatermark"), judged(_address, WEBHOOK)
    if end is not None and not wrong and end <= (start or 0.0):
        wrong["trimEnd"] = "must be greater than trimStart"
    if wrong:
        raise InvalidParams(wrong)
    url, link = link_in(body)
    ask = Ask(format_id, container, quality, watermark=clean is False)
    return Download(url, link, ask, start or 0.0, end, webhook)


def _word(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool) and name == "formatId":
        value = str(value)  # ids like 137 look like numbers to some clients
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        raise InvalidParams({name: "must be text"})
    return value.strip()


def _address(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise InvalidParams({name: "must be an http(s) address"})
    return value.strip()


def _format(given: Mapping[str, Any], name: str) -> str:
    word = _word(given, name).lower()
    if word and word not in FORMATS:
        raise InvalidParams({name: f"must be one of {', '.join(FORMATS)}"})
    return word


def _quality(given: Mapping[str, Any], name: str) -> str:
    return check_quality(_word(given, name))


_WORDS = ((_word, "formatId"), (_format, "format"), (_quality, "quality"))


def _seconds(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= _LATEST:
        raise InvalidParams({name: "must be a number of seconds, 0 or more"})
    return float(value)


def _flag(given: Mapping[str, Any], name: str) -> bool | None:
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidParams({name: "must be true or false"})
    return value

"""TikLive's parameters: from the query, a JSON body or a form, under every name that its clients use for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from clipstead.errors import BadRequest, InvalidParams
from clipstead.server.small_body import small_body

_LONGEST = 8192
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]*)?", re.A)
_REGION = re.compile(r"[A-Za-z]{2}", re.A)

# What the contract calls them, and what else they are called by clients, blogs and the upstream's own documents.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "url": ("link", "video_url"),
    "username": ("unique_id", "uniqueId", "user_name"),
    "userid": ("user_id", "userId"),
    "keyword": ("keywords", "query"),
    "name": ("challenge_name",),
    "id": ("challenge_id",),
    "challenge_id": ("id",),
    "music_id": ("musicId", "id", "music"),
    "video_id": ("aweme_id", "post_id"),
    "comment_id": ("cid",),
    "playlist_id": ("mix_id", "id"),
    "collection_id": ("id",),
    "cursor": (),
    "count": (),
}


@dataclass(frozen=True, slots=True)
class Params:
    """What a request says, as text; empty values count as not given."""

    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """The value of a parameter under its own name or another of its names, "" for none."""
        return next((self.values[each] for each in (name, *_ALIASES.get(name, ())) if each in self.values), "")

    def need(self, name: str) -> str:
        """The same; InvalidParams where there is none."""
        value = self.get(name)
        if not value:
            raise InvalidParams({name: "is required"})
        return value

    def digits(self, name: str, default: str = "") -> str:
        """A number of up to 20 digits, as text; InvalidParams for anything else, and without a `default` for none."""
        text = self.get(name) or default or self.need(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise InvalidParams({name: "is invalid"})
        return text

    def cursor(self) -> str:
        """Of a look-up: a number in digits that JSON can hold, "0" for none; InvalidParams for anything else."""
        text = self.digits("cursor", "0")
        if int(text) >= 2**63:
            raise InvalidParams({"cursor": "is invalid"})
        return text

    def count(self, default: int, most: int) -> int:
        """How many are wanted: between 1 and `most`, never an error."""
        text = self.get("count")
        return max(1, min(most, int(float(text)))) if _NUMBER.fullmatch(text) else default

    def choice(self, name: str, *allowed: int) -> int:
        """A number among `allowed`, the first unless it is given; InvalidParams for any other."""
        text = self.get(name)
        if not text:
            return allowed[0]
        if not _NUMBER.fullmatch(text) or float(text) not in allowed:
            raise InvalidParams({name: f"must be one of {', '.join(map(str, allowed))}"})
        return int(float(text))

    def region(self) -> str:
        """A country code in capitals, or ""."""
        text = self.get("region")
        if text and not _REGION.fullmatch(text):
            raise InvalidParams({"region": "must be a code of /region-list/"})
        return text.upper()


async def read(request: Request) -> Params:
    """The parameters of a request; the body's come before the query's. Raises BadRequest, InvalidParams."""
    query = parse_qsl(request.scope["query_string"].decode("utf-8", "replace"), errors="replace")
    values: dict[str, str] = {}
    for name, value in (*(await _told_in_body(request)), *query):
        if (text := value.strip()) and name not in values:  # the first: a link pasted unencoded leaks its own after it
            values[name] = _judged(name, text)
    return Params(values)


async def _told_in_body(request: Request) -> list[tuple[str, str]]:
    body = (await small_body(request)).strip()
    if not body:
        return []
    if body[:1] not in b"{[":
        return parse_qsl(body.decode("utf-8", "replace"), errors="replace")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("Malformed JSON body") from None
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object")
    return [(name, _text(name, value)) for name, value in found.items() if value is not None]


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, str | int | float):
        raise InvalidParams({name: "must be text or a number"})
    return str(value)


def _judged(name: str, text: str) -> str:
    if len(text) > _LONGEST or "\x00" in text:
        raise InvalidParams({name[:40]: "is invalid"})
    return text

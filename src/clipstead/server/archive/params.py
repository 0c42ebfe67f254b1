"""What the calls about the archive take: bodies by shape, queries word by word, cursors there and back."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from clipstead.archive.record import clean
from clipstead.archive.source_row import WATCH_RULE, watchable
from clipstead.errors import InvalidParams, NotFound
from clipstead.resolve.sources import PUBLISH_TIMES, SORT_ORDERS

T = TypeVar("T")

MOST_SOURCES = 1_000
_MOST_IDS = 10_000
_MOST_LIMIT = 200
_LIMIT = 50
_LONGEST_WORD = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REGION = re.compile(r"[A-Za-z]{2}")
_CURSOR = re.compile(r"([0-9]{1,18}) (.{1,200})", re.DOTALL)


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)


class SourcesWish(_Body):
    """What shall be kept, as `archive add` understands it. null or absent: nothing is said."""

    sources: list[str]
    watchHours: float | None = None
    maxPosts: int | None = None
    since: str | None = None
    region: str | None = None
    publishTime: int | None = None
    sortBy: int | None = None

    def check(self) -> None:
        """Raises InvalidParams naming everything that is wrong, but for what `Sources.add` judges."""
        rules = {
            "sources": (0 < len(self.sources) <= MOST_SOURCES, f"must be 1 to {MOST_SOURCES} sources, links or ids"),
            "watchHours": (self.watchHours is None or watchable(self.watchHours), WATCH_RULE),
            "maxPosts": (self.maxPosts is None or 0 < self.maxPosts < 2**63, "must be a number above 0"),
            "region": (not self.region or bool(_REGION.fullmatch(self.region)), "must be a country code of 2 letters"),
            "publishTime": ((self.publishTime or 0) in PUBLISH_TIMES, _one_of(PUBLISH_TIMES)),
            "sortBy": ((self.sortBy or 0) in SORT_ORDERS, _one_of(SORT_ORDERS)),
        }
        if wrong := {name: rule for name, (good, rule) in rules.items() if not good}:
            raise InvalidParams(wrong)


class WatchWish(_Body):
    """null: not any more."""

    hours: float | None


class RetryWish(_Body):
    """Those named, or all of a reason."""

    ids: list[str] = []
    reason: str = ""

    def check(self) -> None:
        """Raises InvalidParams unless something is chosen."""
        if len(self.ids) > _MOST_IDS:
            raise InvalidParams({"ids": f"must be at most {_MOST_IDS}"})
        if not self.ids and not clean(self.reason):
            raise InvalidParams({"ids": "or reason must say which"})


class WebhookWish(_Body):
    """`events` empty or absent: all of them."""

    url: str
    events: list[str] = []


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page begins, and how much is on it."""

    after: tuple[datetime, str] | None
    limit: int


def paging(request: Request) -> Paging:
    """`after` and `limit` of a query. Raises InvalidParams."""
    told = request.query_params.get("limit", "") or str(_LIMIT)
    limit = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0
    if not 0 < limit <= _MOST_LIMIT:
        raise InvalidParams({"limit": f"must be a number from 1 to {_MOST_LIMIT}"})
    return Paging(_place(request.query_params.get("after", "")), limit)


def cursor_of(moment: datetime, row_id: str) -> str:
    """Where a page ended, for whoever wants the next."""
    micros = (moment - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{micros} {row_id}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = _CURSOR.fullmatch(base64.b64decode(padded, b"-_", validate=True).decode())
        if found:
            return _EPOCH + timedelta(microseconds=int(found[1])), clean(found[2])
    except (ValueError, OverflowError):
        pass
    raise InvalidParams({"after": "must be the cursor of an answer"})


def cut(rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """A page, and whether there is more: one row too many was asked for."""
    return rows[:limit], len(rows) > limit


def word(request: Request, name: str) -> str:
    """A text of the query, "" where it is not given. Raises InvalidParams."""
    text = clean(request.query_params.get(name, "")).strip()
    if len(text) > _LONGEST_WORD:
        raise InvalidParams({name: f"must be at most {_LONGEST_WORD} characters"})
    return text


def number_in_path(request: Request, name: str, what: str) -> int:
    """An id or a number. NotFound for what can be none."""
    text = request.path_params[name]
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise NotFound(f"There is no such {what}")


def _one_of(numbers: Sequence[int]) -> str:
    return f"must be one of {', '.join(map(str, numbers))}"

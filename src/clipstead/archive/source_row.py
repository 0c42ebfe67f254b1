"""A source as those see it who look at it, and as the one sees it who lists it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from clipstead.model import Page, Source, SourceKind

_WATCH_HOURS = (0.01, 24 * 366.0)
WATCH_RULE = f"must be {_WATCH_HOURS[0]:g} to {_WATCH_HOURS[1]:.0f}"
"""What is said of hours that are not `watchable`."""


def watchable(hours: float) -> bool:
    """Whether a source may be looked at every so many hours: less would ask a provider all the time."""
    return _WATCH_HOURS[0] <= hours <= _WATCH_HOURS[1]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as it stands; see `Sources` for its states. `reason` is a word, `detail` says it in words.

    `listed` counts the posts of the pass under way, `added` those that it was the first to find, ever, `open` those of
    them that are not captured yet, `failures` those in a row. `next_at`: not before (None: as soon as possible).
    """

    id: int
    spec: str
    source: Source
    state: str
    reason: str
    detail: str
    watch_hours: float | None
    max_posts: int | None
    since: datetime | None
    priority: int
    passes: int
    pages: int
    listed: int
    added: int
    open: int
    failures: int
    created_at: datetime
    page_at: datetime | None
    passed_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class SourceClaim:
    """The right to list a source; a later claim has a higher `fence`, and this one no say then.

    `cursor` and `lister` are what to ask for next and whom ("" = from the top, and anybody). `listed` counts the posts
    of the pass so far, `passes` those that came to their end. `began_at` is the database's clock.
    """

    id: int
    spec: str
    source: Source
    fence: int
    cursor: str
    lister: str
    max_posts: int | None
    since: datetime | None
    priority: int
    passes: int
    listed: int
    failures: int
    began_at: datetime

    def is_over(self, page: Page, listed: int, new: int) -> bool:
        """Whether the pass ends with `page`, of which so many posts were listed and so many of them new."""
        full = self.max_posts is not None and self.listed + listed >= self.max_posts
        return not page.more or full or (self.passes > 0 and new == 0)


def row_of(row: Mapping[str, Any] | RowMapping) -> SourceRow:
    """A row of `sources`, with `open` beside it."""
    return SourceRow(source=_source_of(row), **{name: row[name] for name in _ROW})


def claim_of(row: Mapping[str, Any] | RowMapping) -> SourceClaim:
    """A row of `sources`, with `began_at` beside it."""
    return SourceClaim(source=_source_of(row), **{name: row[name] for name in _CLAIM})


_ROW = tuple(field.name for field in fields(SourceRow) if field.name != "source")
_CLAIM = tuple(field.name for field in fields(SourceClaim) if field.name != "source")


def _source_of(row: Mapping[str, Any] | RowMapping) -> Source:
    return Source(
        SourceKind(row["kind"]), row["target"], row["platform"], row["region"], row["publish_time"], row["sort_by"]
    )

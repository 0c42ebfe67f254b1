"""Webhooks of the archive: who is told of what happens to it. Whatever happens writes down itself who is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clipstead.archive.record import clean
from clipstead.archive.statements import Statements
from clipstead.db import Database
from clipstead.db.line import Row
from clipstead.errors import BadRequest, InvalidParams, NotFound

EVENTS = ("captured", "dead", "deleted", "source_paused")
MOST = 50

_LARGEST_ID = 2**63 - 1
_COLUMNS = "w.id, w.url, w.events, w.created_at"
_ADD = f"""
INSERT INTO webhooks AS w (url, events) SELECT $1, $2::text[] WHERE (SELECT count(*) FROM webhooks) < {MOST}
RETURNING {_COLUMNS}, NULL::timestamptz AS told_at, '' AS error
"""  # noqa: S608  # constants of ours, here and below
_LIST = f"""
SELECT {_COLUMNS}, told.delivered_at AS told_at, COALESCE(newest.last_error, '') AS error FROM webhooks AS w
LEFT JOIN LATERAL (SELECT delivered_at FROM webhook_deliveries AS d
                   WHERE d.webhook_id = w.id AND delivered_at IS NOT NULL ORDER BY id DESC LIMIT 1) AS told ON true
LEFT JOIN LATERAL (SELECT last_error FROM webhook_deliveries AS d
                   WHERE d.webhook_id = w.id AND attempts > 0 ORDER BY id DESC LIMIT 1) AS newest ON true
WHERE w.disabled_at IS NULL ORDER BY w.id
"""  # noqa: S608
_REMOVE = "DELETE FROM webhooks WHERE id = $1 RETURNING id"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A webhook: `events` are some of EVENTS; `told_at` is when a message was last taken (None: never, or long since),
    `error` what became of the newest attempt at one ("": it was taken)."""

    id: int
    url: str
    events: tuple[str, ...]
    created_at: datetime
    told_at: datetime | None
    error: str


class Subscribers:
    """The webhooks of a database. Every call may raise DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._statements = Statements(database)

    async def add(self, url: str, events: Sequence[str] = ()) -> Subscriber:
        """Tell `url`, which the caller has judged, of these events from now on; of all if none is named.

        InvalidParams for an event that there is not, BadRequest when there are too many webhooks.
        """
        if not set(events) <= set(EVENTS):
            raise InvalidParams({"events": f"must be some of {', '.join(EVENTS)}"})
        wanted = [event for event in EVENTS if event in events or not events]
        rows = await self._statements.fetch(_ADD, clean(url), wanted)
        if not rows:
            raise BadRequest(f"There are {MOST} webhooks already; remove one first")
        return _subscriber(rows[0])

    async def list(self) -> list[Subscriber]:
        """All of them, the oldest first."""
        return [_subscriber(row) for row in await self._statements.fetch(_LIST)]

    async def remove(self, webhook_id: int) -> None:
        """Tell it nothing more, not even what waits to be told. NotFound."""
        if not 0 < webhook_id <= _LARGEST_ID or not await self._statements.fetch(_REMOVE, webhook_id):
            raise NotFound("There is no such webhook")


def _subscriber(row: Row) -> Subscriber:
    return Subscriber(row["id"], row["url"], tuple(row["events"]), row["created_at"], row["told_at"], row["error"])

"""How posts come into the ledger and to the engine, and come back to it when the engine has lost them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column, text
from sqlalchemy.ext.asyncio import AsyncConnection

from clipstead.archive.claims import KIND, row_id
from clipstead.archive.record import clean
from clipstead.archive.statements import Statements
from clipstead.archive.tombstones import hold_erasures
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.errors import InvalidParams

_BATCH = 5_000
_LONGEST_ID = 200
_MOST_WOKEN = 20_000
_LOG_SECONDS = 86400.0
PRIORITIES = range(-4, 4)


@dataclass(frozen=True, slots=True)
class Entry:
    """A post to capture: the ledger's id, the link it was listed or given as, and when (None: now)."""

    aweme_id: str
    url: str = ""
    listed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """How many were new, known already (within the call as well), and refused because they were erased."""

    new: int = 0
    known: int = 0
    refused: int = 0

    def __add__(self, other: Added) -> Added:
        return Added(self.new + other.new, self.known + other.known, self.refused + other.refused)


# The engine serves by priority alone: below every job of a user's (those have 0 or more), eight bands of 34 years in
# steps of four seconds each, in which later listings stand higher.
_TURN = """(-2147483648 + ({priority} + 4) * 268435456
    + LEAST(268435455, GREATEST(0, (extract(epoch FROM {moment})::bigint - 1735689600) / 4)))::int"""
# Sorted, so that two who add the same posts at once wait for each other in one direction only.
_ADD = f"""
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS t (aweme_id, url, listed_at, ord)
),
refused AS (SELECT aweme_id FROM given JOIN tombstones AS t ON t.kind = 'post' AND t.id = given.aweme_id),
fresh AS (
    INSERT INTO archive_queue (aweme_id, url, source, priority, added_at)
    SELECT aweme_id, url, $4, $5, LEAST(COALESCE(listed_at, now()), now()) FROM given
    WHERE NOT EXISTS (SELECT FROM refused WHERE refused.aweme_id = given.aweme_id)
    ORDER BY aweme_id
    ON CONFLICT (aweme_id) DO NOTHING
    RETURNING aweme_id, {_TURN.format(priority="priority", moment="added_at")} AS turn
),
queued AS ({{queue}})
SELECT (SELECT count(*) FROM fresh) AS new, (SELECT count(*) FROM refused) AS refused
"""  # noqa: S608  # constants of ours, here and below
_FRESH = f"""
SELECT '{row_id("")}' || aweme_id AS row_id, turn AS priority FROM fresh JOIN given USING (aweme_id) ORDER BY ord
"""  # noqa: S608
_ROW = """
SELECT aweme_id, source, state, attempts, added_at, resolved_at, url, COALESCE(storage_key, '') AS storage_key, reason,
       next_at
FROM archive_queue WHERE aweme_id = $1
"""
_LOST = f"""
SELECT q.aweme_id, {_TURN.format(priority="q.priority", moment="q.added_at")} AS turn FROM archive_queue AS q
WHERE {{which}} AND q.resolved_at IS NULL
  AND CASE q.state WHEN 'pending' THEN COALESCE(q.next_at <= now(), true) ELSE COALESCE(q.alive_until < now(), true) END
  AND NOT EXISTS (SELECT FROM sources AS s WHERE s.spec = q.source AND s.state = 'paused')
  AND NOT {{live}}
"""  # noqa: S608
_SLICE, _LAST_SLICE = "q.aweme_id > :after AND q.aweme_id <= :last", "q.aweme_id > :after"
_OF_SOURCE = "q.source = :source"
_THESE = "q.aweme_id = ANY(CAST(:ids AS text[]))"
_END_OF_SLICE = text("""
SELECT aweme_id FROM archive_queue WHERE resolved_at IS NULL AND aweme_id > :after
ORDER BY aweme_id OFFSET :most - 1 LIMIT 1
""")
_PLACE = text("""
INSERT INTO archive_marks (name) VALUES ('ledger') ON CONFLICT (name) DO UPDATE SET name = 'ledger' RETURNING place
""")
_MOVE = text("UPDATE archive_marks SET place = :place WHERE name = 'ledger'")
_BY_INDEX = text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
_NOTHING_LEFT = text("DELETE FROM archive_totals WHERE number = 0 AND bytes = 0")
_ADD_UP = text("""
WITH gone AS (DELETE FROM archive_deltas RETURNING *)
INSERT INTO archive_totals AS t (what, source, state, reason, number, bytes)
SELECT what, source, state, reason, sum(number), sum(bytes) FROM gone GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (what, source, state, reason)
DO UPDATE SET number = t.number + excluded.number, bytes = t.bytes + excluded.bytes
""")


class Intake:
    """See `Ledger`, whose half this is."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine
        self._statements = Statements(database)
        self._statement = _ADD.format(queue=engine.enqueue_clause(KIND, _FRESH))

    async def add(
        self, entries: Iterable[Entry], source: str, priority: int, connection: AsyncConnection | None
    ) -> Added:
        """In batches, each at once in the ledger and in the engine."""
        if priority not in PRIORITIES:
            raise InvalidParams({"priority": f"must be a number from {PRIORITIES[0]} to {PRIORITIES[-1]}"})
        total = Added()
        for batch in _batches(entries):
            if connection is not None:
                total += await self._add(connection, batch, source, priority)
            else:
                async with self._database.begin() as own:
                    total += await self._add(own, batch, source, priority)
        return total

    async def _add(self, connection: AsyncConnection, batch: list[Entry], source: str, priority: int) -> Added:
        once = {clean(entry.aweme_id): entry for entry in reversed(batch)}
        if not_ids := [aweme_id for aweme_id in once if not 0 < len(aweme_id) <= _LONGEST_ID]:
            raise InvalidParams({"id": f"must be 1 to {_LONGEST_ID} characters, not {not_ids[0][:20]!r}"})
        ids = list(reversed(once))
        urls = [clean(once[aweme_id].url) for aweme_id in ids]
        moments = [once[aweme_id].listed_at for aweme_id in ids]
        await hold_erasures(connection)
        rows = await connection.exec_driver_sql(self._statement, (ids, urls, moments, clean(source), priority))
        told = rows.one()
        return Added(told.new, len(batch) - told.new - told.refused, told.refused)

    async def row(self, aweme_id: str) -> dict[str, Any] | None:
        """One row's columns, or None."""
        rows = await self._statements.fetch(_ROW, clean(aweme_id))
        return rows[0] if rows else None

    async def sweep(self, most: int) -> int:
        """One sweeper at a time: who comes second waits for the mark, and goes on behind it."""
        async with self._database.begin() as connection:
            after = await connection.scalar(_PLACE)
            end = await connection.scalar(_END_OF_SLICE, {"after": after, "most": most})
            which = _LAST_SLICE if end is None else _SLICE
            lost = await self._queue_lost(connection, which, {"after": after} | ({"last": end} if end else {}))
            await connection.execute(_MOVE, {"place": end or ""})
        async with self._database.begin() as connection:
            await connection.execute(_ADD_UP)
            await connection.execute(_NOTHING_LEFT)
            await self._engine.prune(connection, older_than=_LOG_SECONDS)
        return lost

    async def wake(self, source: str) -> int:
        """See `Ledger.wake`."""
        async with self._database.begin() as connection:
            return await self._queue_lost(connection, _OF_SOURCE, {"source": source}, _MOST_WOKEN)

    async def queue(self, connection: AsyncConnection, ids: Sequence[str]) -> int:
        """Those of the posts that are open and not queued, as part of the caller's transaction; how many."""
        return await self._queue_lost(connection, _THESE, {"ids": list(ids)}) if ids else 0

    async def _queue_lost(self, connection: AsyncConnection, which: str, values: dict[str, Any], most: int = 0) -> int:
        live = self._engine.has_live_job(literal_column(f"'{row_id('')}' || q.aweme_id"))
        limited = f" ORDER BY turn DESC LIMIT {most}" if most else ""
        await connection.execute(_BY_INDEX)
        rows = await connection.execute(text(_LOST.format(which=which, live=live) + limited), values)
        lost = [(aweme_id, turn) for aweme_id, turn in rows]
        if lost:
            ids = [row_id(aweme_id) for aweme_id, _ in lost]
            await self._engine.enqueue_all(connection, KIND, ids, [turn for _, turn in lost])
        return len(lost)


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while batch := list(itertools.islice(rest, _BATCH)):
        yield batch

"""Sources: where posts are found, how far each has been listed, and what it is limited to.

A source is `active` (it is listed, or will be when it is due), `paused` (by hand, or after too many failures; its posts
wait with it), `unavailable` (private, vanished, or nobody lists its kind) or `done`. One worker at a time lists it, by
a claim with a fence; the cursor is saved in the transaction that adds its page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column, text

from clipstead.archive.intake import PRIORITIES, Added, Entry
from clipstead.archive.ledger import Ledger
from clipstead.archive.record import clean
from clipstead.archive.source_row import WATCH_RULE, SourceClaim, SourceRow, claim_of, row_of, watchable
from clipstead.archive.source_statements import (
    ADD,
    BEGIN,
    CHANGE,
    DROP_PENDING,
    DUE,
    END,
    FINISH,
    KEEP_ALIVE,
    LOCK,
    REMOVE,
    SAVE,
    WITH_OPEN,
)
from clipstead.archive.statements import Statements
from clipstead.archive.tombstones import hold_erasures
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.errors import InvalidParams, NotFound
from clipstead.model import Page, Source
from clipstead.resolve.sources import spec

__all__ = ["KIND", "Saved", "SourceClaim", "SourceRow", "Sources"]

KIND = "discover"
"""The engine's kind of work: pages of one source listed."""

_MARK = "source:"
_PRIORITY = -1  # above every post of the archive, below what users wait for


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a page: the posts that were new, and whether the pass is over with it."""

    added: Added
    over: bool


def row_id(source_id: int) -> str:
    """What the engine knows a source by."""
    return f"{_MARK}{source_id}"


class Sources:
    """All sources of a database. `most_failures` in a row pause one; `lease` in seconds (default: the engine's).

    Every call may raise DatabaseUnavailable. Sources are named by their spec or their id; NotFound if there is none.
    """

    def __init__(
        self,
        database: Database,
        engine: Engine,
        ledger: Ledger,
        *,
        lease: float | None = None,
        most_failures: int = 10,
    ) -> None:
        self._database = database
        self._engine = engine
        self._ledger = ledger
        self._statements = Statements(database)
        self._lease = engine.lease if lease is None else lease
        self._most_failures = most_failures

    async def add(
        self,
        source: Source,
        *,
        watch_hours: float | None = None,
        max_posts: int | None = None,
        since: datetime | None = None,
        priority: int = 0,
    ) -> SourceRow:
        """List it from now on: once, or every `watch_hours`. InvalidParams for a limit that is none.

        `max_posts` of one pass, `since`: nothing created before. Known already: these limits replace its own, it is
        watched as before unless told otherwise, and it goes on, or from the top if it was over.
        """
        _check(watch_hours, max_posts, since, priority)
        values = (source.kind.value, clean(source.target), source.platform, source.region)
        numbers = (source.publish_time, source.sort_by, watch_hours, max_posts, since, priority)
        return await self._changed(ADD, spec(source), *values, *numbers)

    async def list(self, *, state: str = "", after: int = 0, most: int = 1000) -> Sequence[SourceRow]:
        """Sources in the order of their ids, from behind `after`; of one state if it is given."""
        query = f"{WITH_OPEN} WHERE s.id > $1 AND ($2 = '' OR s.state = $2) ORDER BY s.id LIMIT $3"
        return [row_of(row) for row in await self._statements.fetch(query, after, state, most)]

    async def all(self) -> AsyncIterator[SourceRow]:
        """Any number of them, in the order of their ids."""
        last = 0
        while page := await self.list(after=last):
            for row in page:
                yield row
            last = page[-1].id

    async def get(self, name: str | int) -> SourceRow:
        """One source as it stands; NotFound."""
        if isinstance(name, int) or (name.isascii() and name.isdigit() and len(name) < 20):
            rows = await self._statements.fetch(f"{WITH_OPEN} WHERE s.id = $1", max(-1, min(int(name), 2**63 - 1)))
        else:
            rows = await self._statements.fetch(f"{WITH_OPEN} WHERE s.spec = $1", clean(name))
        if not rows:
            raise NotFound("There is no such source")
        return row_of(rows[0])

    async def pause(self, name: str | int, reason: str = "by hand", detail: str = "") -> SourceRow:
        """List no more of it and capture none of its posts until `resume`; what is under way is finished."""
        return await self._change(name, "state = 'paused', reason = $2, detail = $3", clean(reason), clean(detail))

    async def resume(self, name: str | int) -> SourceRow:
        """Go on where it stopped, with its posts that wait."""
        row = await self._change(
            name, "state = 'active', reason = '', detail = '', failures = 0, next_at = NULL, alive_until = NULL"
        )
        await self._ledger.wake(row.spec)
        return row

    async def watch(self, name: str | int, hours: float | None) -> SourceRow:
        """List it anew every so many hours (None: no more): only what is new."""
        _check(hours, None, None, 0)
        return await self._change(
            name,
            """watch_hours = $2::float8,
            next_at = CASE WHEN cursor = '' THEN passed_at + $2::float8 * interval '1 hour' ELSE next_at END,
            state = CASE WHEN $2::float8 IS NULL AND state = 'active' AND passes > 0 AND cursor = '' THEN 'done'
                         WHEN $2::float8 IS NOT NULL AND state = 'done' THEN 'active' ELSE state END""",
            hours,
        )

    async def remove(self, name: str | int, *, reason: str = "", actor: str = "") -> int:
        """Forget it and its posts that wait; how many these were. What is captured, or being captured, stays."""
        row = await self.get(name)
        await self._statements.fetch(REMOVE, row.id, clean(reason), clean(actor))
        dropped = 0
        while True:
            async with self._database.begin() as connection:
                gone = (await connection.exec_driver_sql(DROP_PENDING, (row.spec,))).rowcount
            dropped += gone
            if not gone:
                return dropped

    async def begin(self, row_id: str) -> SourceClaim | None:
        """Take a source to list it, by what the engine hands to a handler. None: it is not to be listed now."""
        rows = await self._statements.fetch(BEGIN, int(row_id.removeprefix(_MARK)), self._lease)
        return claim_of(rows[0]) if rows else None

    async def keep_alive(self, claim: SourceClaim) -> bool:
        """Whether the claim still holds; if so, it does for another lease. `save_page` renews it as well."""
        return bool(await self._statements.fetch(KEEP_ALIVE, claim.id, claim.fence, self._lease))

    async def save_page(self, claim: SourceClaim, page: Page, entries: Sequence[Entry]) -> Saved | None:
        """Its entries into the ledger and the cursor behind it, in one transaction; None if the claim is lost.

        `entries` are the page's posts in its order, as the ledger wants them (those too old left out already). It is
        `over` at the end of the list, at `max_posts`, and, where an earlier pass has come to its end, at the first page
        with nothing new; then the source is done, or due again after its hours.
        """
        async with self._database.begin() as connection:
            await hold_erasures(connection)  # before the row: an erasure takes them in this order too
            rows = (await connection.exec_driver_sql(LOCK, (claim.id, claim.fence))).mappings().all()
            if not rows:
                return None
            now = claim_of(rows[0])
            room = len(entries) if now.max_posts is None else max(0, now.max_posts - now.listed)
            wanted = list(entries)[:room]
            added = await self._ledger.add(wanted, now.spec, priority=now.priority, connection=connection)
            over = now.is_over(page, len(wanted), added.new)
            values = (claim.id, page.lister, clean(page.cursor), now.listed + len(wanted), added.new, self._lease)
            await connection.exec_driver_sql(SAVE, values)
            if over:
                await connection.exec_driver_sql(FINISH, (claim.id,))
        return Saved(added, over)

    async def finish(self, claim: SourceClaim) -> bool:
        """The pass is over though its list might go on: all that follows is older than `since`, say."""
        async with self._database.begin() as connection:
            if not (await connection.exec_driver_sql(LOCK, (claim.id, claim.fence))).all():
                return False
            await connection.exec_driver_sql(FINISH, (claim.id,))
        return True

    async def fail(self, claim: SourceClaim, reason: str, detail: str, *, delay: float) -> SourceRow | None:
        """A page did not come: again after `delay` seconds; too many in a row pause the source. None: claim lost."""
        return await self._end(claim, "again", reason, detail, 1, delay)

    async def unavailable(self, claim: SourceClaim, reason: str, detail: str = "") -> SourceRow | None:
        """It is private, has vanished, or nobody can list it: said so, and, if it is watched, looked at again later."""
        return await self._end(claim, "unavailable", reason, detail, 0, 0.0)

    async def put_back(self, claim: SourceClaim, delay: float = 0.0, reason: str = "") -> SourceRow | None:
        """Stop listing for now, for reasons that the source cannot help; it is due again after `delay` seconds."""
        return await self._end(claim, "again", reason, "", 0, delay)

    async def sweep(self, *, most: int = 1000) -> int:
        """Queue the sources that are due and that the engine does not know of; how many these were."""
        live = self._engine.has_live_job(literal_column(f"'{_MARK}' || s.id"))
        async with self._database.begin() as connection:
            due = list(await connection.scalars(text(DUE.format(live=live)), {"most": most}))
            if due:
                ids = [row_id(source_id) for source_id in due]
                await self._engine.enqueue_all(connection, KIND, ids, [_PRIORITY] * len(ids))
        return len(due)

    async def _change(self, name: str | int, changes: str, *values: object) -> SourceRow:
        row = await self.get(name)
        changed = await self._changed(CHANGE.format(changes=changes), row.id, *values)
        return replace(changed, open=row.open)

    async def _changed(self, statement: str, *values: object) -> SourceRow:
        """The row and, if it is to be listed now, its entry in the engine."""
        async with self._database.begin() as connection:
            row: Any = (await connection.exec_driver_sql(statement, values)).mappings().first()
            if row is None:
                raise NotFound("There is no such source")
            if row["state"] == "active" and row["next_at"] is None:
                await self._engine.enqueue_all(connection, KIND, [row_id(row["id"])], [_PRIORITY])
        return row_of(row)

    async def _end(
        self, claim: SourceClaim, how: str, reason: str, detail: str, failures: int, delay: float
    ) -> SourceRow | None:
        values = (claim.id, claim.fence, how, clean(reason), clean(detail), failures, delay, self._most_failures)
        return await self.get(claim.id) if await self._statements.fetch(END, *values) else None


def _check(hours: float | None, max_posts: int | None, since: datetime | None, priority: int) -> None:
    wrong = {}
    if hours is not None and not watchable(hours):
        wrong["watch_hours"] = WATCH_RULE
    if max_posts is not None and not 0 < max_posts < 2**63:
        wrong["max_posts"] = "must be a number above 0"
    if since is not None and since.tzinfo is None:
        wrong["since"] = "must be a moment with its time zone"
    if priority not in PRIORITIES:
        wrong["priority"] = f"must be a number from {PRIORITIES[0]} to {PRIORITIES[-1]}"
    if wrong:
        raise InvalidParams(wrong)

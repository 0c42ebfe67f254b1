"""The worker's side of a job's row: attempts begun, kept alive, reported on and ended, each by its fence.

Every statement carries all that is asked at the time, takes its locks in the order of ids, and touches a row only if
the attempt that asks is still the newest one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text

from clipstead.db import Database
from clipstead.db.together import Together
from clipstead.jobs.job import Job, Lease, Result, job_of, result_json, storable

GAVE_UP = "The work ended abruptly too often"

_BEGIN = text("""
WITH mine AS (
    SELECT id FROM jobs WHERE id = ANY(CAST(:ids AS text[])) AND status IN ('pending', 'processing')
    ORDER BY id FOR UPDATE
)
UPDATE jobs SET
    status = CASE WHEN attempts < :most THEN 'processing' ELSE 'failed' END,
    error = CASE WHEN attempts < :most THEN NULL ELSE CAST(:gave_up AS text) END,
    error_code = CASE WHEN attempts < :most THEN NULL ELSE 'gave_up' END,
    finished_at = CASE WHEN attempts < :most THEN NULL ELSE now() END,
    expires_at = CASE WHEN attempts < :most THEN NULL ELSE now() + CAST(:kept AS float8) * interval '1 second' END,
    attempts = LEAST(attempts + 1, :most),
    fence = fence + 1,
    started_at = COALESCE(started_at, now()),
    alive_until = now() + CAST(:lease AS float8) * interval '1 second',
    percent = 0, speed = NULL, eta = NULL
FROM mine WHERE jobs.id = mine.id
RETURNING jobs.*
""")
_MINE = """
WITH asked AS (SELECT * FROM ROWS FROM (unnest(CAST(:ids AS text[])), unnest(CAST(:fences AS bigint[])) {types})
               AS t (id, fence {names})),
mine AS (
    SELECT asked.* FROM asked JOIN jobs USING (id, fence) WHERE jobs.status IN ({statuses})
    ORDER BY id FOR UPDATE OF jobs
)
UPDATE jobs SET {changes} FROM mine WHERE jobs.id = mine.id RETURNING jobs.id, jobs.fence {and_so}
"""
_NO_HURRY = ", (SELECT set_config('synchronous_commit', 'off', true))"  # it need not be on the disk before we go on


def _on_mine(changes: str, *, statuses: str = "'processing'", and_so: str = "", **columns: str) -> TextClause:
    """A change to the rows that are still the asking attempts', with further columns of values by name and SQL type."""
    types = "".join(f", unnest(CAST(:{name} AS {kind}[]))" for name, kind in columns.items())
    names = "".join(f", {name}" for name in columns)
    return text(_MINE.format(types=types, names=names, statuses=statuses, changes=changes, and_so=and_so))


_END = (
    "finished_at = now(), expires_at = now() + CAST(:kept AS float8) * interval '1 second', "
    "alive_until = NULL, eta = NULL"
)
_KEEP_ALIVE = _on_mine("alive_until = now() + CAST(:lease AS float8) * interval '1 second'", and_so=_NO_HURRY)
_REPORT = _on_mine(
    "percent = mine.percent, speed = mine.speed, eta = mine.eta",
    and_so=_NO_HURRY,
    percent="real",
    speed="text",
    eta="integer",
)
_PUT_BACK = _on_mine(
    "status = 'pending', percent = 0, speed = NULL, eta = NULL, alive_until = NULL, "
    "attempts = attempts - mine.uncounted",
    uncounted="integer",
)
# A completion whose answer was lost is sent again, and found done already: that is no loss of the lease.
_COMPLETE = _on_mine(
    f"status = 'completed', percent = 100, result = CAST(mine.result AS jsonb), {_END}",
    statuses="'processing', 'completed'",
    result="text",
)
_FAIL = _on_mine(f"status = 'failed', error = mine.error, error_code = mine.code, {_END}", error="text", code="text")


@dataclass(frozen=True, slots=True)
class Report:
    """How far an attempt has got: percent of the whole, speed in words, seconds left."""

    percent: float
    speed: str | None = None
    eta: int | None = None


class Attempts:
    """`lease` and `kept` in seconds: how long a silent attempt counts as alive, how long a job that is over is kept."""

    def __init__(self, database: Database, *, lease: float, kept: float, most: int) -> None:
        self._database = database
        self._seconds = {"lease": lease, "kept": kept}
        self._most = most
        self.begin: Together[str, tuple[Job, Lease] | None] = Together(self._begin)
        self._keep_alive: Together[Lease, bool] = Together(self._keeping_alive)
        self._report: Together[tuple[Lease, Report], bool] = Together(self._reporting)
        self._put_back: Together[tuple[Lease, bool], bool] = Together(self._putting_back)
        self._complete: Together[tuple[Lease, Result | None], bool] = Together(self._completing)
        self._fail: Together[tuple[Lease, str, str], bool] = Together(self._failing)

    async def _begin(self, ids: list[str]) -> list[tuple[Job, Lease] | None]:
        """Count each attempt before it starts; none for a job that is over, or that has used up its attempts."""
        values = {"ids": ids, "most": self._most, "gave_up": GAVE_UP, **self._seconds}
        async with self._database.each() as connection:
            rows = (await connection.execute(_BEGIN, values)).mappings().all()
        begun = {row["id"]: (job_of(row), Lease(row["id"], row["fence"])) for row in rows if row["status"] != "failed"}
        return [begun.pop(job_id, None) for job_id in ids]  # popped: asked for twice, it is begun once

    async def keep_alive(self, lease: Lease) -> bool:
        """Whether the lease still holds; if so, it does for a while longer."""
        return await self._keep_alive(lease)

    async def report(self, lease: Lease, report: Report) -> bool:
        """Tell watchers how far the attempt is; False if the lease is lost."""
        return await self._report((lease, report))

    async def put_back(self, lease: Lease, *, counted: bool) -> bool:
        """The job waits again; an attempt that ended for reasons of ours does not count."""
        return await self._put_back((lease, counted))

    async def complete(self, lease: Lease, result: Result | None) -> bool:
        """The job is done, by this attempt; False if it is another's by now."""
        return await self._complete((lease, result))

    async def fail(self, lease: Lease, error: str, code: str) -> bool:
        """The job has failed for good."""
        return await self._fail((lease, error, code))

    async def _keeping_alive(self, leases: list[Lease]) -> list[bool]:
        return await self._apply(_KEEP_ALIVE, leases)

    async def _reporting(self, asked: list[tuple[Lease, Report]]) -> list[bool]:
        latest = dict(asked)  # of several reports of one attempt, the last
        held = await self._apply(
            _REPORT,
            list(latest),
            percent=[min(100.0, max(0.0, report.percent)) for report in latest.values()],
            speed=[storable(report.speed) for report in latest.values()],
            eta=[report.eta for report in latest.values()],
        )
        holds = dict(zip(latest, held, strict=True))
        return [holds[lease] for lease, _ in asked]

    async def _putting_back(self, asked: list[tuple[Lease, bool]]) -> list[bool]:
        return await self._apply(
            _PUT_BACK, [lease for lease, _ in asked], uncounted=[0 if counted else 1 for _, counted in asked]
        )

    async def _completing(self, asked: list[tuple[Lease, Result | None]]) -> list[bool]:
        results = [result and json.dumps(result_json(result)) for _, result in asked]
        return await self._apply(_COMPLETE, [lease for lease, _ in asked], result=results)

    async def _failing(self, asked: list[tuple[Lease, str, str]]) -> list[bool]:
        return await self._apply(
            _FAIL,
            [lease for lease, _, _ in asked],
            error=[storable(error) for _, error, _ in asked],
            code=[code for _, _, code in asked],
        )

    async def _apply(self, statement: TextClause, leases: Sequence[Lease], **columns: list[Any]) -> list[bool]:
        values = {
            "ids": [lease.job_id for lease in leases],
            "fences": [lease.fence for lease in leases],
            **columns,
            **{name: seconds for name, seconds in self._seconds.items() if f":{name} " in statement.text},
        }
        async with self._database.each() as connection:
            rows = (await connection.execute(statement, values)).all()
        held = {Lease(row.id, row.fence) for row in rows}
        return [lease in held for lease in leases]

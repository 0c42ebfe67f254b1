"""What upstreams may be asked: so many calls at a time and so many a minute, by all workers together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import text

from clipstead.archive.slots import Slots
from clipstead.db import Database
from clipstead.db.together import Together

# Turns are a line in time, one interval apart; whoever needs some takes the next ones for all that wait in a process.
_TAKE = text("""
INSERT INTO api_budgets AS budget (provider, next_free, used)
VALUES (:provider, clock_timestamp() + CAST(:length AS float8) * interval '1 second', :calls)
ON CONFLICT (provider) DO UPDATE SET used = budget.used + :calls, next_free =
    GREATEST(budget.next_free, clock_timestamp()) + CAST(:length AS float8) * interval '1 second'
RETURNING CAST(extract(epoch FROM next_free - clock_timestamp()) AS float8) AS ends
""")
_REST = text("""
INSERT INTO api_budgets AS budget (provider, rests_until, reason)
VALUES (:provider, clock_timestamp() + CAST(:seconds AS float8) * interval '1 second', :reason)
ON CONFLICT (provider) DO UPDATE SET reason = excluded.reason,
    rests_until = excluded.rests_until
""")
_COUNT = text("""
INSERT INTO api_budgets AS budget (provider, used)
SELECT * FROM unnest(CAST(:providers AS text[]), CAST(:calls AS int[]))
ON CONFLICT (provider) DO UPDATE SET used = budget.used + excluded.used
""")
_LARGEST_BLOCK = 64
_LONGEST_REST = 300.0


class Budget:
    """Calls to providers, by all who share the database: `at_once`, and `per_minute` each (0: no limit).

    `rates` are the limits of single providers where theirs is lower.
    """

    def __init__(
        self,
        database: Database,
        *,
        at_once: int = 8,
        per_minute: float = 200.0,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        self._database = database
        self._slots = Slots(database, at_once)
        self._per_minute = per_minute
        self._rates = dict(rates or {})
        self._turns: dict[str, Together[int, float]] = {}
        self._uncounted: Counter[str] = Counter()

    def per_minute(self, provider: str) -> float:
        """How many calls a minute that provider gets; 0 for any number."""
        limits = [rate for rate in (self._per_minute, self._rates.get(provider, 0.0)) if rate]
        return min(limits, default=0.0)

    @asynccontextmanager
    async def call(self, provider: str) -> AsyncIterator[None]:
        """One call to `provider`, once there is room for it and its turn has come. Raises DatabaseUnavailable."""
        async with self._slots.one():
            if wait := await self._turn(provider, 1):
                await asyncio.sleep(wait)
            yield

    async def spent(self, provider: str, calls: int = 1) -> None:
        """Calls that were made without asking first: the next ones come that much later. Raises DatabaseUnavailable."""
        await self._turn(provider, calls)

    async def rest(self, provider: str, seconds: float, reason: str) -> None:
        """Say, for those who look, that nobody here asks it for so many seconds. Raises DatabaseUnavailable."""
        values = {"provider": provider, "seconds": min(seconds, _LONGEST_REST), "reason": reason}
        async with self._database.each() as connection:
            await connection.execute(_REST, values)

    async def flush(self) -> None:
        """Note the calls that needed no turn, for those who look at what was used. Raises DatabaseUnavailable."""
        counted, self._uncounted = self._uncounted, Counter()
        if counted:
            async with self._database.each() as connection:
                await connection.execute(
                    _COUNT, {"providers": sorted(counted), "calls": [counted[n] for n in sorted(counted)]}
                )

    async def close(self) -> None:
        """Leave the calls at a time to others; no call may be under way. Raises DatabaseUnavailable."""
        await self._slots.close()
        await self.flush()

    async def _turn(self, provider: str, calls: int) -> float:
        """Takes so many turns in a row; the seconds until the first of them."""
        if not self.per_minute(provider):
            self._uncounted[provider] += calls
            return 0.0
        if provider not in self._turns:
            self._turns[provider] = Together(partial(self._take, provider), most=_LARGEST_BLOCK)
        return await self._turns[provider](calls)

    async def _take(self, provider: str, asked: list[int]) -> list[float]:
        """A block of turns for all who wait, in one statement: the seconds until each one's."""
        interval = 60.0 / self.per_minute(provider)
        calls = sum(asked)
        async with self._database.each() as connection:
            values = {"provider": provider, "length": calls * interval, "calls": calls}
            ends = await connection.scalar(_TAKE, values)
        waits, at = [], float(ends or 0.0) - calls * interval
        for each in asked:
            waits.append(max(0.0, at))
            at += each * interval
        return waits

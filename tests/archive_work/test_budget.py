"""What upstreams may be asked is shared by all workers, and kept to."""

import asyncio
import time

from clipstead.archive.budget import Budget
from clipstead.db import Database


async def spend(budget: Budget, calls: int, provider: str = "tikwm") -> list[float]:
    """When each call was let through."""
    moments = []

    async def one() -> None:
        async with budget.call(provider):
            moments.append(time.monotonic())

    await asyncio.gather(*(one() for _ in range(calls)))
    return sorted(moments)


async def test_several_workers_together_keep_to_one_rate(database: Database) -> None:
    """Two budgets, as in two processes: 24 calls at 1,200 a minute take a second and more."""
    budgets = [Budget(database, at_once=12, per_minute=1200.0) for _ in range(2)]
    found = await asyncio.gather(*(spend(budget, 12) for budget in budgets))
    moments = sorted(moment for each in found for moment in each)
    assert len(moments) == 24
    assert moments[-1] - moments[0] >= 23 * 0.05 - 0.06


async def test_providers_have_budgets_of_their_own(database: Database) -> None:
    budget = Budget(database, per_minute=600.0, rates={"tikwm": 60.0, "tiklive": 6000.0})
    assert [budget.per_minute(name) for name in ("tikwm", "tiklive", "ytdlp")] == [60.0, 600.0, 600.0]
    assert Budget(database, per_minute=0.0).per_minute("tikwm") == 0.0


async def test_so_many_are_under_way_at_a_time(database: Database) -> None:
    budget, now, most = Budget(database, at_once=3, per_minute=0.0), 0, 0

    async def one() -> None:
        nonlocal now, most
        async with budget.call("tikwm"):
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.005)
            now -= 1

    await asyncio.gather(*(one() for _ in range(12)))
    assert most == 3


async def test_calls_made_besides_are_counted_and_push_the_next_ones_back(database: Database) -> None:
    budget = Budget(database, per_minute=600.0)
    await budget.spent("tikwm", 5)
    began = time.monotonic()
    await spend(budget, 1)
    assert time.monotonic() - began >= 0.4
    assert await used(database) == {"tikwm": 6}


async def test_unlimited_calls_are_counted_when_asked(database: Database) -> None:
    budget = Budget(database, per_minute=0.0)
    await spend(budget, 7)
    assert await used(database) == {}
    await budget.flush()
    await budget.flush()
    assert await used(database) == {"tikwm": 7}


async def test_whoever_looks_sees_who_rests_and_why(database: Database) -> None:
    await Budget(database).rest("tikwm", 3600.0, "a limit that is reached")
    async with database.each() as connection:
        rows = await connection.exec_driver_sql("SELECT reason, rests_until > now() AS rests FROM api_budgets")
        assert [tuple(row) for row in rows] == [("a limit that is reached", True)]


async def test_whoever_gives_up_waiting_holds_up_nobody(database: Database) -> None:
    budget = Budget(database, at_once=1, per_minute=60000.0)
    tasks = [asyncio.create_task(spend(budget, 1)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5):
        assert len(await spend(budget, 3)) == 3


async def used(database: Database) -> dict[str, int]:
    """What the books say was used."""
    async with database.each() as connection:
        rows = await connection.exec_driver_sql("SELECT provider, used FROM api_budgets")
        return {row.provider: row.used for row in rows}

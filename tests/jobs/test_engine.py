"""The engine's seam: order, second tries, calling off, holding back, the clock, and that it survives its database."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from clipstead.db import Database
from clipstead.engine import Engine, TryAgain


@asynccontextmanager
async def working(engine: Engine) -> AsyncIterator[None]:
    """The engine at work, until the end."""
    stop = asyncio.Event()
    run = asyncio.create_task(engine.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await run


async def enqueue(database: Database, engine: Engine, *rows: str, kind: str = "k", **how: Any) -> list[int | None]:
    """Hand rows over in a transaction of their own."""
    async with database.begin() as connection:
        return await engine.enqueue(connection, kind, *rows, **how)


async def entries(database: Database) -> list[tuple[str, str]]:
    """What the engine holds."""
    async with database.begin() as connection:
        rows = await connection.execute(text("SELECT dedupe_key, status::text FROM pgqueuer ORDER BY id"))
        return [(row[0], row[1]) for row in rows]


def collector(queue: asyncio.Queue[str]) -> Callable[[str], Coroutine[Any, Any, None]]:
    """A handler that only says what it was given."""

    async def handler(row_id: str) -> None:
        queue.put_nowait(row_id)

    return handler


async def heard(queue: asyncio.Queue[str], many: int) -> list[str]:
    """So many things, in time."""
    async with asyncio.timeout(15):
        return [await queue.get() for _ in range(many)]


async def test_priority_first_then_age(database: Database) -> None:
    """Whoever is interactive overtakes the archive."""
    engine, done = Engine(database), asyncio.Queue[str]()
    engine.register("k", collector(done), 1)
    await enqueue(database, engine, "a", "b")
    await enqueue(database, engine, "urgent", priority=10)
    async with working(engine):
        assert await heard(done, 3) == ["urgent", "a", "b"]


async def test_many_are_queued_at_once(database: Database) -> None:
    """By priority, then as they stand; a row that is queued already is left as it is."""
    engine, done = Engine(database), asyncio.Queue[str]()
    engine.register("k", collector(done), 1)
    await enqueue(database, engine, "b", priority=-1)
    many = [f"{number}" for number in range(100)]
    async with database.begin() as connection:
        await engine.enqueue_all(connection, "k", [*many, "b", "a"], [-5] * 100 + [-9, -3])
    assert len(await entries(database)) == 102
    async with working(engine):
        assert await heard(done, 102) == ["b", "a", *many]


async def test_work_is_announced_not_polled_for(database: Database) -> None:
    """With a look only once a minute, what is enqueued is done at once; what is due later, when it is due."""
    engine, done = Engine(database, look=60), asyncio.Queue[str]()
    engine.register("k", collector(done), 1)
    async with working(engine):
        await enqueue(database, engine, "a")
        assert await heard(done, 1) == ["a"]
        await enqueue(database, engine, "later", delay=0.5)
        await enqueue(database, engine, "now")
        assert await heard(done, 2) == ["now", "later"]
    assert await entries(database) == []


async def test_a_wish_to_try_again_is_granted(database: Database) -> None:
    """The same entry comes back after its delay, as often as is wished."""
    engine, done = Engine(database), asyncio.Queue[str]()

    async def handler(row_id: str) -> None:
        done.put_nowait(row_id)
        if done.qsize() < 3:
            raise TryAgain(0.05)

    engine.register("k", handler, 1)
    async with working(engine):
        await enqueue(database, engine, "a")
        async with asyncio.timeout(10):
            while done.qsize() < 3:
                await asyncio.sleep(0.02)
    assert await entries(database) == []


async def test_an_error_holds_its_entry_back_and_lets_the_others_pass(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """It is kept to be looked at, with its traceback in the log, and `retry` clears it away."""
    engine, done = Engine(database), asyncio.Queue[str]()

    async def handler(row_id: str) -> None:
        done.put_nowait(row_id)
        if row_id == "bad" and done.qsize() == 1:
            raise KeyError("inner words")

    engine.register("k", handler, 1)
    async with working(engine):
        await enqueue(database, engine, "bad", "good")
        async with asyncio.timeout(10):
            while await entries(database) != [("bad", "failed")]:
                await asyncio.sleep(0.02)
        async with database.begin() as connection:
            await engine.retry(connection, "k", "bad")
        async with asyncio.timeout(10):
            while await entries(database):
                await asyncio.sleep(0.02)
    assert [done.get_nowait() for _ in range(3)] == ["bad", "good", "bad"]
    assert "inner words" in caplog.text


async def test_calling_off_takes_out_what_waits_and_interrupts_what_runs(database: Database) -> None:
    """With the transaction, not before: one that is rolled back calls nothing off."""
    engine, said = Engine(database), asyncio.Queue[str]()

    async def handler(row_id: str) -> None:
        said.put_nowait(row_id)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            said.put_nowait(f"{row_id} off")
            await asyncio.sleep(0.01)
            said.put_nowait(f"{row_id} clean")
            raise

    engine.register("k", handler, 1)
    async with working(engine):
        await enqueue(database, engine, "a", "b", "c")
        assert await heard(said, 1) == ["a"]
        with pytest.raises(RuntimeError):
            async with database.begin() as connection:
                await engine.cancel(connection, "a", "b")
                raise RuntimeError
        await asyncio.sleep(0.2)
        assert said.empty()
        async with database.begin() as connection:
            await engine.cancel(connection, "a", "b", "unknown")
        assert await heard(said, 3) == ["a off", "a clean", "c"]


async def test_what_is_under_way_at_the_end_is_finished_or_given_back(database: Database) -> None:
    """Within the grace it is finished; what takes longer waits for another worker, at once."""
    engine, said = Engine(database), asyncio.Queue[str]()

    async def handler(row_id: str) -> None:
        said.put_nowait(row_id)
        await asyncio.sleep(0.3 if row_id == "short" else 60)
        said.put_nowait(f"{row_id} done")

    engine.register("k", handler, 2)
    stop = asyncio.Event()
    run = asyncio.create_task(engine.run(stop, grace=1))
    await enqueue(database, engine, "short", "long")
    assert sorted(await heard(said, 2)) == ["long", "short"]
    stop.set()
    async with asyncio.timeout(20):
        await run
    assert await heard(said, 1) == ["short done"]
    assert await entries(database) == [("long", "queued")]


async def test_the_clock_strikes_in_one_of_all_workers(database: Database) -> None:
    """Three engines know the same schedule of a second: each stroke is one call."""
    strokes: list[int] = []

    async def strike() -> None:
        strokes.append(1)

    engines = [Engine(database) for _ in range(3)]
    stop = asyncio.Event()
    for engine in engines:
        engine.schedule("strike", 1, strike)
    runs = [asyncio.create_task(engine.run(stop)) for engine in engines]
    await asyncio.sleep(2.5)
    stop.set()
    await asyncio.gather(*runs)
    assert 1 <= len(strokes) <= 3


@pytest.mark.parametrize("seconds", [0, 7, 61, 90, 7200])
def test_a_schedule_that_no_clock_can_keep_is_refused(database: Database, seconds: int) -> None:
    """Only divisors of a minute or an hour."""

    async def strike() -> None: ...

    with pytest.raises(ValueError, match="divide"):
        Engine(database).schedule("x", seconds, strike)


async def test_a_fault_in_the_engine_itself_ends_it_with_its_error(database: Database) -> None:
    """Instead of a worker that lives and does nothing."""
    engine = Engine(database)
    engine.register("k", collector(asyncio.Queue()), 1)
    async with database.begin() as connection:
        await connection.execute(text("DROP TABLE pgqueuer CASCADE"))
    with pytest.raises(Exception, match='"pgqueuer" does not exist'):
        await engine.run(asyncio.Event())


async def test_variables_with_common_names_do_not_rename_its_tables(database_url: str) -> None:
    """CHANNEL, FUNCTION and their like in the environment are other people's."""
    program = """
import asyncio, sys
from clipstead.db import Database
from clipstead.engine import Engine

async def main():
    async with Database.open(sys.argv[1]) as database:
        engine, stop = Engine(database), asyncio.Event()
        async def handler(row_id):
            print(row_id); stop.set()
        engine.register("k", handler, 1)
        async with database.begin() as connection:
            await engine.enqueue(connection, "k", "done")
        await engine.run(stop)

asyncio.run(main())
"""
    strange = {"CHANNEL": "no channel; at all", "QUEUE_TABLE": "x y", "TRIGGER": "1", "PGQUEUER_PREFIX": "other_"}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, database_url), env={**os.environ, **strange}, stdout=subprocess.PIPE
    )
    async with asyncio.timeout(20):
        out, _ = await child.communicate()
    assert out == b"done\n"

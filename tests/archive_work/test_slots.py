"""So many calls are under way at a time, whoever makes them: told apart at the wire, and by several budgets here."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from clipstead.archive.budget import Budget
from clipstead.db import Database, DatabaseUnavailable
from clipstead.practice import World
from clipstead.settings import Settings

from .conftest import PATIENCE, House, Start

AT_ONCE = 4


class Gate:
    """Holds every page of a world until it is opened. `came`: how many did; `most`: at a time, once it is open."""

    def __init__(self, world: World) -> None:
        self.came = self.most = self._now = 0
        self._open = asyncio.Event()
        self._note = world.stage.note
        world.stage.note = self._noted  # type: ignore[method-assign]

    def open(self) -> None:
        """Let all pass, from now on."""
        self._open.set()

    async def _noted(self, kind: str, key: str = "") -> None:
        await self._note(kind, key)
        if kind != "page":
            return
        if not self._open.is_set():
            self.came += 1
            await self._open.wait()
            return
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.02)
        self._now -= 1


async def until(true: Callable[[], Awaitable[bool] | bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not (done if isinstance(done := true(), bool) else await done):
            await asyncio.sleep(0.02)


async def shares(house: House) -> dict[str, int]:
    """Who may make how many calls."""
    rows = await house.rows("SELECT holder, slots FROM api_slots")
    return {row["holder"]: row["slots"] for row in rows}


@pytest.mark.parametrize("video_bytes", [20_000])
@pytest.mark.parametrize("settings", [{"archive_api_concurrent": AT_ONCE}], indirect=True)
async def test_all_workers_together_make_so_many_calls_at_a_time(
    house: House, start: Start, settings: Settings
) -> None:
    """Three processes; the share of one that is killed is made use of by the others, and no more than that."""
    posts = house.world.publish(150)  # more than all of them take up at a time
    gate = Gate(house.world)
    await house.add(*posts)
    children = [await start("archive", "run", "--one") for _ in range(3)]
    await until(lambda: gate.came == AT_ONCE)

    async def all_have_said_something() -> bool:
        return len(await shares(house)) == len(children)

    await until(all_have_said_something)
    await asyncio.sleep(1.5)  # long enough for each to speak again
    assert gate.came == AT_ONCE
    before = await shares(house)
    assert sum(before.values()) == AT_ONCE

    children[0].send_signal(signal.SIGKILL)
    await children[0].wait()

    async def one_is_missing() -> bool:
        left = await shares(house)
        return len(left) == 2 and sum(left.values()) == AT_ONCE

    await until(one_is_missing)
    lost = sum(before[holder] for holder in before.keys() - (await shares(house)).keys())
    await until(lambda: gate.came == AT_ONCE + lost)
    await asyncio.sleep(1.5)
    assert gate.came == AT_ONCE + lost

    gate.open()
    await house.rows("UPDATE archive_queue SET alive_until = now() WHERE state = 'working' RETURNING 1")

    async def most_are_captured() -> bool:
        return len(await house.rows("SELECT aweme_id FROM posts")) >= 30

    await until(most_are_captured)
    assert 0 < gate.most <= AT_ONCE


async def test_who_is_idle_leaves_its_calls_to_others(database: Database) -> None:
    first, second = (Budget(database, at_once=4, per_minute=0.0) for _ in range(2))
    tally = Tally()
    await asyncio.gather(*(tally.call(first) for _ in range(4)))
    assert tally.most == 4
    await asyncio.gather(*(tally.call(second, 0.5) for _ in range(12)))
    assert tally.most == 4
    await first.close()
    await second.close()


async def test_more_workers_than_calls_all_have_their_turn(database: Database) -> None:
    """Five of them with two calls at a time, each of which would take them all."""
    budgets, tally = [Budget(database, at_once=2, per_minute=0.0) for _ in range(5)], Tally()
    made = [0] * len(budgets)

    async def worker(number: int) -> None:
        while True:
            await tally.call(budgets[number])
            made[number] += 1

    tasks = [asyncio.create_task(worker(number)) for number in range(len(budgets)) for _ in range(3)]
    await until(lambda: min(made) >= 3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tally.most == 2
    for budget in budgets:
        await budget.close()


async def test_what_is_allowed_outlives_a_database_that_is_gone_and_who_has_nothing_is_told(
    database_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as road:
        url = await road.enter_async_context(relay(database_url, tmp_path))
        async with Database.open(url) as database:
            budgets = [Budget(database, at_once=2, per_minute=0.0) for _ in range(2)]
            async with budgets[0].call("tikwm"):
                await road.aclose()
                async with budgets[0].call("tikwm"):
                    pass
                with pytest.raises(DatabaseUnavailable):
                    async with budgets[1].call("tikwm"):
                        pass
            with pytest.raises(DatabaseUnavailable):
                await budgets[0].close()


@asynccontextmanager
async def relay(url: str, folder: Path) -> AsyncIterator[str]:
    """The same database by another road, which ends with this."""
    host = parse_qs(urlsplit(url).query)["host"][0]
    (socket,) = (path for path in Path(host).iterdir() if path.suffix != ".lock" and path.name.startswith(".s.PGSQL."))
    ways: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(socket)
        ways.extend((writer, back))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async with await asyncio.start_unix_server(carry, folder / socket.name):
        yield url.replace(quote(host, safe="/"), quote(str(folder), safe="/"))
        for way in ways:
            way.close()


class Tally:
    """Counts the calls under way."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def call(self, budget: Budget, seconds: float = 0.02) -> None:
        """One."""
        async with budget.call("tikwm"):
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(seconds)
            finally:
                self.now -= 1

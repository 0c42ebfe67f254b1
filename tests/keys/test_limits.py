"""Limits: exact in any window, over any number of processes, by the database's clock alone."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from clipstead.db import Database
from clipstead.db.key_log import sweep_key_uses
from clipstead.db.line import connect
from clipstead.errors import ClipsteadError
from clipstead.server.key_standing import KeyDefaults, KeyLimited
from clipstead.server.keys import Keys

PassTime = Callable[[float], Awaitable[None]]
TwoProcesses = Callable[..., Awaitable[list[int]]]

HAMMER = """
import asyncio, sys
from collections import Counter
from clipstead.db import Database
from clipstead.server.key_standing import KeyLimited
from clipstead.server.keys import Keys

outcomes = Counter()

async def client(keys, key, tries):
    for _ in range(tries):
        try:
            await keys.admit(key)
            outcomes["admitted"] += 1
        except KeyLimited:
            outcomes["refused"] += 1

async def main(url, clients, tries):
    async with Database.open(url) as database:
        key = sys.stdin.readline().strip()
        keys = Keys(database)
        print("ready", flush=True)
        sys.stdin.readline()
        await asyncio.gather(*(client(keys, key, tries) for _ in range(clients)))
        print(outcomes["admitted"], outcomes["refused"])

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


async def uses_of(database: Database, key_id: str) -> list[int]:
    """The numbers of the uses that are written down."""
    async with database.begin() as connection:
        query = text("SELECT number FROM key_uses WHERE key_id = :id ORDER BY number")
        return list(await connection.scalars(query, {"id": key_id}))


async def how_often(keys: Keys, key: str, *, at_most: int) -> int:
    """How many uses go through, one after the other, until one is refused."""
    for count in range(at_most):
        try:
            await keys.admit(key)
        except KeyLimited:
            return count
    return at_most


async def test_64_clients_in_each_of_2_processes_get_exactly_what_the_limit_says(
    database: Database, keys: Keys, two_processes: TwoProcesses
) -> None:
    """Each process has 64, all at full speed at the same key: 300 of 1,280 uses go through, the rest leave no trace."""
    new = await keys.desk.create("somebody", hourly=300)
    admitted, refused = await two_processes(HAMMER, new.text, "64", "10")
    assert (admitted, refused) == (300, 980)
    assert await uses_of(database, new.standing.id) == list(range(1, 301))
    assert (await keys.desk.key(new.standing.id)).uses == 300


async def test_no_window_ever_holds_one_too_many(database: Database, keys: Keys, pass_time: PassTime) -> None:
    """A random life of a key, minute by minute, against the definition: N in any hour, M in any day."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    new = await keys.desk.create("somebody", hourly=7, daily=23)
    log: list[int] = []
    now = 0
    for _ in range(150):
        for _ in range(dice.choice((1, 1, 3, 9))):
            used = [sum(now - moment < span for moment in log) for span in (60, 1440)]
            room = used[0] < 7 and used[1] < 23
            try:
                admission = await keys.admit(new.text)
            except KeyLimited as error:
                assert not room
                waits = [_wait(log, now, limit, span) for limit, span in ((7, 60), (23, 1440))]
                assert math.ceil(error.retry_after / 60) == max(waits)
                continue
            assert room
            log.append(now)
            assert admission.standing
            assert [window.used for window in admission.standing.windows] == [used[0] + 1, used[1] + 1]
        minutes = dice.choice((0, 1, 10, 25, 60, 400))
        await pass_time(minutes)
        now += minutes


def _wait(log: list[int], now: int, limit: int, span: int) -> int:
    """Minutes until a window of `span` has room again."""
    return max(0, log[-limit] + span - now) if len(log) >= limit else 0


async def test_the_defaults_are_the_contracts(keys: Keys, pass_time: PassTime) -> None:
    """50 an hour and 500 a day for users, 100 and 1000 for admins; a daily limit is met although the hours are free."""
    user, admin = await keys.desk.create("a"), await keys.desk.create("a", admin=True)
    assert [window.limit for window in user.standing.windows] == [50, 500]
    assert [window.limit for window in admin.standing.windows] == [100, 1000]
    for _ in range(10):
        assert await how_often(keys, user.text, at_most=60) == 50
        await pass_time(61)
    with pytest.raises(KeyLimited, match=r"^Daily rate limit exceeded \(500/day\)$") as caught:
        await keys.admit(user.text)
    assert caught.value.quota == "daily"
    assert (24 * 60 - 610) * 60 - 30 < caught.value.retry_after <= (24 * 60 - 610) * 60


async def test_other_defaults_and_limits_of_its_own(database: Database) -> None:
    """What was set for a key counts; for the rest what the instance says; 0 is no limit."""
    keys = Keys(database, KeyDefaults(hourly=2, daily=0))
    plain = await keys.desk.create("a")
    own = await keys.desk.create("a", hourly=3)
    free = await keys.desk.create("a", hourly=0)
    assert [await how_often(keys, key.text, at_most=8) for key in (plain, own, free)] == [2, 3, 8]
    assert free.standing.windows[0].own == 0
    assert (await keys.admit(free.text)).headers == {}


async def test_a_limit_changed_counts_at_once_and_forgets_nothing(keys: Keys, pass_time: PassTime) -> None:
    """Raised: the rest is free. Lowered below what was used: one has to wait until enough has left. Back: default."""
    new = await keys.desk.create("a", hourly=4)
    for _ in range(4):
        await keys.admit(new.text)
        await pass_time(10)
    await keys.desk.limit(new.standing.id, {"hourly": 6})
    assert await how_often(keys, new.text, at_most=5) == 2
    await keys.desk.limit(new.standing.id, {"hourly": 3})
    with pytest.raises(KeyLimited, match=r"\(3/hr\)") as caught:
        await keys.admit(new.text)
    assert 49 * 60 < caught.value.retry_after <= 50 * 60  # when the last but two was made: 10 minutes ago
    standing = await keys.desk.limit(new.standing.id, {"hourly": None})
    assert (standing.windows[0].limit, standing.windows[0].own) == (50, None)


async def test_keys_of_one_owner_have_limits_of_their_own(keys: Keys) -> None:
    first, second = [await keys.desk.create("a", hourly=2) for _ in range(2)]
    assert [await how_often(keys, key.text, at_most=5) for key in (first, second)] == [2, 2]


async def test_the_clock_of_the_process_does_not_matter(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose clock is a year ahead of the database's admits not one more."""
    new = await keys.desk.create("a", hourly=3)
    assert await how_often(keys, new.text, at_most=5) == 3
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 365 * 86_400)
    assert await how_often(keys, new.text, at_most=5) == 0


@pytest.mark.parametrize("before", [2, 3])
async def test_a_database_clock_set_back_costs_one_window_at_most(keys: Keys, pass_time: PassTime, before: int) -> None:
    """Uses that lie a week ahead count as made now: none too many, and nobody waits a week."""
    new = await keys.desk.create("a", hourly=3)
    assert await how_often(keys, new.text, at_most=before) == before
    await pass_time(-7 * 24 * 60)
    assert await how_often(keys, new.text, at_most=5) == 3 - before
    for _ in range(2):
        with pytest.raises(KeyLimited) as caught:
            await keys.admit(new.text)
        assert 3500 < caught.value.retry_after <= 3600
    await pass_time(60)
    assert await how_often(keys, new.text, at_most=5) == 3


async def test_old_uses_are_swept_in_batches_and_no_count_changes(
    database: Database, keys: Keys, pass_time: PassTime
) -> None:
    """What is older than two days goes, of every key, however many; what still counts stays."""
    news = [await keys.desk.create(name) for name in "ab"]
    for new in news:
        assert await how_often(keys, new.text, at_most=15) == 15
    await pass_time(49 * 60)
    for new in news:
        assert await how_often(keys, new.text, at_most=5) == 5
    before = [await keys.desk.key(new.standing.id) for new in news]
    assert await sweep_key_uses(database, batch=7) == 30
    assert await sweep_key_uses(database) == 0
    after = [await keys.desk.key(new.standing.id) for new in news]
    assert [[window.used for window in key.windows] for key in after] == [[5, 5], [5, 5]]
    assert [key.uses for key in after] == [key.uses for key in before] == [20, 20]
    assert await uses_of(database, news[0].standing.id) == [16, 17, 18, 19, 20]
    assert (await keys.admit(news[0].text)).standing


async def test_a_refusal_writes_nothing(database: Database, keys: Keys) -> None:
    """Whoever keeps knocking at a full window does not keep the disk busy, not even with locks."""
    new = await keys.desk.create("a", hourly=1)
    await keys.admit(new.text)

    async def row() -> tuple[object, ...]:
        async with database.begin() as connection:
            return tuple((await connection.execute(text("SELECT ctid, xmin, xmax, uses FROM api_keys"))).one())

    before = await row()
    for _ in range(20):
        with pytest.raises(ClipsteadError):
            await keys.admit(new.text)
    assert await row() == before


async def test_a_database_that_cuts_all_connections_is_met_again(database: Database, keys: Keys) -> None:
    """As at its restart: nobody is refused for it, and nothing that was used is forgotten."""
    new = await keys.desk.create("a", hourly=9)
    await asyncio.gather(*(keys.admit(new.text) for _ in range(5)))
    connection = await connect(database.url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    assert await how_often(keys, new.text, at_most=9) == 4

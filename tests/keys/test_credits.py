"""Credits: held, charged and given back exactly, whoever asks and however often, over any number of processes."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from clipstead.db import Database
from clipstead.db.key_log import sweep_credits
from clipstead.errors import Forbidden, InvalidParams, NotFound, OutOfCredits, RateLimited, Unauthorized
from clipstead.server.credits import Credits, Hold
from clipstead.server.key_standing import KeyCredits, KeyDefaults
from clipstead.server.key_text import make_key
from clipstead.server.keys import Keys

PassMinutes = Callable[[float], Awaitable[None]]
TwoProcesses = Callable[..., Awaitable[list[int]]]

# Every third call fails and is given back, until the credits are spent.
SPENDER = """
import asyncio, sys
from collections import Counter
from clipstead.db import Database
from clipstead.errors import OutOfCredits
from clipstead.server.keys import Keys

outcomes = Counter()

async def client(credits, key, tries):
    for number in range(tries):
        try:
            hold = await credits.reserve(key)
        except OutOfCredits:
            outcomes["refused"] += 1
            continue
        await asyncio.sleep(0)
        good = number % 3 > 0
        await (credits.charge if good else credits.refund)(hold)
        outcomes["charged" if good else "refunded"] += 1

async def main(url, clients, tries):
    async with Database.open(url) as database:
        key = sys.stdin.readline().strip()
        credits = Keys(database).credits
        print("ready", flush=True)
        sys.stdin.readline()
        await asyncio.gather(*(client(credits, key, tries) for _ in range(clients)))
        print(outcomes["charged"], outcomes["refunded"], outcomes["refused"])

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.fixture
def pass_minutes(database: Database) -> PassMinutes:
    """Let minutes pass, by making what was written so much older."""

    async def pass_minutes(minutes: float) -> None:
        async with database.begin() as connection:
            statement = "UPDATE credit_uses SET used_at = used_at - interval '1 minute' * :minutes"
            await connection.execute(text(statement), {"minutes": minutes})

    return pass_minutes


async def books(database: Database, key_id: str) -> tuple[int | None, int, Counter[str]]:
    """What the tables say: what is left, what was spent, and how many calls are in which state."""
    async with database.begin() as connection:
        purse = (await connection.execute(text("SELECT balance, spent FROM key_credits"))).one()
        states = await connection.scalars(text("SELECT state FROM credit_uses WHERE key_id = :id"), {"id": key_id})
        return purse.balance, purse.spent, Counter(states)


async def test_a_new_key_has_a_hundred_and_pays_one_a_call(database: Database, keys: Keys) -> None:
    """What is held is not left; what is charged is spent; what is given back is there again."""
    new = await keys.desk.create("somebody")
    assert new.standing.credits == KeyCredits(left=100, spent=0)
    first, second = [await keys.credits.reserve(new.text) for _ in range(2)]
    assert (first.left, second.left) == (99, 98)
    assert await keys.credits.charge(first) == 98
    assert await keys.credits.refund(second) == 99
    assert (await keys.desk.key(new.standing.id)).credits == KeyCredits(left=99, spent=1)
    assert await books(database, new.standing.id) == (99, 1, Counter(charged=1, refunded=1))


async def test_an_end_told_twice_counts_once(database: Database, keys: Keys) -> None:
    """After a lost connection it may be sent again; and an end that comes after another end changes nothing."""
    new = await keys.desk.create("somebody")
    hold = await keys.credits.reserve(new.text)
    assert [await keys.credits.charge(hold) for _ in range(3)] == [99, 99, 99]
    assert await keys.credits.refund(hold) == 99
    assert await books(database, new.standing.id) == (99, 1, Counter(charged=1))


async def test_64_clients_in_each_of_2_processes_spend_exactly_what_there_is(
    database: Database, keys: Keys, two_processes: TwoProcesses
) -> None:
    """At full speed at one key with 200 credits: 200 calls are charged, the failed ones cost nothing."""
    new = await keys.desk.create("somebody")
    await keys.desk.set_credits(new.standing.id, 200)
    charged, refunded, refused = await two_processes(SPENDER, new.text, "64", "12")
    assert charged == 200
    assert charged + refunded + refused == 2 * 64 * 12
    assert await books(database, new.standing.id) == (0, 200, Counter(charged=200, refunded=refunded))


async def test_200_a_minute_and_not_one_more(database: Database, keys: Keys, pass_minutes: PassMinutes) -> None:
    """64 at a time: exactly so many are let in, the rest are told how long to wait, and that costs nothing."""
    new = await keys.desk.create("somebody")
    await keys.desk.set_credits(new.standing.id, "unlimited")
    outcomes: Counter[str] = Counter()

    async def client() -> None:
        for _ in range(5):
            try:
                await keys.credits.charge(await keys.credits.reserve(new.text, per_minute=200))
                outcomes["in"] += 1
            except RateLimited as error:
                assert 0 < error.retry_after <= 60
                outcomes["out"] += 1

    await asyncio.gather(*(client() for _ in range(64)))
    assert outcomes == Counter({"in": 200, "out": 120})
    assert await books(database, new.standing.id) == (None, 200, Counter(charged=200))
    await pass_minutes(1)
    assert (await keys.credits.reserve(new.text, per_minute=200)).left is None


async def test_no_minute_ever_holds_one_too_many(keys: Keys, pass_minutes: PassMinutes) -> None:
    """A random life of a key, six seconds by six seconds, against the definition."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    new = await keys.desk.create("somebody")
    await keys.desk.set_credits(new.standing.id, "unlimited")
    log: list[int] = []
    for now in range(80):
        for _ in range(dice.choice((0, 1, 2, 4))):
            room = sum(now - moment < 10 for moment in log) < 5
            try:
                await keys.credits.reserve(new.text, per_minute=5)
            except RateLimited:
                assert not room
            else:
                assert room
                log.append(now)
        await pass_minutes(0.1)


async def test_what_is_spent_is_spent_until_more_is_given(keys: Keys) -> None:
    """Refused before the rate is looked at, and nothing is written."""
    new = await keys.desk.create("somebody")
    key_id = new.standing.id
    await keys.desk.set_credits(key_id, 1)
    await keys.credits.charge(await keys.credits.reserve(new.text))
    with pytest.raises(OutOfCredits, match="Insufficient credits"):
        await keys.credits.reserve(new.text, per_minute=1)
    assert (await keys.desk.set_credits(key_id, 2)).credits == KeyCredits(left=2, spent=1)
    assert (await keys.credits.reserve(new.text)).left == 1
    assert (await keys.desk.set_credits(key_id, "unlimited")).credits == KeyCredits(left=None, spent=1)


async def test_setting_credits_while_a_call_runs_gives_nothing_away(database: Database, keys: Keys) -> None:
    """A call that was let in before fails after: the new amount stays what was set."""
    new = await keys.desk.create("somebody")
    hold = await keys.credits.reserve(new.text)
    await keys.desk.set_credits(new.standing.id, 10)
    assert await keys.credits.refund(hold) == 10
    free = Hold(new.standing.id, 999, None)
    assert await keys.credits.refund(free) == 10, "a hold that never was"


async def test_what_a_dead_process_held_comes_back(database: Database, keys: Keys, pass_minutes: PassMinutes) -> None:
    """After ten minutes: at the key's next call, even where nothing else is left, or by the sweep."""
    new = await keys.desk.create("somebody")
    await keys.desk.set_credits(new.standing.id, 1)
    lost = await keys.credits.reserve(new.text)
    await pass_minutes(9)
    with pytest.raises(OutOfCredits):
        await keys.credits.reserve(new.text)
    await pass_minutes(2)
    again = await keys.credits.reserve(new.text)
    assert await keys.credits.charge(lost) == 0, "too late"
    assert await books(database, new.standing.id) == (0, 0, Counter(refunded=1, held=1))
    await pass_minutes(11)
    assert await sweep_credits(database) == 0
    assert await books(database, new.standing.id) == (1, 0, Counter(refunded=2))
    assert await keys.credits.charge(again) == 1
    await pass_minutes(60 * 49)
    assert await sweep_credits(database, batch=1) == 2
    assert await books(database, new.standing.id) == (1, 0, Counter())


async def test_a_clock_that_is_set_back_stops_nobody(database: Database, keys: Keys, pass_minutes: PassMinutes) -> None:
    """Uses from what is now the future count as made just now."""
    new = await keys.desk.create("somebody")
    for _ in range(3):
        await keys.credits.reserve(new.text, per_minute=3)
    await pass_minutes(-120)
    with pytest.raises(RateLimited) as caught:
        await keys.credits.reserve(new.text, per_minute=3)
    assert caught.value.retry_after <= 60
    await pass_minutes(1)
    assert (await keys.credits.reserve(new.text, per_minute=3)).left == 96


async def test_only_who_may_come_in_is_asked_to_pay(database: Database, keys: Keys) -> None:
    """The words are those of every other call; a wrong secret learns nothing."""
    new = await keys.desk.create("somebody")
    await keys.desk.set_credits(new.standing.id, 0)
    for shown in (None, "", "clp_", make_key().text, make_key(new.standing.id).text):
        with pytest.raises(Unauthorized):
            await keys.credits.reserve(shown)
    await keys.desk.disable(new.standing.id)
    with pytest.raises(Forbidden, match="API key disabled"):
        await keys.credits.reserve(new.text)
    await keys.desk.ban("somebody")
    with pytest.raises(Forbidden, match="Account banned"):
        await keys.credits.reserve(new.text)
    await keys.desk.revoke(new.standing.id)
    with pytest.raises(Unauthorized, match="Invalid API key"):
        await keys.credits.reserve(new.text)


async def test_an_open_instance_asks_for_nothing(database: Database) -> None:
    """No key, no credits, no limit."""
    credits = Keys(database, open_to_all=True).credits
    hold = await credits.reserve(None, per_minute=1)
    assert (hold.key_id, await credits.charge(hold), await credits.refund(hold)) == (None, None, None)


async def test_what_is_free_is_a_setting_until_a_key_pays_for_the_first_time(database: Database) -> None:
    """Shown before the first call, and kept from then on."""
    few = Keys(database, KeyDefaults(credits=2))
    new = await few.desk.create("somebody")
    assert new.standing.credits == KeyCredits(2, 0)
    assert (await few.credits.reserve(new.text)).left == 1
    assert (await Credits(database, free=500).reserve(new.text)).left == 0
    none = Keys(database, KeyDefaults(credits=0))
    with pytest.raises(OutOfCredits):
        await none.credits.reserve((await none.desk.create("other")).text)


async def test_amounts_that_cannot_be(keys: Keys) -> None:
    new = await keys.desk.create("somebody")
    for amount in (-1, 10**13):
        with pytest.raises(InvalidParams):
            await keys.desk.set_credits(new.standing.id, amount)
    with pytest.raises(NotFound):
        await keys.desk.set_credits("AAAAAAAAAA", 5)

"""A call costs a credit: told with every answer, exact among many clients, and never taken for what we failed at."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

Open = Callable[..., Any]


def told(headers: Any) -> tuple[str | None, str | None]:
    """(used, left), as the header fields have them."""
    return headers.get("X-Credits-Used"), headers.get("X-Credits-Remaining")


async def test_every_answer_tells_what_it_cost(tiklive: Any) -> None:
    """Good ones and final ones cost one; a request that is wrong, and a call that nobody answers, nothing."""
    url = tiklive.world.post("video").url
    for path, params, status, expected in (
        ("/post-detail/", {"url": url}, 200, ("1", "99")),
        ("/post-detail/", {"url": url}, 200, ("1", "98")),
        ("/post-detail/", {}, 400, ("0", "98")),
        ("/post-detail/", {"url": "7000000000000000001"}, 404, ("1", "97")),
        ("/user-liked/", {}, 404, ("0", "97")),
        ("/region-list/", {}, 200, ("1", "96")),
    ):
        found, _, headers = await tiklive.ask(path, params=params)
        assert (found, told(headers)) == (status, expected)
    assert await tiklive.left() == 96
    assert "X-Credits-Remaining" in headers["Access-Control-Expose-Headers"]


async def test_spent_is_402_and_costs_nothing(tiklive: Any) -> None:
    """Until there are more; nobody upstream is asked."""
    key_id = tiklive.key[4:14]
    await tiklive.keys.desk.set_credits(key_id, 1)
    assert (await tiklive.ask("/region-list/"))[0] == 200
    before = dict(tiklive.world.requests)
    for _ in range(3):
        status, body, headers = await tiklive.ask("/post-detail/", params={"url": tiklive.world.post("video").url})
        assert (status, body) == (402, {"message": "Insufficient credits"})
        assert told(headers) == (None, None)
    assert dict(tiklive.world.requests) == before
    await tiklive.keys.desk.set_credits(key_id, "unlimited")
    status, _, headers = await tiklive.ask("/region-list/")
    assert (status, told(headers)) == (200, ("1", None))


async def test_too_fast_is_429_with_the_seconds_to_wait(open_tiklive: Open) -> None:
    """Counted by key; refused ones do not count, and cost nothing."""
    tiklive = await open_tiklive(tiklive_per_minute=3)
    other = (await tiklive.keys.desk.create("other")).text
    outcomes = [await tiklive.ask("/region-list/") for _ in range(5)]
    assert [status for status, _, _ in outcomes] == [200, 200, 200, 429, 429]
    _, body, headers = outcomes[-1]
    assert body == {"message": "Too many requests"}
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert await tiklive.left() == 97
    assert (await tiklive.ask("/region-list/", key=other))[0] == 200


async def test_the_limits_of_other_apis_are_not_asked(open_tiklive: Open) -> None:
    """A key that is used up elsewhere has its credits still."""
    tiklive = await open_tiklive()
    await tiklive.keys.desk.limit(tiklive.key[4:14], {"hourly": 1})
    await tiklive.keys.admit(tiklive.key)
    assert (await tiklive.ask("/region-list/"))[0] == 200


@pytest.mark.parametrize("status", [401, 200])
async def test_no_key_and_a_wrong_one(open_tiklive: Open, status: int) -> None:
    """401 unless the operator wants it as the published service has it: 200, with the very same body."""
    tiklive = await open_tiklive(tiklive_auth_status=status)
    no_key, wrong = "Please sign up to tikliveapi.com", "Api-Key is not available"
    for key, message in (("", no_key), ("   ", no_key), ("nonsense", wrong), ("clp_0000000000", wrong)):
        found, body, headers = await tiklive.ask("/post-detail/", key=key, params={"url": "x"})
        assert (found, body) == (status, {"message": message})
        assert ("WWW-Authenticate" in headers) == (status == 401)
        assert told(headers) == (None, None)


async def test_a_key_that_rests_and_an_owner_who_is_banned(tiklive: Any) -> None:
    await tiklive.keys.desk.disable(tiklive.key[4:14])
    assert (await tiklive.ask("/region-list/"))[:2] == (403, {"message": "API key disabled"})
    await tiklive.keys.desk.ban("tester")
    assert (await tiklive.ask("/region-list/"))[:2] == (403, {"message": "Account banned"})
    await tiklive.keys.desk.unban("tester")
    await tiklive.keys.desk.revoke(tiklive.key[4:14])
    assert (await tiklive.ask("/region-list/"))[:2] == (401, {"message": "Api-Key is not available"})


async def test_64_clients_spend_what_there_is_and_no_more(tiklive: Any) -> None:
    """All at once at one key with 150: so many good answers, the rest 402; no hold is left behind."""
    await tiklive.keys.desk.set_credits(tiklive.key[4:14], 150)
    outcomes: Counter[int] = Counter()
    left: list[int] = []

    async def client() -> None:
        for _ in range(4):
            status, _, headers = await tiklive.ask("/region-list/")
            outcomes[status] += 1
            if status == 200:
                left.append(int(headers["X-Credits-Remaining"]))

    await asyncio.gather(*(client() for _ in range(64)))
    assert set(outcomes) <= {200, 402, 429}
    assert outcomes[200] == 150
    assert await tiklive.left() == 0
    assert min(left) == 0
    async with tiklive.database.begin() as connection:
        states = Counter(await connection.scalars(text("SELECT state FROM credit_uses")))
    assert states == Counter(charged=150)


async def test_a_client_that_leaves_is_settled_all_the_same(tiklive: Any) -> None:
    """Nothing stays held: the work is done, and paid."""
    tiklive.world.delay["page"] = 0.3
    asking = asyncio.create_task(tiklive.ask("/post-detail/", params={"url": tiklive.world.post("video").url}))
    async with asyncio.timeout(10):
        while not await _held(tiklive):
            await asyncio.sleep(0.01)
        asking.cancel()
        while await _held(tiklive):
            await asyncio.sleep(0.05)
    assert await tiklive.left() == 99


async def _held(tiklive: Any) -> int:
    async with tiklive.database.begin() as connection:
        query = text("SELECT count(*) FROM credit_uses WHERE state = 'held'")
        return int(await connection.scalar(query) or 0)


async def test_while_it_starts_it_says_so(open_tiklive: Open) -> None:
    """The database comes up after the server: 503, with when to ask again."""
    tiklive = await open_tiklive(starting=True)
    status, body, headers = await tiklive.ask("/region-list/")
    assert (status, body) == (503, {"message": "Starting up, try again in a moment"})
    assert headers["Retry-After"] == "2"


async def test_without_its_database_it_says_so(open_tiklive: Open) -> None:
    """Nobody can be judged, nothing is charged, and the database's own words are not told."""
    tiklive = await open_tiklive()
    tiklive.keys.credits._patience = 0.0
    await tiklive.database.lines.close()
    tiklive.database.lines._url = "postgresql://nobody@127.0.0.1:1/none"
    status, body, _ = await tiklive.ask("/region-list/")
    assert (status, body) == (503, {"message": "The database cannot be reached"})


async def test_a_body_without_end_is_refused(tiklive: Any) -> None:
    """64 KB are enough for anybody."""
    status, body, headers = await tiklive.ask("/post-detail/", "POST", data=b'{"url": "' + b"x" * 200_000 + b'"}')
    assert (status, body) == (400, {"message": "Request body too large"})
    assert told(headers) == ("0", "100")

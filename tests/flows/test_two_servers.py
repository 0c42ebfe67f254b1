"""Two `clipstead serve` on one Postgres that is not theirs, from an empty database on; it goes away and comes back."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from clipstead.db import Database
from clipstead.db.line import connect
from clipstead.practice import World
from clipstead.server.key_desk import KeyDesk

COMMAND = Path(sys.executable).with_name("clipstead")


async def _execute(url: str, *statements: str) -> None:
    connection = await connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def shared(environment: dict[str, str], postgres: str) -> AsyncIterator[dict[str, str]]:
    """What both servers see: the same secret, and a database with nothing in it."""
    beside = postgres.replace("/clipstead?", "/postgres?")
    await _execute(beside, "CREATE DATABASE shared")
    url = postgres.replace("/clipstead?", "/shared?")
    yield {
        **environment,
        "CLIPSTEAD_DATABASE_URL": url,
        "CLIPSTEAD_SECRET": "s" * 32,
        "CLIPSTEAD_WORKERS": "0",
        "CLIPSTEAD_CLIPX_PER_MINUTE": "0",
    }
    await _execute(beside, "DROP DATABASE shared WITH (FORCE)")


@asynccontextmanager
async def serving(environment: Mapping[str, str], said: list[str]) -> AsyncIterator[aiohttp.ClientSession]:
    """`clipstead serve`: a client of it; at the end `said` holds its lines."""
    child = await asyncio.create_subprocess_exec(
        COMMAND, "serve", env=dict(environment), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        assert child.stdout
        base = re.search(r"http://127\.0\.0\.1:\d+", (await child.stdout.readline()).decode())
        assert base
        async with aiohttp.ClientSession(base[0]) as session:
            yield session
    finally:
        child.terminate()
        out, _ = await asyncio.wait_for(child.communicate(), 30)
        said += out.decode().splitlines()
    assert child.returncode == 0


async def until(session: aiohttp.ClientSession, status: int) -> str:
    """What /readyz says as soon as it has this status."""
    async with asyncio.timeout(60):
        while True:
            async with session.get("/readyz") as reply:
                if reply.status == status:
                    return str((await reply.json())["status"])
            await asyncio.sleep(0.05)


async def test_two_at_once_and_a_database_that_goes_away(shared: dict[str, str], postgres: str, world: World) -> None:
    """One upgrades, one tells the first key, both hold one limit; what needs no database is answered without one."""
    url, link = shared["CLIPSTEAD_DATABASE_URL"], world.post("video").url
    beside = postgres.replace("/clipstead?", "/postgres?")
    said: list[str] = []
    async with serving(shared, said) as one, serving(shared, said) as another:
        assert {await until(one, 200), await until(another, 200)} == {"ready"}
        async with Database.open(url) as database:
            key = (await KeyDesk(database).create("somebody", hourly=20)).text

        async def ask(session: aiohttp.ClientSession) -> int:
            async with session.post("/api/video/info", json={"url": link}, headers={"X-Api-Key": key}) as reply:
                assert (await reply.json()).keys() >= ({"success"} if reply.status == 200 else {"error"})
                return reply.status

        told = await asyncio.gather(*(ask(session) for session in (one, another) for _ in range(32)))
        assert Counter(told) == {200: 20, 429: 44}
        await _execute(
            beside,
            "ALTER DATABASE shared ALLOW_CONNECTIONS false",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shared'",
        )
        for session in (one, another):
            assert await until(session, 503) == "The database does not answer"
            async with session.get("/", params={"url": link}) as reply:
                assert reply.status == 200
        assert await ask(one) == 503
        await _execute(beside, "ALTER DATABASE shared ALLOW_CONNECTIONS true")
        for session in (one, another):
            assert await until(session, 200) == "ready"
            assert await ask(session) == 429
    assert sum("The first admin key" in line for line in said) == 1
    assert not any("Traceback" in line for line in said)

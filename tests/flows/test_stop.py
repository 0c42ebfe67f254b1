"""`clipstead serve` told to stop: streams of events end at once, downloads have their grace, and then it is over."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from clipstead.db import Database
from clipstead.practice import World
from clipstead.server.key_desk import KeyDesk

COMMAND = Path(sys.executable).with_name("clipstead")


@pytest.fixture
async def house(environment: dict[str, str], database_url: str) -> tuple[dict[str, str], str]:
    """The environment of a server on a database of its own without workers, and an admin's key."""
    given = {"CLIPSTEAD_DATABASE_URL": database_url, "CLIPSTEAD_SECRET": "s" * 32, "CLIPSTEAD_WORKERS": "0"}
    async with Database.open(database_url) as database:
        key = (await KeyDesk(database).create("somebody", admin=True)).text
    return {**environment, **given}, key


@asynccontextmanager
async def serving(environment: Mapping[str, str]) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`clipstead serve`, listening, and its address."""
    child = await asyncio.create_subprocess_exec(
        COMMAND, "serve", env=dict(environment), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout
        base = re.search(r"http://127\.0\.0\.1:\d+", (await child.stdout.readline()).decode())
        assert base
        yield child, base[0]
    finally:
        if child.returncode is None:
            child.terminate()
        await asyncio.wait_for(child.communicate(), 30)


async def ready(session: aiohttp.ClientSession) -> None:
    """Until jobs can be taken."""
    async with asyncio.timeout(60):
        while (await session.get("/readyz")).status != 200:
            await asyncio.sleep(0.05)


async def stopping(base: str) -> None:
    """Until nobody new is let in."""
    async with asyncio.timeout(30), aiohttp.ClientSession(base) as fresh:
        with pytest.raises(aiohttp.ClientConnectionError):
            while True:
                async with fresh.get("/healthz", headers={"connection": "close"}):
                    await asyncio.sleep(0.05)


async def test_streams_of_events_end_at_once_and_a_download_goes_on(
    house: tuple[dict[str, str], str], world: World
) -> None:
    """Each stream comes to its proper end while a tunnel is still being read, which then gets its last byte."""
    environment, key = house
    link = world.post("video").url
    async with (
        serving(environment) as (child, base),
        aiohttp.ClientSession(base, headers={"X-Api-Key": key}) as session,
    ):
        await ready(session)
        async with session.post("/api/video/download", json={"url": link}) as reply:
            job = (await reply.json())["jobId"]
        async with session.get("/", params={"url": link}) as reply:
            video = (await reply.json())["data"]["video"]
        world.bytes_per_second = 10_000
        async with (
            session.get(f"/api/jobs/{job}") as progress,
            session.get("/api/archive/status/stream") as status,
            session.get(video["hd_mp4"]) as tunnel,
        ):
            first = await progress.content.readuntil(b"\n\n")
            assert b"data: " in first
            assert b"data: " in await status.content.readuntil(b"\n\n")
            begun = await tunnel.content.readany()
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                await progress.content.read()  # aiohttp raises where a stream breaks off
                await status.content.read()
            assert not tunnel.content.at_eof()
            world.bytes_per_second = 0
            assert len(begun) + len(await tunnel.content.read()) == video["hd_mp4_size"]
        _, err = await asyncio.wait_for(child.communicate(), 30)
    assert child.returncode == 0, err
    assert b"Traceback" not in err


@pytest.mark.parametrize("how", ["the grace is over", "Ctrl-C a second time"])
async def test_what_cannot_be_waited_for_is_broken_off_in_one_line(
    house: tuple[dict[str, str], str], world: World, how: str
) -> None:
    """Readers see that their file is not whole, who has no answer yet is told to come again, the log has one line."""
    grace = "1" if how == "the grace is over" else "3600"
    environment = {**house[0], "CLIPSTEAD_STOP_SECONDS": grace, "CLIPSTEAD_PAGE_SECONDS": "100"}
    async with serving(environment) as (child, base), aiohttp.ClientSession(base) as session:
        async with session.get("/", params={"url": world.post("video").url}) as reply:
            address = (await reply.json())["data"]["video"]["hd_mp4"]
        slow = world.post("video", 1)
        world.fault(slow.id, "slow=600")
        world.bytes_per_second = 1000
        lookup = asyncio.create_task(session.get("/", params={"url": slow.url}))
        async with session.get(address) as one, session.get(address) as another:
            for tunnel in (one, another):
                await tunnel.content.readany()
            async with asyncio.timeout(30):
                while not world.asked(slow.id):
                    await asyncio.sleep(0.01)
            child.send_signal(signal.SIGINT)
            await stopping(base)
            if grace == "3600":
                child.send_signal(signal.SIGINT)
            for tunnel in (one, another):
                with pytest.raises(aiohttp.ClientPayloadError):
                    await tunnel.content.read()
        async with await lookup as reply:
            assert (reply.status, (await reply.json())["success"]) == (503, False)
        _, err = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 0, err
    assert b"Traceback" not in err
    told = [line for line in err.decode().splitlines() if "[info " not in line]
    assert len(told) == 1, told
    assert told[0].endswith("answers broken off, since the server had to stop: 3")

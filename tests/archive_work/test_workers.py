"""Processes that work: the archive's own, and the worker of a server, which does this besides its jobs."""

import asyncio
import signal

import pytest

from .conftest import PATIENCE, House, Start

ALONE, BESIDES = ("archive", "run", "--one"), ("worker",)


async def captured(house: House, many: int, child: asyncio.subprocess.Process) -> None:
    """Until so many posts are in the catalog."""
    async with asyncio.timeout(PATIENCE):
        while (await house.rows("SELECT count(*) AS many FROM posts"))[0]["many"] < many:
            assert child.returncode is None
            await asyncio.sleep(0.05)


async def downloading(house: House, child: asyncio.subprocess.Process) -> None:
    """Until it is in the middle of a download."""
    async with asyncio.timeout(PATIENCE):
        while not house.world.requests["cdn:video"]:
            assert child.returncode is None
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("arguments", [ALONE, BESIDES], ids=["alone", "besides"])
async def test_a_worker_captures_what_waits_and_leaves_when_told(
    house: House, start: Start, arguments: tuple[str, ...]
) -> None:
    posts = house.world.posts[-6:]
    await house.add(*posts)
    child = await start(*arguments)
    await captured(house, len(posts), child)
    child.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(child.wait(), PATIENCE) == 0
    assert await house.agrees() == sorted(post.id for post in posts)


async def test_a_worker_that_leaves_gives_back_what_it_has_not_finished(house: House, start: Start) -> None:
    """Uncounted, and with nothing left behind; another worker has it at once."""
    post = house.world.post("video")
    house.world.delay["cdn:video"] = 3600
    await house.add(post)
    child = await start(*ALONE)
    await downloading(house, child)
    child.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(child.wait(), PATIENCE) == 0
    assert (await house.states())[post.id] == ("pending", "", 0)
    assert house.hidden() == []
    house.world.delay.clear()
    await house.work()
    assert await house.agrees() == [post.id]


async def test_a_killed_worker_loses_nothing_and_costs_no_call(house: House, start: Start) -> None:
    """The answer that it got is there for the attempt that follows."""
    post = house.world.post("video")
    house.world.delay["cdn:video"] = 3600
    await house.add(post)
    child = await start(*ALONE)
    await downloading(house, child)
    child.kill()
    await child.wait()
    house.world.delay.clear()
    await house.rows("DELETE FROM pgqueuer RETURNING id")  # its lease is over at once: nobody need wait for it here
    await house.rows("UPDATE archive_queue SET alive_until = now() - interval '1 second' RETURNING aweme_id")
    await house.work()
    assert await house.agrees() == [post.id]
    assert house.world.asked(post.id) == 1

"""A post erased while it is captured: who comes second removes what is there, the sweep what a killed one left."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from clipstead.archive.store import Parcel, Store
from clipstead.archive.verify import verify
from clipstead.errors import StorageError
from clipstead.practice import World
from clipstead.practice.catalog import PracticePost
from clipstead.settings import Settings

from .conftest import PATIENCE, House, Start, opened


class Waiting:
    """A store that answers late: it waits before or after a put, or fails it, once somebody says so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.late = "before"
        self.fails = self.answered = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    @asynccontextmanager
    async def _slowly(self) -> AsyncIterator[None]:
        if self.late == "before":
            await self._wait()
        yield
        if self.late == "after":
            await self._wait()
        self.answered = True
        if self.fails:
            raise StorageError("the disk is gone")

    async def _wait(self) -> None:
        self.asked.set()
        await self.go_on.wait()


class OneByOne(Waiting):
    """As S3 is: files first, then the sidecar."""

    async def put_bytes(self, key: str, data: bytes, content_type: str) -> object:
        if key.startswith("tombstones/"):
            return await self._store.put_bytes(key, data, content_type)
        async with self._slowly():
            return await self._store.put_bytes(key, data, content_type)


class AllAtOnce(Waiting):
    """As a folder is."""

    async def put_all(self, parcels: Sequence[Parcel], marker: str, data: bytes) -> None:
        async with self._slowly():
            await self._store.put_all(parcels, marker, data)  # type: ignore[attr-defined]


class _NoPutAll(OneByOne):
    def __getattr__(self, name: str) -> object:
        if name == "put_all":
            raise AttributeError(name)
        return super().__getattr__(name)


@pytest.fixture(params=[AllAtOnce, _NoPutAll], ids=["all at once", "one by one"])
async def slow(
    settings: Settings, world: World, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[House, Waiting]]:
    """An archive whose store waits."""
    stores: list[Waiting] = []

    def through(store: Store) -> Store:
        stores.append(request.param(store))
        return stores[0]  # type: ignore[return-value]

    async with opened(settings, world, through) as house:
        yield house, stores[0]


def stone(post: PracticePost) -> list[str]:
    return [f"tombstones/{post.id}.json"]


async def faults(house: House) -> list[object]:
    return [finding async for finding in verify(house.archive.database, house.shelves.store)]


@pytest.mark.parametrize("late", ["before", "after"])
async def test_whoever_loses_removes_what_is_there(slow: tuple[House, Waiting], late: str) -> None:
    """The erasure comes as the last step begins, or as it has just been done."""
    house, store = slow
    store.late, post = late, house.world.post("video")
    await house.add(post)
    work = asyncio.create_task(house.work(until=lambda: store.answered and sorted(house.objects()) == stone(post)))
    await asyncio.wait_for(store.asked.wait(), PATIENCE)
    await house.shelves.eraser.posts([post.id])
    assert await faults(house) == []
    store.go_on.set()
    await work
    assert sorted(house.objects()) == stone(post)
    assert await house.states() == {}
    assert await faults(house) == []


async def test_an_attempt_that_fails_after_its_post_was_erased_takes_its_files_back(
    slow: tuple[House, Waiting],
) -> None:
    house, store = slow
    post, store.fails = house.world.post("video"), True
    await house.add(post)
    work = asyncio.create_task(house.work(until=lambda: store.answered and sorted(house.objects()) == stone(post)))
    await asyncio.wait_for(store.asked.wait(), PATIENCE)
    await house.shelves.eraser.posts([post.id])
    store.go_on.set()
    await work
    assert sorted(house.objects()) == stone(post)


async def test_what_a_killed_attempt_had_put_after_the_erasure_is_swept(slow: tuple[House, Waiting]) -> None:
    """Verify takes it for work under way until nobody can be at it; then it goes, with a line in the audit."""
    house, store = slow
    post = house.world.post("video")
    await house.add(post)
    claim = await house.claim(post)
    attempt = asyncio.create_task(house.archive.pipeline.archive(claim))
    await asyncio.wait_for(store.asked.wait(), PATIENCE)
    await house.shelves.eraser.posts([post.id])
    store.go_on.set()
    await attempt  # and here it is killed
    left = len(house.objects()) - 1
    assert left > 0
    assert await faults(house) == []
    assert (await house.shelves.janitor.sweep()).leftovers == 0
    await house.rows("UPDATE tombstones SET settles_at = now() RETURNING id")
    assert (await house.shelves.janitor.sweep()).leftovers == left
    assert sorted(house.objects()) == stone(post)
    assert (await house.shelves.janitor.sweep()).leftovers == 0
    deeds = await house.rows("SELECT subject, actor, bytes FROM archive_audit WHERE action = 'erase' ORDER BY id")
    assert [(deed["subject"], deed["actor"]) for deed in deeds] == [(post.id, ""), (post.id, "sweep")]
    assert deeds[1]["bytes"] > 0
    assert await house.rows("SELECT id FROM tombstones WHERE storage_key IS NOT NULL") == []
    assert await faults(house) == []


async def test_a_worker_whose_post_is_erased_meanwhile_leaves_nothing(house: House, start: Start) -> None:
    """A process of its own, in the middle of a download."""
    post = house.world.post("video")
    house.world.delay["cdn:video"] = 1.5
    await house.add(post)
    child = await start("archive", "run", "--workers", "1")
    async with asyncio.timeout(PATIENCE):
        while not await house.rows("SELECT aweme_id FROM archive_queue WHERE storage_key IS NOT NULL"):
            await asyncio.sleep(0.02)
    await house.shelves.eraser.posts([post.id])
    assert await asyncio.wait_for(child.wait(), PATIENCE) == 0
    assert sorted(house.objects()) == stone(post)
    assert await faults(house) == []

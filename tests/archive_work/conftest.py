"""An archive that works beside a practice world, on a database and a folder of each test's own."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from clipstead.app import open_app
from clipstead.archive import sidecar
from clipstead.archive.layout import sidecar_key
from clipstead.archive.ledger import Claim, Entry
from clipstead.archive.parts import Archive
from clipstead.archive.record import Record
from clipstead.archive.source_row import SourceRow
from clipstead.archive.store import Store, open_store
from clipstead.archive.waiting import waiting
from clipstead.cli.archive_shelves import Shelves, shelves_of
from clipstead.cli.archive_shop import archive_of, lean
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.practice import World
from clipstead.practice.catalog import PracticePost
from clipstead.resolve.sources import parse_source
from clipstead.settings import Settings, load
from clipstead.tasks.archive import ArchiveWork, Terms

PATIENCE = 60.0

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@dataclass(repr=False)
class House:
    """Everything at hand: the archive, the world that it looks into, and its store's folder."""

    archive: Archive
    shelves: Shelves
    world: World
    folder: Path
    terms: Terms = field(default_factory=lambda: Terms(sweep=2, first_pause=0.2))

    async def add(self, *posts: PracticePost, source: str = "") -> None:
        """Want these posts."""
        await self.archive.ledger.add([Entry(post.id, post.url) for post in posts], source)

    async def source(self, text: str, **limits: Any) -> SourceRow:
        """Have a source listed."""
        return await self.archive.sources.add(parse_source(text), **limits)

    async def claim(self, post: PracticePost) -> Claim:
        """Begin an attempt, as a worker does."""
        claim = await self.archive.ledger.begin(post.id)
        assert claim
        return claim

    async def work(self, until: Callable[[], Any] | None = None) -> None:
        """Work until nothing waits any more, or until `until()` is (or comes to) true."""
        stop = asyncio.Event()
        engine = self.archive.engine

        async def watch() -> None:
            while not stop.is_set():
                done = until() if until else not await waiting(self.archive.database)
                if await done if asyncio.iscoroutine(done) else done:
                    stop.set()
                await asyncio.sleep(0.05)

        async with asyncio.timeout(PATIENCE), ArchiveWork(self.archive, self.terms).under_way():
            watcher = asyncio.create_task(watch())
            try:
                await engine.run(stop)
            finally:
                watcher.cancel()

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        async with self.archive.database.each() as connection:
            return [dict(row) for row in (await connection.execute(text(query), values)).mappings()]

    async def states(self) -> dict[str, tuple[str, str, int]]:
        """State, reason and attempts of every wanted post."""
        rows = await self.rows("SELECT aweme_id, state, reason, attempts FROM archive_queue")
        return {row["aweme_id"]: (row["state"], row["reason"], row["attempts"]) for row in rows}

    async def record(self, post: PracticePost) -> Record:
        """What the store's sidecar says of a captured post."""
        (row,) = await self.rows("SELECT storage_key FROM posts WHERE aweme_id = :id", id=post.id)
        return sidecar.parse((self.folder / sidecar_key(row["storage_key"])).read_bytes())

    def objects(self) -> dict[str, bytes]:
        """Every object in the store by its key."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        found = {path.relative_to(self.folder).as_posix(): path for path in files}
        return {key: path.read_bytes() for key, path in found.items() if not key.startswith(".")}

    def hidden(self) -> list[str]:
        """What attempts have left behind."""
        folder = self.folder / ".staging"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    async def agrees(self) -> list[str]:
        """Where rows, objects and sidecars differ; the ids of all captured posts if they do not."""
        objects, named = self.objects(), {}
        for row in await self.rows("SELECT * FROM post_files"):
            named[row["key"]] = row["sha256"]
        posts = await self.rows("SELECT aweme_id, storage_key FROM posts")
        sidecars = {sidecar_key(row["storage_key"]) for row in posts}
        assert objects.keys() == named.keys() | sidecars
        assert {key: hashlib.sha256(objects[key]).hexdigest() for key in named} == named
        return sorted(row["aweme_id"] for row in posts)


@pytest.fixture
def settings(world: World, tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> Settings:
    """Into the world and nowhere else; a test may change some by parametrising this."""
    usual = {
        "data_dir": tmp_path / "data",
        "database_url": database_url,
        "connect_to": tuple(world.connect_to),
        "ca_file": str(world.ca_file),
        "archive_api_per_minute": 0.0,
        "tikwm_per_second": 0.0,
        "providers": ("tiktok_web",),
        "stall_seconds": 2.0,
    }
    return load(**{**usual, **getattr(request, "param", {})})


@pytest.fixture
async def house(settings: Settings, world: World) -> AsyncIterator[House]:
    """An archive with a local store."""
    async with opened(settings, world) as house:
        yield house


@asynccontextmanager
async def opened(
    settings: Settings, world: World, through: Callable[[Store], Store] = lambda store: store
) -> AsyncIterator[House]:
    """An archive with a local store, or with what `through` puts before it."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(open_app(lean(settings)))
        database = await stack.enter_async_context(Database.open(settings.database_url))
        folder = settings.data_dir / "archive"
        store = open_store(settings.archive_store or str(folder), settings.data_dir / "staging")
        await store.probe()
        shelves = shelves_of(settings, database, Engine(database, look=0.5), through(store))
        yield House(archive_of(app, shelves), shelves, world, folder)


@pytest.fixture
async def start(house: House, settings: Settings) -> AsyncIterator[Start]:
    """Starts a `clipstead` process on the house's database and store."""
    children: list[asyncio.subprocess.Process] = []
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CLIPSTEAD_")},
        **house.world.environment,
        "CLIPSTEAD_DATA_DIR": str(settings.data_dir),
        "CLIPSTEAD_DATABASE_URL": settings.database_url,
        "CLIPSTEAD_SECRET": "only-for-these-tests",
        "CLIPSTEAD_ARCHIVE_API_PER_MINUTE": "0",
        "CLIPSTEAD_ARCHIVE_API_CONCURRENT": str(settings.archive_api_concurrent),
        "CLIPSTEAD_PROVIDERS": "tiktok_web",
        "CLIPSTEAD_LOG_LEVEL": "error",
    }

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-c", "from clipstead.cli import main; main()", *arguments)
        child = await asyncio.create_subprocess_exec(*command, env=environment, start_new_session=True)
        children.append(child)
        return child

    yield start
    for child in children:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database of this test's own."""
    async with Database.open(database_url) as database:
        yield database

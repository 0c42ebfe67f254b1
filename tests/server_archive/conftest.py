"""The archive behind a real server: a practice world, a database, a store in a folder, a worker when one is wanted."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web
from sqlalchemy import text

from clipstead.app import open_app, webhook_guard
from clipstead.archive.parts import Archive
from clipstead.archive.store import open_store
from clipstead.archive.waiting import waiting
from clipstead.cli.archive_shelves import shelves_of
from clipstead.cli.archive_shop import archive_of, lean
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.jobs import Jobs
from clipstead.jobs.receipts import Receipts
from clipstead.jobs.workspace import Workspace
from clipstead.media import ffmpeg
from clipstead.media.sandbox import Sandbox
from clipstead.practice import World
from clipstead.resolve.tiktok.short import expand
from clipstead.server import BoundedProtocol, ServerOptions, create
from clipstead.server.archive_room import archive_room
from clipstead.server.keys import Keys
from clipstead.server.workroom import Workroom
from clipstead.settings import Settings, load
from clipstead.tasks.archive import ArchiveWork, Terms
from clipstead.tasks.webhooks import Deliveries
from clipstead.tools.workbench import Workbench

PATIENCE = 60.0
SECRETS = (b"s" * 32, b"t" * 32)


@dataclass
class Receiver:
    """Somebody's server, which hears messages and takes them all."""

    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """204."""
        self.heard.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One on loopback."""
    stage = Receiver()
    runner = web.ServerRunner(web.Server(stage.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield stage
    await runner.cleanup()


@dataclass(repr=False)
class House:
    """Everything at hand; `key` is a user's, `admin` an administrator's."""

    base: str
    key: str
    admin: str
    archive: Archive
    world: World
    folder: Path
    session: aiohttp.ClientSession
    receiver: Receiver
    deliveries: Deliveries

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any
    ) -> tuple[int, Any]:
        """Status and answer; as the admin unless told otherwise, without a key where that is ""."""
        key = self.admin if key is None else key
        headers = {"X-Api-Key": key} if key else {}
        data = {"data": body} if isinstance(body, bytes | io.BytesIO) else {"json": body} if body is not None else {}
        address = f"{self.base}/api/archive{path}"
        async with self.session.request(method, address, headers=headers, params=query, **data) as answer:
            return answer.status, await answer.json()

    async def data(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The `data` of a good answer."""
        status, told = await self.ask(method, path, body, **query)
        assert status == 200 and told["success"] is True and list(told) == ["success", "data"], told
        return told["data"]

    def fetch(self, path: str, method: str = "GET", **headers: str) -> Any:
        """A file's answer, to be entered; `path` from the origin on."""
        return self.session.request(method, self.base + path, headers={"X-Api-Key": self.key, **headers})

    async def work(self) -> None:
        """Find and capture until nothing waits any more."""
        stop, engine = asyncio.Event(), self.archive.engine

        async def watch() -> None:
            while await waiting(self.archive.database):
                await asyncio.sleep(0.05)
            stop.set()

        terms = Terms(sweep=2, first_pause=0.2)
        async with asyncio.timeout(PATIENCE), ArchiveWork(self.archive, terms).under_way():
            watcher = asyncio.create_task(watch())
            await engine.run(stop)
            await watcher

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        async with self.archive.database.begin() as connection:
            result = await connection.execute(text(query), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []


@pytest.fixture
def settings(world: World, tmp_path: Path, database_url: str, receiver: Receiver) -> Settings:
    """Into the world, and to the receiver."""
    return load(
        data_dir=tmp_path / "data",
        database_url=database_url,
        connect_to=tuple(world.connect_to),
        ca_file=str(world.ca_file),
        archive_api_per_minute=0.0,
        tikwm_per_second=0.0,
        providers=("tiktok_web",),
        webhook_targets=(receiver.url.split("/")[2],),
    )


@pytest.fixture
def video_bytes() -> int:
    """Small ones."""
    return 20_000


@pytest.fixture
async def house(
    settings: Settings, world: World, database_url: str, tmp_path: Path, receiver: Receiver
) -> AsyncIterator[House]:
    """Up for one test."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(open_app(lean(settings)))
        database = await stack.enter_async_context(Database.open(database_url))
        engine = Engine(database, look=0.5)
        folder = settings.data_dir / "archive"
        store = open_store(str(folder), settings.data_dir / "staging")
        await store.probe()
        archive = archive_of(app, shelves_of(settings, database, engine, store))

        async def opened() -> Any:
            return store

        jobs = Jobs(database, engine)
        stack.push_async_callback(jobs.close)
        sandbox = Sandbox()
        stack.push_async_callback(sandbox.close)
        keys = Keys(database)
        room = Workroom(
            jobs,
            Workspace(database, tmp_path / "files", quota_bytes=1 << 30, free_floor_bytes=0),
            Receipts(database),
            keys,
            Workbench(ffmpeg.find(), sandbox),
            archive=archive_room(database, engine, opened, partial(expand, net=app.net)),
        )
        guard = webhook_guard(settings)
        options = ServerOptions(secret=SECRETS)
        served = create(app.resolver, app.fetcher, options, workroom=lambda: room, webhook_guard=guard)
        base = await stack.enter_async_context(_Serving(served))
        user = (await keys.desk.create("user")).text
        admin = (await keys.desk.create("boss", admin=True)).text
        session = await stack.enter_async_context(aiohttp.ClientSession())
        deliveries = Deliveries(database, app.webhooks, SECRETS)
        yield House(base, user, admin, archive, world, folder, session, receiver, deliveries)


class _Serving:
    """A server as long as it is entered; gives its address."""

    def __init__(self, app: Callable[..., Any]) -> None:
        config = uvicorn.Config(
            app, "127.0.0.1", 0, http=BoundedProtocol, ws="none", lifespan="off", access_log=False, log_config=None,
            proxy_headers=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)

    async def __aenter__(self) -> str:
        self._task = asyncio.create_task(self._server._serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._task

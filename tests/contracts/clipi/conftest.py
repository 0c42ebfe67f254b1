"""A whole Clipstead for Clipi's clients: practice world, database, worker and server, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import sseclient
import uvicorn
from sqlalchemy import text

from clipstead.app import open_app
from clipstead.db import Database
from clipstead.db.line import connect
from clipstead.engine import Engine
from clipstead.jobs import Jobs
from clipstead.jobs.receipts import Receipts
from clipstead.jobs.workspace import Workspace
from clipstead.media import ffmpeg
from clipstead.media.inspect import inspect
from clipstead.media.inspection import Inspection
from clipstead.media.sandbox import Sandbox
from clipstead.practice import World
from clipstead.server import BoundedProtocol, ServerOptions, create
from clipstead.server.keys import Keys
from clipstead.server.workroom import Workroom
from clipstead.settings import load
from clipstead.tasks import Kit, sweeps, tasks
from clipstead.tools.workbench import Workbench
from clipstead.worker import Worker

from .elsewhere import ELSEWHERE, elsewhere, make_media

MAX_UPLOAD = 8 * 1024 * 1024


@dataclass
class House:
    """The running house, as its clients and the test see it."""

    folder: Path
    media: Path  # files to upload, and to find elsewhere
    base: str = ""
    key: str = ""
    admin_key: str = ""
    world: World = None  # type: ignore[assignment]  # there once it is open
    keys: Keys = None  # type: ignore[assignment]  # likewise
    database: Database = None  # type: ignore[assignment]  # likewise
    sandbox: Sandbox = None  # type: ignore[assignment]  # likewise
    workspace: Workspace = None  # type: ignore[assignment]  # likewise
    jobs: Jobs = None  # type: ignore[assignment]  # likewise
    environment: dict[str, str] = field(default_factory=dict)  # for a command that sees the same world
    asked: list[str] = field(default_factory=list)  # files that were fetched elsewhere
    faults: dict[str, list[int]] = field(default_factory=dict)  # statuses that they answer with first, by name
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def run(self, work: Callable[[], Any]) -> Any:
        """Await `work()` where the house lives."""
        done: Future[Any] = asyncio.run_coroutine_threadsafe(_called(work), self.loop)
        return done.result(30)

    def new_key(self, *, admin: bool = False, **limits: int | None) -> str:
        """A key of somebody's."""
        new = self.run(lambda: self.keys.desk.create("tester", admin=admin, **limits))
        text: str = new.text
        return text

    @property
    def headers(self) -> dict[str, str]:
        """What opens the POSTs."""
        return {"X-Api-Key": self.key}

    def post(self, path: str, **how: Any) -> requests.Response:
        """POST with the key, unless told otherwise."""
        return requests.post(f"{self.base}{path}", headers=how.pop("headers", self.headers), timeout=30, **how)

    def files(self) -> set[str]:
        """Everything the workspace has on its disk."""
        return {path.name for path in (self.folder / "files").rglob("*") if path.is_file()}

    def forget(self) -> None:
        """Delete every finished file, before its time."""

        async def expire() -> None:
            async with self.database.each() as connection:
                await connection.execute(text("UPDATE files SET expires_at = now() - interval '1 hour' WHERE NOT open"))
            await self.workspace.sweep()

        self.run(expire)

    def watch(self, path: str) -> list[dict[str, Any]]:
        """Every event of a job, until its stream ends."""
        answer: Any
        with requests.get(f"{self.base}{path}", stream=True, timeout=60) as answer:
            answer.raise_for_status()
            return [json.loads(event.data) for event in sseclient.SSEClient(answer).events()]

    def download(self, **body: Any) -> tuple[dict[str, Any], requests.Response]:
        """A download job from its beginning to its end: the last event, and the file's answer."""
        ids = self.post("/video/download", json=body).json()
        last = self.watch(f"/jobs/{ids['jobId']}")[-1]
        return last, requests.get(f"{self.base}/download/{ids['downloadId']}", timeout=30)

    def tool(self, name: str, file: str | Path, **params: Any) -> tuple[dict[str, Any], requests.Response]:
        """A tool job likewise."""
        with (self.media / file).open("rb") as opened:
            answer = self.post(f"/tools/{name}", files={"file": opened}, data=params)
        answer.raise_for_status()
        ids = answer.json()
        last = self.watch(f"/tools/jobs/{ids['jobId']}")[-1]
        return last, requests.get(f"{self.base}/tools/download/{ids['toolJobId']}", timeout=30)

    def ffmpeg(self, *arguments: str | Path) -> bytes:
        """What ffmpeg writes to its standard output."""
        command = [ffmpeg.find().path, "-v", "error", *arguments]
        return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True).stdout

    def inspect(self, content: bytes, name: str) -> Inspection:
        """What a file that came down really is."""
        path = self.folder / name
        path.write_bytes(content)
        found: Inspection = self.run(lambda: inspect(self.sandbox, path))
        return found


async def _called(work: Callable[[], Any]) -> Any:
    found = work()
    return await found if asyncio.iscoroutine(found) else found


@pytest.fixture(scope="session")
def _media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_media(folder)
    return folder


@pytest.fixture(scope="module")
def house(_template: str, _media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Up for a file of tests, which keep apart by using posts and files of their own.

    Not for the whole run: its thread uses random numbers, which hypothesis elsewhere would take for a test's.
    """
    house = House(tmp_path_factory.mktemp("house"), _media)
    up, stop = threading.Event(), asyncio.Event()
    failed: list[BaseException] = []

    def live() -> None:
        asyncio.set_event_loop(house.loop)
        try:
            house.loop.run_until_complete(_live(house, _template, up, stop))
        except BaseException as error:  # noqa: BLE001  # told by whoever waits
            failed.append(error)
            up.set()

    thread = threading.Thread(target=live)
    thread.start()
    up.wait(60)
    if failed:
        raise failed[0]
    yield house
    house.loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    house.loop.close()
    if failed:
        raise failed[0]


async def _live(house: House, template: str, up: threading.Event, stop: asyncio.Event) -> None:
    name = f"house_{secrets.token_hex(4)}"
    url = template.replace("/clipstead?", f"/{name}?")
    await _sql(template.replace("/clipstead?", "/postgres?"), f"CREATE DATABASE {name} TEMPLATE clipstead")
    async with AsyncExitStack() as stack:
        house.world = await stack.enter_async_context(World(seed=3, posts=40, folder=house.folder / "ca"))
        port = await stack.enter_async_context(elsewhere(house))
        reached_by = (*house.world.connect_to, f"{ELSEWHERE}:443:127.0.0.1:{port}")
        settings = load(
            data_dir=house.folder / "data",
            ca_file=str(house.world.ca_file),
            connect_to=reached_by,
            ytdlp_generic=True,
        )
        house.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CLIPSTEAD_")},
            "CLIPSTEAD_DATA_DIR": str(settings.data_dir),
            "CLIPSTEAD_CA_FILE": settings.ca_file,
            "CLIPSTEAD_CONNECT_TO": ",".join(reached_by),
            "CLIPSTEAD_YTDLP_GENERIC": "1",
        }
        app = await stack.enter_async_context(open_app(settings))
        house.database = database = await stack.enter_async_context(Database.open(url))
        engine = Engine(database)
        house.jobs = jobs = Jobs(database, engine)
        stack.push_async_callback(jobs.close)
        house.workspace = workspace = Workspace(
            database, house.folder / "files", quota_bytes=1 << 30, free_floor_bytes=0
        )
        house.sandbox = sandbox = Sandbox()
        stack.push_async_callback(sandbox.close)
        bench = Workbench(ffmpeg.find(), sandbox)
        receipts = Receipts(database)
        kit = Kit(
            jobs, workspace, receipts, bench, app.resolver, app.capture, house.folder / "files" / "work",
            asyncio.Semaphore(1),
        )  # fmt: skip
        worker = Worker(jobs, engine, tasks(kit), {"video": 1, "light": 2, "download": 2}, sweeps=sweeps(kit))
        house.keys = Keys(database)
        room = Workroom(jobs, workspace, receipts, house.keys, bench)
        options = ServerOptions(secret=(b"s" * 32,), max_upload_bytes=MAX_UPLOAD)
        served = create(app.resolver, app.fetcher, options, workroom=lambda: room)
        config = uvicorn.Config(
            served, port=0, http=BoundedProtocol, ws="none", lifespan="off", access_log=False, log_config=None,
            proxy_headers=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not ours to take in a test
        working = asyncio.create_task(worker.run(stop, grace=1.0))
        serving = asyncio.create_task(_serve(server))
        while not server.started:
            await asyncio.sleep(0.01)
        house.base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api"
        house.key = (await house.keys.desk.create("user", admin=False, hourly=0, daily=0)).text
        house.admin_key = (await house.keys.desk.create("boss", admin=True, hourly=0, daily=0)).text
        up.set()
        await stop.wait()
        server.should_exit = True
        await asyncio.gather(working, serving)


async def _serve(server: uvicorn.Server) -> None:
    """As uvicorn does, but for its signal handlers."""
    await server._serve()


async def _sql(url: str, statement: str) -> None:
    connection = await connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()

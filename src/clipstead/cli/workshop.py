"""What stands on the database, put together for `serve` and `worker`: jobs, files, what tasks work with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from clipstead.app import App
from clipstead.cli.database import open_database
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.jobs import Jobs
from clipstead.jobs.receipts import Receipts
from clipstead.jobs.workspace import Workspace
from clipstead.media import ffmpeg
from clipstead.media.sandbox import Sandbox
from clipstead.settings import Settings
from clipstead.tasks import Kit
from clipstead.tools.workbench import Workbench
from clipstead.worker import default_lanes

_CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class Workshop:
    """The parts, on one database."""

    database: Database
    engine: Engine
    kit: Kit


@asynccontextmanager
async def open_workshop(app: App) -> AsyncIterator[Workshop]:
    """All parts, on the database that the settings name. Raises DatabaseUnavailable, StorageError, ToolFailed."""
    settings = app.settings
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings, connections=_CONNECTIONS))
        engine = Engine(database)
        jobs = Jobs(database, engine, kept=settings.result_seconds)
        stack.push_async_callback(jobs.close)
        sandbox = Sandbox()
        stack.push_async_callback(sandbox.close)
        await sandbox.warm("clipstead.media.inspect_child", "clipstead.media.images_child")
        bench = Workbench(await asyncio.to_thread(ffmpeg.find, settings.ffmpeg), sandbox)
        kit = Kit(
            jobs=jobs,
            workspace=_workspace(settings, database),
            receipts=Receipts(database, ttl=settings.result_seconds),
            bench=bench,
            resolver=app.resolver,
            capture=app.capture,
            unfinished=settings.data_dir / "files" / "unfinished",
            encodes=asyncio.Semaphore(default_lanes()["video"]),
        )
        yield Workshop(database, engine, kit)


def _workspace(settings: Settings, database: Database) -> Workspace:
    return Workspace(
        database,
        settings.data_dir / "files",
        quota_bytes=settings.disk_quota_bytes,
        free_floor_bytes=settings.disk_floor_bytes,
        ttl=settings.result_seconds,
    )

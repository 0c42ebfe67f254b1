"""Real workers on a real database."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.jobs import Job, Jobs
from clipstead.jobs.workspace import Workspace

CHILD = Path(__file__).with_name("worker_child.py")

StartWorker = Callable[..., Awaitable[asyncio.subprocess.Process]]
Submit = Callable[..., Awaitable[Job]]


@pytest.fixture
def engine(database: Database) -> Engine:
    """The engine as a server uses it, without hands."""
    return Engine(database)


@pytest.fixture
async def jobs(database: Database, engine: Engine) -> AsyncIterator[Jobs]:
    """The queue as a server uses it."""
    jobs = Jobs(database, engine)
    yield jobs
    await jobs.close()


@pytest.fixture
def submit(jobs: Jobs) -> Submit:
    """Queues a job for the tasks of worker_child.py."""

    async def submit(name: str, lane: str = "light", **params: Any) -> Job:
        return await jobs.submit("tool", name, params, key_id="key", lane=lane)

    return submit


@pytest.fixture
def workspace(database: Database, tmp_path: Path) -> Workspace:
    """A workspace with room."""
    return Workspace(database, tmp_path / "work", quota_bytes=100 * 1024**2, free_floor_bytes=0)


@pytest.fixture
async def start_worker(database_url: str, tmp_path: Path) -> AsyncIterator[StartWorker]:
    """Starts a worker process and waits until it works; `diary` is where its tasks write what they do."""
    children: list[asyncio.subprocess.Process] = []

    async def start(
        *, lease: float = 3.0, lanes: dict[str, int] | None = None, how: str = "work", url: str = database_url
    ) -> Any:
        settings = {
            "url": url,
            "lease": lease,
            "lanes": lanes or {"light": 4, "video": 1},
            "diary": str(tmp_path / "diary"),
            "how": how,
        }
        child = await asyncio.create_subprocess_exec(
            sys.executable, CHILD, json.dumps(settings), stdout=subprocess.PIPE, start_new_session=True
        )
        children.append(child)
        assert child.stdout
        async with asyncio.timeout(30):
            assert await child.stdout.readline() == b"working\n"
        return child

    yield start
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


@pytest.fixture
def diary(tmp_path: Path) -> Callable[[], list[str]]:
    """What the tasks have written so far, line by line."""

    def read() -> list[str]:
        path = tmp_path / "diary"
        return path.read_text().split("\n")[:-1] if path.exists() else []

    return read


async def _states(jobs: Jobs, job: Job) -> list[Job]:
    async with asyncio.timeout(40):
        return [state async for state in jobs.watch(job.id)]


@pytest.fixture
def states(jobs: Jobs) -> Callable[[Job], Awaitable[list[Job]]]:
    """Everything a watcher sees of a job, until it is over."""
    return lambda job: _states(jobs, job)


@pytest.fixture
def end(jobs: Jobs) -> Callable[[Job], Awaitable[Job]]:
    """The last thing a watcher sees of a job."""

    async def end(job: Job) -> Job:
        return (await _states(jobs, job))[-1]

    return end

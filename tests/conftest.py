"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import asyncio
import io
import itertools
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from clipstead.db import Database, embedded, upgrade
from clipstead.db.line import connect
from clipstead.practice import World
from clipstead.server.logs import configure

settings.register_profile("house", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("house")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root folder."""
    return REPOSITORY


@pytest.fixture
def video_bytes() -> int:
    """The size of the best quality of each practice video; tests that want another parametrise it."""
    return 200_000


@pytest.fixture
async def world(video_bytes: int) -> AsyncIterator[World]:
    """A practice world of its own for each test."""
    async with World(seed=1, video_bytes=video_bytes) as world:
        yield world


@pytest.fixture(scope="session")
def samples() -> Path:
    """The real recordings, which live beside the checkout and are never copied into it."""
    folder = REPOSITORY.parent / "shared" / "samples"
    if not folder.is_dir():
        pytest.skip("the recordings of shared/samples are not on this machine")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real Postgres of our own, for the whole run; nothing outlives it, so nothing need be synced.

    TEST_POSTGRES names another one, empty and given up to the tests: postgresql://user@/clipstead?host=...
    """
    if given := os.environ.get("TEST_POSTGRES"):
        yield given
        return
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="clipstead-test-", dir=memory if memory.is_dir() else None))
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        url = runner.run(stack.enter_async_context(embedded(folder)))
        runner.run(_execute(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
        yield url
        runner.run(stack.aclose())
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _template(postgres: str) -> str:
    """A database with all tables, which others are copied from."""
    asyncio.run(upgrade(postgres))
    return postgres


@pytest.fixture(scope="session")
def moto(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 server of the run's own: moto, from an environment of its own (see the Makefile)."""
    command = os.environ.get("TEST_MOTO_SERVER") or str(repository / ".venv-s3" / "bin" / "moto_server")
    if not Path(command).is_file():
        pytest.skip("moto_server is not on this machine: `make test` installs it in .venv-s3")
    log = tmp_path_factory.mktemp("moto") / "log"
    environment = {"PATH": os.environ["PATH"], "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "65536"}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [command, "-H", "127.0.0.1", "-p", "0"], stdout=output, stderr=output, env=environment
        )
    try:
        yield _address(server, log)
    finally:
        server.terminate()
        server.wait()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    raise RuntimeError(f"moto did not start: {log.read_text()[-500:]}")


_numbers = itertools.count()


@pytest.fixture
def database_url(_template: str) -> Iterator[str]:
    """A database of this test's own, with all tables and nothing in them."""
    name = f"test_{next(_numbers)}"
    maintenance = _template.replace("/clipstead?", "/postgres?")
    asyncio.run(_execute(maintenance, f"CREATE DATABASE {name} TEMPLATE clipstead"))
    yield _template.replace("/clipstead?", f"/{name}?")
    asyncio.run(_execute(maintenance, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    async with Database.open(database_url) as opened:
        yield opened


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that is logged, of whatever level, as JSON, for one test; the test run's own logging is put back after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    configure("json", "debug")
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)


async def _execute(url: str, *statements: str) -> None:
    connection = await connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()

"""Processes that use an embedded Postgres, and where its data lies."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

# Enters, says where, and leaves when its standard input ends.
USER = """
import asyncio, concurrent.futures.thread, encodings.idna, os, pwd, sys  # what cannot be read later by nobody
from pathlib import Path
from clipstead.db import household
from clipstead.db.embedded import embedded
from clipstead.db.unavailable import DatabaseUnavailable

if sys.argv[2:3] == ["as nobody"]:  # from here on, since nobody may not be able to run this Python
    os.chdir("/")
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)

async def main():
    async with embedded(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

try:
    asyncio.run(main())
except DatabaseUnavailable as error:
    sys.exit(str(error))
"""

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
def user_program() -> str:
    """What `start` runs."""
    return USER


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that everybody may walk to; pytest's own are closed to others."""
    memory = Path("/dev/shm")  # most of the time goes into making and removing small files
    top = Path(tempfile.mkdtemp(prefix="clipstead-test-", dir=memory if memory.is_dir() else None))
    top.chmod(0o711)
    yield top / "data"
    shutil.rmtree(top)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a process that uses the database of a folder; ends those that are left."""
    children: list[asyncio.subprocess.Process] = []

    async def start(folder: Path, *how: str, program: str = USER, **settings: str) -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", program, str(folder), *how),
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        if child.returncode is None:
            await child.communicate(b"")

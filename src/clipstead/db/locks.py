"""Locks on files: the kernel gives them back whatever becomes of their holder."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from clipstead.db.unavailable import DatabaseUnavailable


class FileLock:
    """One flock() on one open file; it lives as long as any process has that very opening of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_exclusive(self) -> bool:
        """Take it for us alone, unless anybody else has it in any way; a shared hold of ours may be lost in trying."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def try_shared(self) -> bool:
        """Take it together with others, unless somebody has it alone."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def exclusive(self, patience: float) -> None:
        """Take it for us alone as soon as it is free; DatabaseUnavailable after `patience` seconds of waiting."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience
        while not self.try_exclusive():
            if clock() > deadline:
                raise DatabaseUnavailable(f"{self._path} is held by a process that does not get on")
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Give it back, as far as this process goes."""
        os.close(self.descriptor)


def is_held(path: Path) -> bool:
    """Whether any process holds the lock on `path` alone; asking takes it from nobody, not even from others who ask."""
    lock = FileLock(path)
    try:
        return not lock.try_shared()
    finally:
        lock.close()


@asynccontextmanager
async def turnstile(path: Path, patience: float) -> AsyncIterator[None]:
    """One process at a time goes through here; DatabaseUnavailable after `patience` seconds of waiting."""
    lock = FileLock(path)
    try:
        await lock.exclusive(patience)
        yield
    finally:
        lock.close()

"""The workspace's disk: its errors in the house's words, the room left on it, files written and hashed in threads."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clipstead.errors import StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_BLOCK = 1024**2


class StorageFull(StorageError):
    """There is no room for more files, by quota or on the disk."""

    code = "storage_full"

    def __init__(self) -> None:
        super().__init__("Storage full")


@contextmanager
def told_as_storage() -> Iterator[None]:
    """Errors of the disk, without its paths."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise StorageError(f"The workspace's disk failed: {os.strerror(error.errno or 0)}") from error


def check_floor(folder: Path, coming: int, floor: int) -> None:
    """StorageFull unless `coming` bytes leave at least `floor` free."""
    with told_as_storage():
        if shutil.disk_usage(folder).free - coming < floor:
            raise StorageFull


class HashedFile:
    """A new file that is hashed while it is written, a megabyte at a time, in a thread."""

    def __init__(self, path: Path) -> None:
        with told_as_storage():
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._hash = hashlib.sha256()
        self._pending: list[bytes] = []
        self._gathered = 0
        self.size = 0

    async def write(self, data: bytes) -> bool:
        """Take `data`; True if this made it go to the disk."""
        self._pending.append(data)
        self._gathered += len(data)
        self.size += len(data)
        if self._gathered < _BLOCK:
            return False
        await self._flush()
        return True

    async def finish(self) -> str:
        """Everything is on the disk: the SHA-256 in hex digits."""
        await self._flush()
        with told_as_storage():
            await asyncio.to_thread(os.fsync, self._descriptor)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Let go of the file, whole or not."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    async def _flush(self) -> None:
        chunks, self._pending, self._gathered = self._pending, [], 0
        with told_as_storage():
            await asyncio.to_thread(self._write, chunks)

    def _write(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self._hash.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._descriptor, view) :]


async def hash_file(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file that somebody else wrote, which is on the disk afterwards."""
    with told_as_storage():
        return await asyncio.to_thread(_hash_file, path)


def _hash_file(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size, digest

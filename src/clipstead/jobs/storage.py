"""The workspace's disk: its errors in the house's words, the room left on it, files written and hashed in threads."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clipstead.errors import StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_BLOCK = 2 * 1024**2
_AHEAD = 16 * 1024**2  # of a file that is being written; the file system need not find a place for each page


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
    """A new file that is hashed while it is written, some megabytes at a time, in a thread."""

    def __init__(self, path: Path) -> None:
        with told_as_storage():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # Not the bare number: a thread that is still at work when we are closed must not write to whoever has it next.
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._hash = hashlib.sha256()
        self._pending: list[bytes] = []
        self._gathered = 0
        self._reserved = 0  # bytes of the disk, from the file's beginning
        self.size = 0

    async def write(self, data: bytes) -> bool:
        """Take `data`; True if this made it go to the disk."""
        self._pending.append(data)
        self._gathered += len(data)
        self.size += len(data)
        if self._gathered < _BLOCK:
            return False
        await self._flush(self._write)
        return True

    async def finish(self) -> str:
        """Everything is on the disk: the SHA-256 in hex digits."""
        await self._flush(self._write_last)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Let go of the file, whole or not."""
        self._file.close()

    async def _flush(self, write: Callable[[list[bytes], int], None]) -> None:
        chunks, self._pending, self._gathered = self._pending, [], 0
        with told_as_storage():
            await asyncio.to_thread(write, chunks, self.size)

    def _write(self, chunks: list[bytes], size: int) -> None:
        if self._reserved < size:
            self._reserve(size + _AHEAD)
        self._put(chunks)

    def _write_last(self, chunks: list[bytes], size: int) -> None:
        self._put(chunks)
        if self._reserved > size:
            self._file.truncate(size)
        os.fsync(self._file.fileno())

    def _put(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self._hash.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]

    def _reserve(self, size: int) -> None:
        """Room on the disk that is found at once, and not page by page, makes writing a third cheaper; a wish."""
        with suppress(OSError, AttributeError):
            os.posix_fallocate(self._file.fileno(), self._reserved, size - self._reserved)
            self._reserved = size


async def hash_file(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file that somebody else wrote, which is on the disk afterwards."""
    with told_as_storage():
        return await asyncio.to_thread(_hash_file, path)


def _hash_file(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size, digest

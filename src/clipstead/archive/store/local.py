"""A folder of this machine as a store: staged files are hard-linked under their keys, nothing is ever overwritten."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from pathlib import Path

from clipstead.archive.store.base import (
    BLOCK,
    OPAQUE,
    Absent,
    Capabilities,
    Conflict,
    Head,
    Listed,
    Live,
    Parcel,
    Put,
    Swept,
    checked_key,
    checked_sha256,
    quarantine_key,
)
from clipstead.archive.store.disk import Folders, digest, sync, told_as_storage
from clipstead.archive.store.staging import Staging
from clipstead.errors import StorageError
from clipstead.net.links import link_or_rename, refuses_taken_names
from clipstead.net.partfile import seen_through

_PAGE = 1000
_TRIES = 5


class LocalStore:
    """Keys are paths below `root`; attempts write in `root/.staging`."""

    name = "local"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = Staging(root / ".staging")
        self._folders = Folders(root)
        self.attempt = self._staging.attempt
        self.stem = self._staging.stem
        self.drop = self._staging.drop

    async def put(self, key: str, path: Path, sha256: str, content_type: str = OPAQUE) -> Put:
        """See Store. Only what stands in an attempt's folder is linked (renamed, where links are unknown): the rest is
        copied, for it may be somebody's who will write to it again."""
        target = self._path(key)
        checked_sha256(sha256)
        return await asyncio.to_thread(self._put, key, path, target, sha256)

    async def put_bytes(self, key: str, data: bytes, content_type: str = OPAQUE) -> Put:
        """See Store."""
        target = self._path(key)
        return await asyncio.to_thread(self._put_bytes, key, data, target)

    async def put_all(self, parcels: Sequence[Parcel], marker: str, data: bytes) -> None:
        """See AtOnce: one thread sees to all of it, which a cancellation waits for."""
        targets = [self._path(parcel.key) for parcel in parcels]
        last = self._path(marker)
        for parcel in parcels:
            checked_sha256(parcel.sha256)
        await seen_through(lambda: self._put_all(parcels, targets, (marker, last), data))

    def _put_all(
        self, parcels: Sequence[Parcel], targets: Sequence[Path], marker: tuple[str, Path], data: bytes
    ) -> None:
        with told_as_storage(), self._staging.temp(data) as sealed:
            for parcel in parcels:
                parcel.part.close(synced=True)
            for parcel, target in zip(parcels, targets, strict=True):
                self._name(parcel.key, parcel.part.path, target, parcel.sha256)
            for folder in {target.parent for target in targets}:
                self._folders.sync(folder)
            self._place(marker[0], sealed, marker[1])
            for parcel in parcels:
                parcel.part.discard()

    def _put(self, key: str, path: Path, target: Path, sha256: str) -> Put:
        with told_as_storage():
            if path.is_relative_to(self._staging.folder):
                sync(path)
                return self._place(key, path, target, sha256)
            with self._staging.temp(path) as copy:
                return self._place(key, copy, target, sha256)

    def _put_bytes(self, key: str, data: bytes, target: Path) -> Put:
        with told_as_storage(), self._staging.temp(data) as path:
            return self._place(key, path, target)

    def _place(self, key: str, path: Path, target: Path, sha256: str = "") -> Put:
        made = self._name(key, path, target, sha256)
        self._folders.sync(target.parent)  # also if another made the name: he may not have got as far as that
        return made

    def _name(self, key: str, path: Path, target: Path, sha256: str = "") -> Put:
        created = self._link(path, target)
        if not created and not _holds(target, path, sha256):
            raise Conflict(key, _head(target, digest(target) if _is_file(target) else ""))
        return Put.CREATED if created else Put.SAME

    def _link(self, path: Path, target: Path) -> bool:
        """Whether `path` became `target`; False if the name is taken."""
        for _ in range(_TRIES):
            self._folders.make(target.parent)
            try:
                return link_or_rename(path, target)
            except FileNotFoundError:
                if not path.exists():
                    raise
                self._folders.forget(target.parent)  # emptied and removed by another meanwhile
        raise StorageError("The archive's folders do not stay where they are")

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """See Store."""
        descriptor = await asyncio.to_thread(self._open, key)
        try:
            while end is None or start < end:
                size = BLOCK if end is None else min(BLOCK, end - start)
                with told_as_storage():
                    block = await asyncio.to_thread(os.pread, descriptor, size, start)
                if not block:
                    return
                start += len(block)
                yield block
        finally:
            os.close(descriptor)

    async def read(self, key: str) -> bytes:
        """See Store."""
        return await asyncio.to_thread(self._read, key)

    def _read(self, key: str) -> bytes:
        with told_as_storage(), os.fdopen(self._open(key), "rb") as file:
            return file.read()

    def _open(self, key: str) -> int:
        path = self._path(key)
        with told_as_storage():
            if not _is_file(path):
                raise Absent(key)
            try:
                return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                raise Absent(key) from None

    async def head(self, key: str) -> Head | None:
        """See Store; a folder keeps no hashes."""
        path = self._path(key)
        with told_as_storage():
            return await asyncio.to_thread(lambda: _head(path) if _is_file(path) else None)

    async def keys(self, prefix: str = "") -> AsyncIterator[Listed]:
        """See Store; what is no plain file, and what is hidden, is passed over."""
        found = self._walk(self._root, "", prefix)
        while page := await asyncio.to_thread(lambda: list(islice(found, _PAGE))):
            for listed in page:
                yield listed

    def _walk(self, folder: Path, above: str, prefix: str) -> Iterator[Listed]:
        with told_as_storage():
            names = _names(folder)
        for name, is_folder in names:
            key = above + name
            if is_folder and (key.startswith(prefix) or prefix.startswith(key)):
                yield from self._walk(folder / name, key, prefix)
            elif not is_folder and key.startswith(prefix):
                with contextlib.suppress(FileNotFoundError), told_as_storage():
                    found = (folder / name).lstat()
                    yield Listed(_readable(key), found.st_size, found.st_mtime)

    async def delete(self, key: str) -> bool:
        """See Store; folders that this empties go too, for their names may tell of whom they were."""
        path = self._path(key)
        with told_as_storage():
            return await asyncio.to_thread(self._delete, path)

    def _delete(self, path: Path) -> bool:
        if not _is_file(path):
            return False
        path.unlink(missing_ok=True)
        self._folders.sync(path.parent)
        self._prune(path.parent)
        return True

    def _prune(self, folder: Path) -> None:
        self._folders.forget(folder)
        with contextlib.suppress(OSError):
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent
                self._folders.sync(folder)

    async def quarantine(self, key: str) -> str:
        """See Store."""
        path = self._path(key)
        with told_as_storage():
            return await asyncio.to_thread(self._quarantine, key, path)

    def _quarantine(self, key: str, path: Path) -> str:
        if not _is_file(path):
            raise Absent(key)
        sha256 = digest(path)
        aside = quarantine_key(key, sha256)
        self._place(aside, path, self._path(aside), sha256)
        self._delete(path)
        return aside

    async def probe(self) -> Capabilities:
        """See Store."""
        return await asyncio.to_thread(self._probe)

    def _probe(self) -> Capabilities:
        with told_as_storage(), self._staging.temp(b"probe") as path:
            self._folders.make(self._root)
            if path.lstat().st_dev != self._root.stat().st_dev:
                raise StorageError("The archive's .staging folder is on another file system than the archive")
            links = refuses_taken_names(path)
        notes = () if links else ("No hard links on this file system: two who put one file at once may both succeed",)
        return Capabilities(self.name, links, False, notes)

    async def sweep_temp(self, is_live: Live) -> Swept:
        """See Store."""
        return Swept(files=await self._staging.sweep(is_live))

    async def close(self) -> None:
        """Nothing is open."""

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)


def _holds(target: Path, path: Path, sha256: str) -> bool:
    """Whether `target` is the file at `path`, or one of the same bytes: they are hashed only where that is open."""
    there, ours = target.lstat(), path.lstat()
    if os.path.samestat(there, ours):
        return True
    if not stat.S_ISREG(there.st_mode) or there.st_size != ours.st_size:
        return False
    return digest(target) == (sha256 or digest(path))


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _head(path: Path, sha256: str = "") -> Head:
    found = path.lstat()
    return Head(found.st_size, sha256, found.st_mtime)


def _names(folder: Path) -> list[tuple[str, bool]]:
    """Names of plain files and, with a slash, of folders; sorted as the keys are."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                found.append((entry.name + "/", True))
            elif entry.is_file(follow_symlinks=False):
                found.append((entry.name, False))
    return sorted(found, key=lambda item: os.fsencode(item[0]))


def _readable(key: str) -> str:
    """A name that is no UTF-8, as it can at least be shown."""
    return os.fsencode(key).decode("utf-8", "replace")

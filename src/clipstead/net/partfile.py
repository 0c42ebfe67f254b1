"""A file in the making: durable when it is committed, and never more than rubbish with a telling name before."""

import asyncio
import contextlib
import errno
import filecmp
import io
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from clipstead.errors import StorageError
from clipstead.net.links import link_or_rename

_MAX_NAME = 255
_NO_RESERVE = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ENODEV})
_T = TypeVar("_T")


class PartFile:
    """`.NAME.RANDOM.part` beside its target, made with O_EXCL, so that nobody else writes it and no link is followed.

    `path` is where the bytes are until `commit`; so many as `held` are kept in memory first, and the file is made when
    there are more, or when it is closed: making one may wait for the disk. Every method raises StorageError when the
    disk fails.
    """

    def __init__(self, target: Path, *, held: int = 0) -> None:
        self.path = target.parent / _part_name(target.name)
        self._open, self._gone = True, False
        self._written = self._reserved = 0
        self._placed: Path | None = None
        self._made: list[Path] = []
        self._fd = -1
        self._target, self._held, self._room, self._wanted = target, list[bytes](), held, 0
        if not held:
            self._create()

    def _create(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with _storage(self.path):
            try:
                self._fd = os.open(self.path, flags, 0o666)
            except FileNotFoundError:
                self._made = _make_folder(self._target.parent)
                self._fd = os.open(self.path, flags, 0o666)

    def reserve(self, size: int) -> None:
        """Find room on the disk for `size` bytes in all: cheaper at once than page by page, and a full disk shows."""
        if self._fd < 0:
            self._wanted = size
            return
        with _storage(self.path):
            try:
                os.posix_fallocate(self._fd, 0, size)
            except OSError as error:
                if error.errno not in _NO_RESERVE:
                    raise
            else:
                self._reserved = size

    def write(self, data: bytes) -> None:
        """Append all of `data`."""
        if self._fd < 0:
            self._room -= len(data)
            self._held.append(data)
            if self._room < 0:
                self._pour()
            return
        with _storage(self.path):
            self._written += len(data)
            write_all(self._fd, data)

    def _pour(self) -> None:
        """Make the file of what was held back so far."""
        self._create()
        held, self._held = self._held, []
        if self._wanted > sum(map(len, held)):  # else it is all here
            self.reserve(self._wanted)
        for data in held:
            self.write(data)

    @property
    def is_held(self) -> bool:
        """Whether all of it is in memory still."""
        return self._open and self._fd < 0

    def read(self) -> BinaryIO:
        """Everything written so far, from memory while it is held there; to be closed by the caller."""
        if self.is_held:
            self._held = [b"".join(self._held)]
            return io.BytesIO(self._held[0])
        with _storage(self.path):
            return self.path.open("rb")

    def close(self, *, synced: bool = False) -> None:
        """No more writing; the file stays, and its bytes are on the disk if it has to be `synced`."""
        if not self._open:
            if synced:
                with _storage(self.path):
                    _sync(self.path)
            return
        if self._fd < 0:
            self._pour()
        self._open = False
        with _storage(self.path):
            try:
                if self._written < self._reserved:
                    os.ftruncate(self._fd, self._written)
                if synced:
                    os.fsync(self._fd)
            finally:
                os.close(self._fd)

    def discard(self) -> None:
        """Remove it unless it was committed; may be called at any time, and again."""
        self._held.clear()
        if self._gone or self._fd < 0:  # there is none any more, or none yet
            self._open = False
            return
        with contextlib.suppress(StorageError):
            self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._gone = True

    def withdraw(self) -> None:
        """Remove it, also if it was committed (but not a file that was there before)."""
        self.discard()
        if self._placed is not None:
            with contextlib.suppress(OSError):
                self._placed.unlink()

    async def commit(self, target: Path) -> bool:
        """Make it `target`, durably: file synced, linked under its name, folder synced.

        Never overwrites: False, and the part file is removed, when `target` is there with the very same bytes;
        FileExistsError when it holds others. A cancellation in the middle waits for the step to end.
        """
        return await seen_through(lambda: self._commit(target))

    def _commit(self, target: Path) -> bool:
        self.close(synced=True)
        with _storage(target):
            made = [*self._made, *_make_folder(target.parent)]
            moved = link_or_rename(self.path, target)
            same = moved or (not target.is_symlink() and filecmp.cmp(self.path, target, shallow=False))
            if same:
                self.path.unlink(missing_ok=True)  # a rename took it away
            self._placed = target if moved else None
            _sync_folders(target, made)
        if not same:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        return moved


def write_all(descriptor: int, data: bytes) -> None:
    """Raises OSError: a full disk writes what fits, and fails at the next call."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _part_name(name: str) -> str:
    ending = f".{secrets.token_hex(6)}.part"
    return "." + name.encode()[: _MAX_NAME - 1 - len(ending)].decode("utf-8", "ignore") + ending


def _make_folder(folder: Path) -> list[Path]:
    """Make it with all that is missing above it; the folders made."""
    missing = []
    above = folder
    while not above.exists():
        missing.append(above)
        above = above.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return missing


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_folders(target: Path, made: Iterable[Path]) -> None:
    for folder in {target.parent, *(new.parent for new in made)}:
        _sync(folder)


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"Cannot write {path.name}: {error.strerror or 'the disk failed'}") from None


async def seen_through(step: Callable[[], _T]) -> _T:
    """Run `step` in a thread and see it through, also when we are cancelled meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(step))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise

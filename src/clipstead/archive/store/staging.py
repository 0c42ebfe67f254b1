"""The folder where attempts write: one folder an attempt, swept by who is at work, never by a clock."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from clipstead.archive.store.base import BLOCK, Live
from clipstead.archive.store.disk import told_as_storage
from clipstead.net.partfile import write_all

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\.[A-Za-z0-9_-]{1,80}")
_LOOSE = re.compile(r"\.+[A-Za-z0-9_-]{1,80}\.[A-Za-z0-9_-]{1,80}\..+\.part")  # as `stem` has them begin
_BATCH = 1000


class Staging:
    """`folder` is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def attempt(self, post_id: str, token: int | str) -> Path:
        """`ID.TOKEN`, made; ValueError for parts that are no file names."""
        folder = self.folder / _name(post_id, token)
        with told_as_storage():
            try:
                folder.mkdir(exist_ok=True)
            except FileNotFoundError:
                folder.mkdir(parents=True, exist_ok=True)
        return folder

    def stem(self, post_id: str, token: int | str) -> Path:
        """What the names of an attempt's part files begin with, for one that does without a folder: `ID.TOKEN.`."""
        return self.folder / f"{_name(post_id, token)}."

    async def drop(self, attempt: Path) -> None:
        """Remove an attempt's folder, whatever is in it."""
        if attempt.parent == self.folder:
            await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)

    @contextlib.contextmanager
    def temp(self, content: bytes | Path) -> Iterator[Path]:
        """A synced file of these bytes, or of that file's, gone afterwards. Its lock tells sweeps that it is in use."""
        path, descriptor = self._locked()
        try:
            if isinstance(content, bytes):
                write_all(descriptor, content)
            else:
                with content.open("rb") as source, os.fdopen(descriptor, "wb", closefd=False) as file:
                    shutil.copyfileobj(source, file, BLOCK)
            os.fsync(descriptor)
            yield path
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(descriptor)

    def _locked(self) -> tuple[Path, int]:
        while True:
            path = self.folder / f"{secrets.token_hex(8)}.part"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            try:
                descriptor = os.open(path, flags, 0o666)
            except FileNotFoundError:
                self.folder.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(path, flags, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                if os.fstat(descriptor).st_nlink:
                    return path, descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # a sweep came between the two calls

    async def sweep(self, is_live: Live) -> int:
        """Remove the folders of posts that nobody is at work on, and temp files that nobody holds; how many."""
        # Listed before asking: whatever is listed was made by somebody who held the post by then.
        folders, files = await asyncio.to_thread(self._list)
        removed = await asyncio.to_thread(lambda: sum(map(_remove_unheld, files)))
        for start in range(0, len(folders), _BATCH):
            batch = folders[start : start + _BATCH]
            ids = sorted({_post_of(path) for path in batch})
            live = await is_live(ids)
            dead = [path for path in batch if _post_of(path) not in live]
            await asyncio.to_thread(_remove, dead)
            removed += len(dead)
        return removed

    def _list(self) -> tuple[list[Path], list[Path]]:
        folders: list[Path] = []
        files: list[Path] = []
        with told_as_storage(), contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                is_attempt = entry.is_dir(follow_symlinks=False) or _LOOSE.fullmatch(entry.name)
                (folders if is_attempt else files).append(self.folder / entry.name)
        return sorted(folders), sorted(files)


def _name(post_id: str, token: int | str) -> str:
    name = f"{post_id}.{token}"
    if not _NAME.fullmatch(name):
        raise ValueError("no id or token for an attempt")
    return name


def _post_of(path: Path) -> str:
    return path.name.lstrip(".").partition(".")[0]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def _remove_unheld(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True

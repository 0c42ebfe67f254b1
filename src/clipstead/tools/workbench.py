"""Where one tool job is done: a folder of its own beside the result, gone afterwards whatever happened."""

import asyncio
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clipstead.errors import StorageError, ToolFailed
from clipstead.media.ffmpeg import Ffmpeg
from clipstead.media.inspect import Caps
from clipstead.media.sandbox import Limits, Sandbox, real

PREFIX = ".clipstead-"
SOURCE = "in"


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every job shares: the ffmpeg, the fence, and how much one job and one file may be."""

    ffmpeg: Ffmpeg
    sandbox: Sandbox
    limits: Limits = field(default_factory=Limits)
    caps: Caps = field(default_factory=Caps)


@asynccontextmanager
async def job_folder(beside: Path) -> AsyncIterator[Path]:
    """A private folder on the file system of `beside`, so that the result needs only a rename. Raises StorageError."""
    try:
        # Not in a thread: who is cancelled while he waits for one would never learn what it has made.
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=real(beside.parent)))
    except OSError as error:
        raise StorageError(f"No place for the work: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # few files, and it must not be interrupted


def check_readable(source: Path) -> None:
    """Raises StorageError where the source is no file that can be read."""
    if not source.is_file() or not os.access(source, os.R_OK):
        raise StorageError("The file is not there or cannot be read")


def bring(source: Path, folder: Path, name: str = SOURCE) -> str:
    """Make a file known in the folder under a name that says nothing; gives that name. Nothing is copied."""
    (folder / name).symlink_to(source.resolve())
    return name


def take(made: Path) -> int | None:
    """The size of what was made; None where there is nothing, or nothing plain: a hostile run may leave a link."""
    try:
        found = made.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise ToolFailed("The media program left something that is no file")
    return found.st_size or None


async def digest(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises StorageError."""
    try:
        return await asyncio.to_thread(_digest, path)
    except OSError as error:
        raise StorageError(f"Cannot read {path.name}: {error.strerror}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def hand_over(made: Path, result: Path) -> None:
    """Move the finished file to its place, in one step. Raises StorageError."""
    try:
        made.replace(result)  # noqa: ASYNC240  # a rename within one folder's file system
    except OSError as error:
        raise StorageError(f"The result could not be put in its place: {error.strerror}") from None


async def copy(source: Path, made: Path) -> None:
    """Copy a file's bytes. Raises StorageError."""
    try:
        await asyncio.to_thread(shutil.copyfile, source, made)
    except OSError as error:
        raise StorageError(f"No space left for the result: {error.strerror}") from None

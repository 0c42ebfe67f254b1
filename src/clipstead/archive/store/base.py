"""What every store promises, and the words it says it in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from clipstead.archive.layout import QUARANTINE
from clipstead.errors import NotFound, StorageError
from clipstead.net.partfile import PartFile

BLOCK = 1024 * 1024
OPAQUE = "application/octet-stream"
PRIVATE = ".clipstead/"

_LONGEST_KEY = 900  # bytes; S3 ends at 1024, and quarantine and a bucket's prefix want room
_LONGEST_PART = 220  # bytes; file systems end at 255
_ASIDE = 32  # bytes more for what is in quarantine
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")

Live = Callable[[Sequence[str]], Awaitable[Set[str]]]
"""Of these post ids, those that somebody is at work on (the ledger knows)."""


class Put(StrEnum):
    """What became of a put: `same` says that these very bytes were there already."""

    CREATED = "created"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Head:
    """What a store tells of an object without reading it; `sha256` in hex, "" where this store does not keep it.

    `size` in bytes, `modified` in unix seconds by the store's clock.
    """

    size: int
    sha256: str
    modified: float


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing; size in bytes, time in unix seconds."""

    key: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store was seen to do at the start: `conditional` - it refuses a second create; `checksums` - it refuses
    bytes that are not those announced. `notes` are lines that an operator should read."""

    name: str
    conditional: bool
    checksums: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed: temp files and folders, multipart uploads."""

    files: int = 0
    uploads: int = 0


class Conflict(StorageError):
    """The key holds other bytes: `there` is what it holds. Trying again cannot help; see `Store.quarantine`."""

    code = "store_conflict"
    transient = False

    def __init__(self, key: str, there: Head) -> None:
        super().__init__(f"{key} is in the store already, with other content")
        self.key = key
        self.there = there


class StoreFull(StorageError):
    """There is no room left where the archive is kept."""

    code = "storage_full"


class Absent(NotFound):
    """The store has no such object."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} is not in the store")
        self.key = key


class Store(Protocol):
    """Where bytes live, under keys: nothing is ever overwritten, and what is there is whole and durable.

    Keys are judged: ValueError for one that climbs, is absolute, hidden, empty or holds control characters. Every
    method raises StorageError (transient) when the disk or the service fails; a put can always be done again.
    """

    name: str

    def attempt(self, post_id: str, token: int | str) -> Path:
        """The folder where one attempt writes its files, made now: on the same file system where the store is local.

        `token` keeps the attempts of one post apart. `drop` removes it; what no one drops is `sweep_temp`'s.
        """
        ...

    def stem(self, post_id: str, token: int | str) -> Path:
        """As `attempt`, without a folder: what the names of its part files begin with. They are the caller's to remove,
        and `sweep_temp`'s if he does not: as long as they are named as `PartFile` names them."""
        ...

    async def drop(self, attempt: Path) -> None:
        """Remove an attempt's folder and all that is in it; never fails."""
        ...

    async def put(self, key: str, path: Path, sha256: str, content_type: str = OPAQUE) -> Put:
        """Keep the file at `path` under `key` for good; durable when this returns. `sha256` (hex) is the caller's word.

        The same bytes once more are a no-op; Conflict if the key holds others. A file in an attempt's folder is given
        away: it may be gone afterwards, or be the object itself (a hard link), so nobody may write to it any more.
        """
        ...

    async def put_bytes(self, key: str, data: bytes, content_type: str = OPAQUE) -> Put:
        """As `put`, for a few bytes in memory: sidecars, tombstones."""
        ...

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` (exclusive; None = all), a block at a time. Raises Absent."""
        ...

    async def read(self, key: str) -> bytes:
        """A small object, whole. Raises Absent."""
        ...

    async def head(self, key: str) -> Head | None:
        """What is under `key`; None if nothing is."""
        ...

    def keys(self, prefix: str = "") -> AsyncIterator[Listed]:
        """Every object whose key begins with `prefix`, in the order of the keys' bytes, any number of them.

        Temp files and the store's own marks are not among them; what is in quarantine is.
        """
        ...

    async def delete(self, key: str) -> bool:
        """Remove an object, durably; False if there was none."""
        ...

    async def quarantine(self, key: str) -> str:
        """Move what is under `key` out of the way, keep it, and say where: a key below `quarantine/`. Raises Absent."""
        ...

    async def probe(self) -> Capabilities:
        """Try out, at the start, what this store can do; `put` relies on it. Raises StorageError if it is of no use."""
        ...

    async def sweep_temp(self, is_live: Live) -> Swept:
        """Remove what attempts have left behind, of posts that nobody is at work on. No clock is asked."""
        ...

    async def close(self) -> None:
        """Let go of connections; the store is of no use afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file that wants a key: one of an attempt's, named as `Store.stem` says; it may be in memory still."""

    key: str
    part: PartFile
    sha256: str


@runtime_checkable
class AtOnce(Protocol):
    """A store that puts all files of a post in one go."""

    async def put_all(self, parcels: Sequence[Parcel], marker: str, data: bytes) -> None:
        """As `put` for each and then `put_bytes` for the marker, which is not there before all of them are, durably.

        It ends at the first that is refused. The part files are gone afterwards; after a failure they are left as they
        are, to their owner.
        """
        ...


def checked_key(key: str) -> str:
    """The key itself, or ValueError: relative, no empty, hidden or climbing part, nothing unprintable, not too long."""
    more = _ASIDE if key.startswith(QUARANTINE) else 0
    if not key or _bytes(key) > _LONGEST_KEY + more or _FORBIDDEN.search(key):
        raise ValueError(f"no key for a store: {key[:80]!r}")
    for part in key.split("/"):
        if not part or part.startswith(".") or part.endswith(" ") or _bytes(part) > _LONGEST_PART + more:
            raise ValueError(f"no key for a store: {key[:80]!r}")
    return key


def _bytes(text: str) -> int:
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise ValueError(f"no key for a store: {text[:80]!r}") from None


def checked_sha256(sha256: str) -> str:
    """64 hex digits in lower case, or ValueError."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("no SHA-256 in hex digits")
    return sha256


def quarantine_key(key: str, sha256: str) -> str:
    """Where an object goes that must make way, by its own content, so that doing it twice is doing it once."""
    return f"{QUARANTINE}{key}~{sha256[:16]}"

"""Taking over what others have kept: by the protocol of a capture, only that the bytes come from a folder here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from clipstead import __version__
from clipstead.archive import layout, sidecar
from clipstead.archive.dead import DeadLetters
from clipstead.archive.foreign import INFO, ForeignPost, archived_entry, is_download_archive, read_info
from clipstead.archive.ledger import Claim, Entry, Ledger
from clipstead.archive.record import FileRecord, Record, file_record, record_of
from clipstead.archive.store import Store
from clipstead.archive.store.disk import digest
from clipstead.archive.tombstones import Tombstones
from clipstead.errors import BadMedia, ClipsteadError, InvalidParams, StorageError, UnsupportedLink
from clipstead.model import Author, Resolution

_GIVEN = ""  # by themselves, on account of no source
PROVIDER = "import"

_LARGEST = 64 * 1024**2
_BATCH = 5_000


@dataclass(slots=True)
class Imported:
    """What came of it: posts whose files are in the store now, ids that wait to be captured, what was there already,
    lists that say nothing of a post, and what could not be taken over, with the reason."""

    adopted: int = 0
    queued: int = 0
    known: int = 0
    passed_over: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


class Importer:
    """Takes over files; each may be taken over again, which changes nothing. `base` of names told is the path given."""

    def __init__(self, ledger: Ledger, dead: DeadLetters, tombstones: Tombstones, store: Store) -> None:
        self._ledger = ledger
        self._dead = dead
        self._tombstones = tombstones
        self._store = store
        self.done = Imported()

    async def path(self, path: Path) -> AsyncIterator[Imported]:
        """A file, or every file of a folder that looks like one of ours; after each, how far it has got.

        Raises InvalidParams for a path that is not there, DatabaseUnavailable, and StorageError when our store fails.
        """
        is_folder = await asyncio.to_thread(path.is_dir)
        if not is_folder and not await asyncio.to_thread(path.is_file):
            raise InvalidParams({"PATH": f"must be a file or a folder that is there, and {path} is not"})
        for file in _candidates(path) if is_folder else iter([path]):
            await self._one(file, asked=not is_folder)
            yield self.done

    async def _one(self, path: Path, *, asked: bool) -> None:
        try:
            data = await asyncio.to_thread(_read, path)
            if data is None:
                raise BadMedia("is too large for an info file or a list of ids")
            if path.name.endswith(INFO):
                await self._info(path, data)
            elif (record := _sidecar(data)) is not None:
                await self._sidecar(path, data, record)
            elif asked:
                await self._download_archive(data)
        except StorageError as error:
            if error.transient:
                raise
            self.done.failed.append((str(path), str(error)))
        except ClipsteadError as error:
            self.done.failed.append((str(path), str(error)))
        except OSError as error:
            self.done.failed.append((str(path), f"cannot be read: {error.strerror}"))

    # -- a list of ids

    async def _download_archive(self, data: bytes) -> None:
        text = data.decode("utf-8-sig", "replace")
        if not is_download_archive(text):
            raise BadMedia("is neither a download archive of yt-dlp nor one of its info files nor a sidecar of ours")
        entries: list[Entry] = []
        for line in filter(str.strip, text.splitlines()):
            try:
                entries.append(archived_entry(line))
            except UnsupportedLink as error:
                self.done.failed.append((line.strip()[:100], str(error)))
            if len(entries) >= _BATCH:
                await self._queue(entries)
                entries = []
        await self._queue(entries)

    async def _queue(self, entries: Sequence[Entry]) -> None:
        added = await self._ledger.add(entries, _GIVEN)
        self.done.queued += added.new
        self.done.known += added.known
        if added.refused:
            self.done.failed.append((f"{added.refused} posts", "were erased, and are not captured again"))

    # -- an info file

    async def _info(self, path: Path, data: bytes) -> None:
        found = await read_info(path, data)
        if found is None:
            self.done.passed_over += 1
        elif not found.files:
            await self._queue([Entry(found.aweme_id, found.post.link.url)])
        elif claim := await self._claim(Entry(found.aweme_id, found.post.link.url, found.kept_at), found.post.author):
            async with self._held(claim):
                record = await self._kept(claim, found)
                data = sidecar.build(record)
                await self._store.put_bytes(layout.sidecar_key(record.storage_key), data, layout.SIDECAR_TYPE)
                await self._finish(claim, record)

    async def _kept(self, claim: Claim, found: ForeignPost) -> Record:
        """The files in the store, and what is to be said of them."""
        day = claim.began_at
        wished = claim.storage_key or layout.base_key(claim.aweme_id, found.post.author.username, day)
        base = await self._fixed(claim, wished)
        keys = layout.files_of(base, [layout.Piece(file.kind, file.found.ext, file.language) for file in found.files])
        for key, file in zip(keys, found.files, strict=True):
            await self._store.put(key, file.path, file.sha256, file.found.mime)
        files = [
            file_record(
                file.found, kind=file.kind, variant="imported", key=key, sha256=file.sha256, language=file.language
            )
            for key, file in zip(keys, found.files, strict=True)
        ]
        return record_of(
            Resolution(found.post, PROVIDER),
            files,
            post_id=claim.aweme_id,
            source_link=claim.url or found.post.link.url,
            storage_key=base,
            listed_at=claim.listed_at.astimezone(UTC),
            resolved_at=found.seen_at,
            downloaded_at=found.kept_at,
            archived_at=claim.began_at.astimezone(UTC),
            source=claim.source,
            tools={"clipstead": __version__},
            attempt=claim.attempts,
            subtitles=found.subtitles,
        )

    # -- a sidecar of ours, out of another store

    async def _sidecar(self, path: Path, data: bytes, record: Record) -> None:
        claim = await self._claim(Entry(record.id, record.source_link, record.listed_at), record.author)
        if claim is None:
            return
        async with self._held(claim):
            if await self._fixed(claim, record.storage_key) != record.storage_key:
                raise BadMedia(f"{record.id} has another place in this archive already")
            for file in record.files:
                await self._copy(path, record, file)
            await self._store.put_bytes(layout.sidecar_key(record.storage_key), data, layout.SIDECAR_TYPE)
            await self._finish(claim, record)

    async def _copy(self, path: Path, record: Record, file: FileRecord) -> None:
        there = _place(path, record, file)
        if await asyncio.to_thread(digest, there) != file.sha256:
            raise BadMedia(f"{there.name} is not the file that the sidecar names: its SHA-256 differs")
        await self._store.put(file.key, there, file.sha256, file.content_type)

    # -- what both want of the ledger

    async def _claim(self, entry: Entry, author: Author) -> Claim | None:
        """The right to adopt the post; None if it is kept already, or was erased, or its author. A dead one lives again
        by this."""
        if await self._tombstones.is_erased(entry.aweme_id, author.id, author.username):
            self.done.failed.append((entry.aweme_id, "was erased, or its author was erased, and is not taken over"))
            return None
        added = await self._ledger.add([entry], _GIVEN)
        if added.known:
            await self._dead.retry(ids=[entry.aweme_id])
        claim = await self._ledger.begin(entry.aweme_id)
        if claim is None:
            self.done.known += 1
        return claim

    async def _fixed(self, claim: Claim, wished: str) -> str:
        """The post's base key from now on."""
        base = await self._ledger.fix_key(claim, wished)
        if not base:
            raise BadMedia(f"{claim.aweme_id} was erased meanwhile, or somebody else has it in hand")
        return base

    @asynccontextmanager
    async def _held(self, claim: Claim) -> AsyncIterator[None]:
        """What cannot be taken over waits to be captured, as if nobody had tried."""
        try:
            yield
        except BaseException:
            self.done.queued += await self._ledger.put_back(claim, 0.0, "import", False)
            raise

    async def _finish(self, claim: Claim, record: Record) -> None:
        if await self._ledger.finish(claim, record):
            self.done.adopted += 1
        else:
            self.done.known += 1  # a worker was faster, or it was erased meanwhile


def _candidates(folder: Path) -> Iterator[Path]:
    """What may be an info file or a sidecar, folder by folder."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".json") and not name.startswith("."):
                yield Path(parent, name)


def _read(path: Path) -> bytes | None:
    """Its bytes, or None for one too large to be of our sorts."""
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    return data if len(data) <= _LARGEST else None


def _sidecar(data: bytes) -> Record | None:
    try:
        return sidecar.parse(data)
    except BadMedia:
        return None


def _place(path: Path, record: Record, file: FileRecord) -> Path:
    """Where a file of that archive lies: by its key from the archive's top, or else beside the sidecar."""
    depth = layout.sidecar_key(record.storage_key).count("/")
    top = path.parents[depth] if len(path.parents) > depth else path.parent
    by_key, beside = top / file.key, path.parent / file.key.rpartition("/")[2]
    for each in (by_key, beside):
        if each.is_file() and each.resolve().is_relative_to(top.resolve()):
            return each
    raise BadMedia(f"{file.key} is not there")

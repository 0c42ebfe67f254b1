"""One post archived: resolved right before the download, kept in the store, its sidecar last; then the ledger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from clipstead import __version__
from clipstead.archive import layout, sidecar
from clipstead.archive.adoption import Adoption, Report
from clipstead.archive.answers import Answers
from clipstead.archive.calls import Calls
from clipstead.archive.ledger import Claim, Ledger
from clipstead.archive.record import FileRecord, Record, file_record, record_of
from clipstead.archive.spoken import spoken
from clipstead.archive.store import AtOnce, Conflict, Parcel, Store
from clipstead.archive.store.disk import told_as_storage
from clipstead.capture import Capture, Landed, Wanted, choose
from clipstead.capture.naming import safe_name
from clipstead.errors import DownloadFailed, PostUnavailable, StorageError, UnsupportedLink
from clipstead.media import Probe
from clipstead.model import Link, Media, MediaKind, Post, Resolution
from clipstead.net.partfile import seen_through
from clipstead.resolve.links import parse
from clipstead.resolve.tiktok_links import post_link

KEPT = Wanted(cover=True, subtitles=True)

_TOOLS = {"clipstead": __version__}
_SETTLES = 3  # times that a name in the store may turn out to be taken


class Lost(Exception):
    """The post is another attempt's by now: nothing that this one does counts."""


class _Kept(Exception):
    """It turns out that the post is in the store already, with its sidecar."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.id)
        self.record = record


class Pipeline:
    """Captures posts, `downloads` of them at a time. `report` is told what had to be put into quarantine."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        calls: Calls,
        capture: Capture,
        answers: Answers,
        report: Report,
        *,
        downloads: int = 20,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._calls = calls
        self._capture = capture
        self._answers = answers
        self._adoption = Adoption(store, report)
        self._downloads = asyncio.Semaphore(downloads)

    async def archive(self, claim: Claim) -> Record:
        """The post of `claim`, durable in the store with its sidecar: found there, or captured now.

        Raises Lost, and what resolving, capturing and storing raise.
        """
        clock = _Clock(claim.began_at)
        if claim.storage_key and (kept := await self._adoption.kept(claim.aweme_id, claim.storage_key)):
            return kept
        resolution = self._answers.find(claim.aweme_id) if claim.fence > 1 else None
        if resolution is None:
            resolution = await self._calls.resolve(_link(claim))
            self._answers.keep(claim.aweme_id, resolution)
        resolved_at = clock.at(resolution.fetched_at)
        try:
            return await self._captured(claim, resolution, resolved_at, clock)
        except _Kept as found:
            return found.record

    async def _captured(self, claim: Claim, resolution: Resolution, resolved_at: datetime, clock: _Clock) -> Record:
        post = resolution.post
        wants = choose(post, KEPT)
        if not wants or wants[0].extra:
            raise DownloadFailed("The post has no video, images or sound that can be downloaded", transient=False)
        wished = claim.storage_key or layout.base_key(claim.aweme_id, post.author.username, resolved_at)
        # The key is fixed while the bytes come: a round trip that nobody waits for.
        fixing = asyncio.ensure_future(self._ledger.fix_key(claim, wished))
        stem = self._store.stem(claim.aweme_id, claim.fence)
        try:
            async with AsyncExitStack() as parts:
                async with self._downloads:
                    landed = await parts.enter_async_context(
                        self._capture.held(resolution, wants, partial(_name, stem), missed=_without)
                    )
                downloaded_at = clock.now()
                base = await fixing
                if not base:
                    raise Lost
                keys = _keys(base, landed)
                record = record_of(
                    resolution,
                    [
                        _file(key, each.media, each.probe, each.fetched.sha256)
                        for key, each in zip(keys, landed, strict=True)
                    ],
                    post_id=claim.aweme_id,
                    source_link=claim.url,
                    storage_key=base,
                    listed_at=claim.listed_at,
                    resolved_at=resolved_at,
                    downloaded_at=downloaded_at,
                    archived_at=clock.now(),
                    source=claim.source,
                    tools=_TOOLS,
                    attempt=claim.attempts,
                    subtitles=_said(landed),
                )
                return await self._stored(claim, record, landed, post)
        finally:
            fixing.cancel()
            with suppress(asyncio.CancelledError, StorageError):
                await fixing

    async def _stored(self, claim: Claim, record: Record, landed: Sequence[Landed], post: Post) -> Record:
        """The post in the store, its sidecar last; what was there already may have its say in the record."""
        if isinstance(self._store, AtOnce):
            files = zip(record.files, landed, strict=True)
            parcels = [Parcel(file.key, each.fetched.part, file.sha256) for file, each in files]
            marker = layout.sidecar_key(record.storage_key)
            with suppress(Conflict):
                await self._store.put_all(parcels, marker, sidecar.build(record))
                return record
        base = record.storage_key
        placed = [
            await self._put(claim, base, file.key, each, post) for file, each in zip(record.files, landed, strict=True)
        ]
        record = replace(record, files=tuple(placed))
        await self._commit(claim, record)
        return record

    async def _put(self, claim: Claim, base: str, key: str, landed: Landed, post: Post) -> FileRecord:
        """The file under its key: put there, or found there as good as this one."""
        part, sha256 = landed.fetched.part, landed.fetched.sha256
        await seen_through(part.close)
        for _ in range(_SETTLES):
            try:
                await self._store.put(key, part.path, sha256, landed.probe.mime)
            except Conflict as conflict:
                await self._settle(claim, base)
                if there := await self._adoption.uncommitted(conflict, landed, post):
                    return _file(key, landed.media, *there)
            else:
                return _file(key, landed.media, landed.probe, sha256)
        raise StorageError(f"{key} is always taken by something else")

    async def _commit(self, claim: Claim, record: Record) -> None:
        """The sidecar, last of all: from here on the post is kept, whatever becomes of us."""
        try:
            key = layout.sidecar_key(record.storage_key)
            await self._store.put_bytes(key, sidecar.build(record), layout.SIDECAR_TYPE)
        except Conflict:
            await self._settle(claim, record.storage_key)
            raise StorageError("What was in the store did not agree, and is in quarantine") from None

    async def _settle(self, claim: Claim, base: str) -> None:
        """Somebody was there first. Raises Lost if that was a later attempt, _Kept if the post is complete."""
        if not all(await self._ledger.keep_alive([claim])):
            raise Lost
        if kept := await self._adoption.kept(claim.aweme_id, base):
            raise _Kept(kept)


class _Clock:
    """The database's time, carried on by a clock of ours that never goes back."""

    def __init__(self, began_at: datetime) -> None:
        self._began_at = began_at.astimezone(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=time.monotonic() - self._began)

    def at(self, moment: float) -> datetime:
        """A moment of this machine's clock, in unix seconds, by the database's."""
        return self.now() - timedelta(seconds=max(0.0, time.time() - moment))


def _link(claim: Claim) -> Link:
    if claim.url:
        return parse(claim.url)
    if claim.aweme_id.isdecimal():
        return post_link(claim.aweme_id)
    raise UnsupportedLink("Nobody has said where this post is")


def _name(stem: Path, media: Media, ext: str) -> Path:
    return stem.with_name(f"{stem.name}{safe_name(media.variant, max_bytes=60)}.{ext}")


def _without(media: Media, error: DownloadFailed | PostUnavailable) -> None:
    """A post whose cover, subtitles or background sound cannot be had is kept without."""


def _keys(base: str, landed: Sequence[Landed]) -> list[str]:
    pieces = [layout.Piece(each.media.kind, each.probe.ext, each.media.language or "") for each in landed]
    return layout.files_of(base, pieces)


def _said(landed: Sequence[Landed]) -> str:
    """The text of all subtitles, which are small."""
    subtitles = [each for each in landed if each.media.kind is MediaKind.SUBTITLE]
    texts = []
    for each in subtitles:
        with told_as_storage(), each.fetched.part.read() as file:
            texts.append(spoken(each.probe.ext, file.read()))
    return "\n".join(texts)


def _file(key: str, media: Media, found: Probe, sha256: str) -> FileRecord:
    return file_record(
        found, kind=media.kind, variant=media.variant, key=key, sha256=sha256, language=media.language or ""
    )

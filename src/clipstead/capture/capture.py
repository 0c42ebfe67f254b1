"""A resolved post becomes files in their places: all that were wanted, or none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from clipstead.capture.choose import Want, choose
from clipstead.capture.hunt import Hunt, Landed, Progress, Rules, rough_path
from clipstead.capture.pieces import Pieces, Strung
from clipstead.capture.renewal import Renewal, Resolves
from clipstead.capture.suitable import check
from clipstead.capture.wanted import Captured, Wanted
from clipstead.errors import BadMedia, DownloadFailed, PostUnavailable, StorageError
from clipstead.media import Probe, probe
from clipstead.model import Media, MediaKind, Post, Resolution
from clipstead.net.download import Fetched, Fetcher
from clipstead.net.partfile import PartFile

Name = Callable[[Media, str], Path]
Skip = Callable[[Media], Path | None]
Missed = Callable[[Media, DownloadFailed | PostUnavailable], None]
Fetch = Callable[[Media, str], Coroutine[Any, Any, Fetched]]
_FAILURES_PER_ATTEMPT = 4
_HELD = 4 * 1024 * 1024  # bytes of a file: some thirty posts at a time are 130 megabytes at the most
_T = TypeVar("_T")


class Capture:
    """Turns resolutions into verified files.

    `max_bytes` a file; `attempts` for each address that fails for a passing reason, `backoff` the first pause between
    them in seconds; `at_once` files of one post at the same time; `hashing` fills Captured.sha256; `strict` insists on
    the sizes that posts tell; `at_hand` looks at files in the event loop, where nobody waits for it but other captures
    (a thread costs more than the look). `clock` gives unix seconds.
    """

    def __init__(
        self,
        resolver: Resolves,
        fetcher: Fetcher,
        *,
        max_bytes: int = 4 * 1024**3,
        attempts: int = 3,
        backoff: float = 0.3,
        at_once: int = 4,
        hashing: bool = False,
        strict: bool = False,
        at_hand: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._resolver = resolver
        self._fetcher = fetcher
        self._max_bytes = max_bytes
        self._rules = Rules(attempts, attempts * _FAILURES_PER_ATTEMPT, backoff, at_hand)
        self._at_once = at_once
        self._pieces = Pieces(fetcher, max_bytes=max_bytes, backoff=backoff)
        self._hashing = hashing
        self._held = _HELD if at_hand else 0
        self._strict = strict
        self._clock = clock

    async def capture(
        self,
        resolution: Resolution,
        wanted: Wanted,
        name: Name,
        progress: Progress | None = None,
        *,
        skip: Skip | None = None,
        missed: Missed | None = None,
    ) -> list[Captured]:
        """The files of a post, in order, each at `name(media, ext)` with the ending its content has.

        Files are durable when this returns; after a failure or a cancellation none is left. `progress` is told (media,
        bytes so far, bytes in all or None). `skip` gives the path of a file that need not be fetched again. An extra
        (cover, subtitles, a photo post's sound) that cannot be had goes to `missed`, and fails the capture without it.
        Raises DownloadFailed naming every reason, PostUnavailable (gone by now), StorageError (also: the name is taken
        by a file of other content), BadMedia (a skipped file is damaged).
        """
        wants = choose(resolution.post, wanted)
        if not wants or wants[0].extra:
            what = "sound" if wanted.audio_only else "video and no images"
            raise DownloadFailed(f"The post has no {what} that can be downloaded", transient=False)
        return await self.files(resolution, wants, name, progress, skip=skip, missed=missed)

    async def files(
        self,
        resolution: Resolution,
        wants: Sequence[Want],
        name: Name,
        progress: Progress | None = None,
        *,
        skip: Skip | None = None,
        missed: Missed | None = None,
    ) -> list[Captured]:
        """As `capture`, for files that were chosen already."""
        run = _Run(self._fetch_with(name, progress))
        try:
            found = await self._search(resolution, wants, run, skip, missed)
            return [item if isinstance(item, Captured) else await _place(item, name) for item in found if item]
        except BaseException:
            run.withdraw()
            raise
        finally:
            run.sweep()

    @asynccontextmanager
    async def held(
        self,
        resolution: Resolution,
        wants: Sequence[Want],
        name: Name,
        progress: Progress | None = None,
        *,
        missed: Missed | None = None,
    ) -> AsyncIterator[list[Landed]]:
        """As `files`, but in no place yet: good part files beside `name(media, ext)`, not synced, gone at the end.

        Whoever wants to keep one gives it a name of its own in the meantime. Raises what `capture` raises.
        """
        run = _Run(self._fetch_with(name, progress))
        try:
            found = await self._search(resolution, wants, run, None, missed)
            yield [item for item in found if isinstance(item, Landed)]
        finally:
            run.sweep()

    async def _search(
        self, resolution: Resolution, wants: Sequence[Want], run: _Run, skip: Skip | None, missed: Missed | None
    ) -> list[Captured | Landed | None]:
        renewal = Renewal(self._resolver, resolution, self._clock)
        slots = asyncio.Semaphore(self._at_once)

        async def one(want: Want) -> Captured | Landed | None:
            async with slots:
                hunt = Hunt(resolution.post, renewal, run.fetch, self._rules)
                return await _existing(want, skip, resolution.post) or await _catch(hunt, want, missed)

        return await _together(one(want) for want in wants)

    def _fetch_with(self, name: Name, progress: Progress | None) -> Fetch:
        async def fetch(media: Media, url: str) -> Fetched:
            tell = None if progress is None else partial(progress, media)
            if media.segmented:
                return await self._pieces.to_file(media, url, rough_path(name, media), tell)
            return await self._fetcher.to_file(
                url,
                rough_path(name, media),
                headers=media.headers,
                cookies=media.cookies,
                expect=media.size if self._strict else None,
                max_bytes=self._max_bytes,
                progress=tell,
                hashing=self._hashing,
                text=media.kind is MediaKind.SUBTITLE,
                held=self._held,
            )

        return fetch


class _Run:
    """Every part file of one capture, so that none is forgotten."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._parts: list[PartFile] = []

    async def fetch(self, media: Media, url: str) -> Fetched:
        """As the function given, remembered."""
        fetched = await self._fetch(media, url)
        self._parts.append(fetched.part)
        return fetched

    def sweep(self) -> None:
        """Remove what did not get into place."""
        for part in self._parts:
            part.discard()

    def withdraw(self) -> None:
        """Take back what did."""
        for part in self._parts:
            part.withdraw()


async def _existing(want: Want, skip: Skip | None, post: Post) -> Captured | None:
    if skip is None:
        return None
    there = ((media, skip(media)) for media in want.candidates)
    media, path = next(((media, path) for media, path in there if path), (None, None))
    if media is None or path is None:
        return None
    try:
        found = await asyncio.to_thread(probe, path)
        _insist_on_one(want, found, post)
    except BadMedia as error:
        raise BadMedia(f"{path.name} is there already, but not good: {error}") from None
    return Captured(media, path, found.size, "", found, skipped=True)


def _insist_on_one(want: Want, found: Probe, post: Post) -> None:
    """Raises BadMedia for a file that none of the candidates can have become: another one's, of the same name."""
    unlike: BadMedia | None = None
    for media in want.candidates:
        try:
            return check(media, found, post)
        except BadMedia as error:
            unlike = unlike or error
    if unlike is not None:
        raise unlike


async def _catch(hunt: Hunt, want: Want, missed: Missed | None) -> Landed | None:
    try:
        return await hunt.catch(want)
    except (DownloadFailed, PostUnavailable) as error:
        if missed is None or not want.extra:
            raise
        missed(want.candidates[0], error)
        return None


async def _place(landed: Landed, name: Name) -> Captured:
    path = name(landed.media, landed.probe.ext)
    try:
        await landed.fetched.part.commit(path)
    except FileExistsError:
        taken = StorageError(f"{path.name} is there already, with other content")
        taken.transient = False
        raise taken from None
    fetched = landed.fetched
    breaks = isinstance(fetched, Strung) and fetched.breaks
    return Captured(landed.media, path, fetched.bytes, fetched.sha256, landed.probe, breaks=breaks)


async def _together(jobs: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """All results in order; at the first failure the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise

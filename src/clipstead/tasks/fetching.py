"""A link becomes one file: fetched, its picture and sound joined, photos shown one by one, cut and converted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from clipstead.capture import Capture, Captured, Picked, pick
from clipstead.capture.naming import safe_name
from clipstead.capture.pick import AUDIO_FILES, SLIDESHOW
from clipstead.errors import DownloadFailed, PostUnavailable, UpstreamError
from clipstead.model import Media, MediaKind, Post, Resolution
from clipstead.resolve.resolver import Resolver
from clipstead.tasks.gauge import Gauge, Tell
from clipstead.tasks.joining import join
from clipstead.tasks.mending import mend
from clipstead.tasks.shaping import Shape, shape
from clipstead.tasks.wish import Wish
from clipstead.tools.show import show
from clipstead.tools.slideshow import Slideshow
from clipstead.tools.workbench import Workbench

_RESOLVE_SECONDS = 60.0
_NAME_BYTES = 180
_ALL_BUT_COPIES = 95.0  # percent of the whole that fetching is, where what follows only copies
_HALF = 50.0


Fetched = Callable[[Media, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Downloads:
    """The parts it takes. `encodes` bounds how many encodes run at a time; `ticks` never goes back, in seconds."""

    resolver: Resolver
    capture: Capture
    bench: Workbench
    encodes: asyncio.Semaphore
    ticks: Callable[[], float]

    async def fetch(self, wish: Wish, folder: Path, tell: Tell, fetched: Fetched | None = None) -> tuple[Path, str]:
        """The file, somewhere in `folder`, and the post's name for it, without extension.

        `fetched` is told of the bytes as well. Raises what resolving and capturing raise, InvalidParams (an unknown
        format, a cut outside the file), BadMedia, StorageError, ToolFailed.
        """
        resolution = await self._resolve(wish)
        post = resolution.post
        picked = pick(post, wish.ask)
        if picked is None:
            what = "sound" if wish.ask.only_sound else "video and no images"
            raise DownloadFailed(f"The post has no {what} that can be downloaded", transient=False)
        gauge = Gauge(tell, self.ticks, share=_HALF if _takes_work(picked, wish) else _ALL_BUT_COPIES)
        files = await self._capture(resolution, picked, folder, _both(gauge.fetched, fetched), gauge)
        files = [await self._mended(file, folder, gauge) if file.breaks else file for file in files]
        whole = await self._one_file(files, picked, wish, folder, gauge)
        return whole, name_of(post, files[0].media if len(files) == 1 else None)

    async def _resolve(self, wish: Wish) -> Resolution:
        """From whoever named the format; from anybody, should that one be out of order by now."""
        if wish.provider:
            try:
                return await self.resolver.resolve(wish.url, timeout=_RESOLVE_SECONDS, provider=wish.provider)
            except UpstreamError:
                pass
        return await self.resolver.resolve(wish.url, timeout=_RESOLVE_SECONDS)

    async def _capture(
        self, resolution: Resolution, picked: Picked, folder: Path, fetched: Fetched, gauge: Gauge
    ) -> list[Captured]:
        wants = [want for want in (picked.picture, *picked.photos, picked.sound) if want is not None]
        gauge.expect(wants)
        names: dict[str, str] = {}

        def name(media: Media, ext: str) -> Path:
            return folder / f"{names.setdefault(media.variant, str(len(names)))}.{ext}"

        return await self.capture.files(resolution, wants, name, fetched, missed=_without)

    async def _mended(self, file: Captured, folder: Path, gauge: Gauge) -> Captured:
        report = gauge.working(gauge.share, gauge.share)
        return replace(file, path=await mend(self.bench, file.path, file.media.duration, folder, report))

    async def _one_file(self, files: list[Captured], picked: Picked, wish: Wish, folder: Path, gauge: Gauge) -> Path:
        begin = gauge.share
        photos = [file.path for file in files if file.media.kind is MediaKind.IMAGE]
        sound = next((file.path for file in files if file.media.kind is MediaKind.AUDIO), None)
        if photos and wish.ask.format_id not in ("", SLIDESHOW):
            return photos[0]
        file, raw = files[0].path, files[0].media.segmented
        if photos:
            async with self.encodes:
                shown = gauge.working(begin, 95)
                file = (await show(self.bench, Slideshow(), photos, sound, folder / "shown.mp4", shown)).path
            begin = 95
        elif picked.picture is not None and sound is not None:
            joined = begin + (99 - begin) / 4
            file = await join(self.bench, file, sound, folder, gauge.working(begin, joined))
            begin, raw = joined, False
        if wish.whole and not raw and wish.ask.container in ("", file.suffix[1:]):
            return file
        wanted = Shape(wish.ask.container, (wish.start, wish.end), raw=raw)
        return await shape(self.bench, self.encodes, file, wanted, folder, gauge.working(begin, 99))


def _takes_work(picked: Picked, wish: Wish) -> bool:
    """Whether much is left to do when everything is fetched, as far as that can be told now."""
    if picked.photos:
        return wish.ask.format_id in ("", SLIDESHOW)
    return not wish.whole or wish.ask.container in ("webm", *AUDIO_FILES)


def name_of(post: Post, only: Media | None = None) -> str:
    """The name of a post's file, without extension: its title and its id; a photo has its number too."""
    number = f" {only.variant.rpartition('-')[2]}" if only is not None and only.kind is MediaKind.IMAGE else ""
    tail = f" [{safe_name(post.id, max_bytes=64)}]{number}" if post.id else number
    title = post.title.strip() or post.author.username or post.link.platform
    return safe_name(title, max_bytes=_NAME_BYTES - len(tail.encode())) + tail


def _without(media: Media, error: DownloadFailed | PostUnavailable) -> None:
    """A photo post whose sound cannot be had is shown in silence."""


def _both(first: Fetched, second: Fetched | None) -> Fetched:
    def told(media: Media, done: int, total: int | None) -> None:
        first(media, done, total)
        if second is not None:
            second(media, done, total)

    return told

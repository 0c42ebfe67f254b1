"""`get` for posts that come in parts, picture and sound apart or as a stream: the very road of a download job."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from clipstead.app import App
from clipstead.capture import Ask, choose, pick
from clipstead.capture.hunt import Progress
from clipstead.capture.wanted import Wanted
from clipstead.cli.progress import Board
from clipstead.errors import StorageError
from clipstead.media import ffmpeg
from clipstead.media.sandbox import Sandbox
from clipstead.model import Media, MediaKind, Post, Resolution
from clipstead.tasks.fetching import Downloads
from clipstead.tasks.wish import Wish
from clipstead.tools.workbench import Workbench, job_folder

_LINES = {"best": "", "hd": "1080p", "sd": "480p"}


def parts_of(post: Post, quality: str, *, audio: bool) -> Ask | None:
    """What to ask for, where no single file of the post is what is wanted; None where one is."""
    if audio:
        return None if choose(post, Wanted(audio_only=True)) else Ask(container="m4a")
    ask = Ask(quality=_LINES[quality])
    picked = pick(post, ask)
    if picked is None or picked.photos:
        return None
    first = [want.candidates[0] for want in (picked.picture, picked.sound) if want is not None]
    return ask if len(first) > 1 or any(media.segmented for media in first) else None


async def save_parts(
    app: App,
    resolution: Resolution,
    ask: Ask,
    name: Callable[[Media, str], Path],
    existing: Callable[[Media], Path | None],
    board: Board,
    report: Progress,
) -> None:
    """One file at the place that `name` gives it. Raises what `Downloads.fetch` raises."""
    post = resolution.post
    whole = Media(MediaKind.AUDIO if ask.only_sound else MediaKind.VIDEO, ask.quality or "best", "")
    there = existing(whole)
    if there is not None:
        return board.saved(there, there.stat().st_size, skipped=True)
    sandbox, target = Sandbox(), name(whole, "mp4")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        bench = Workbench(await asyncio.to_thread(ffmpeg.find, app.settings.ffmpeg), sandbox)
        downloads = Downloads(app.resolver, app.capture, bench, asyncio.Semaphore(1), time.monotonic)
        async with job_folder(target) as folder:
            made, _ = await downloads.fetch(Wish(post.link.url, ask), folder, _silent, report)
            path, size = name(whole, made.suffix[1:]), made.stat().st_size
            await asyncio.to_thread(_place, made, path)
    except OSError as error:
        raise StorageError(f"Cannot write {target.name}: {error.strerror or 'the disk failed'}") from None
    finally:
        await sandbox.close()
    board.saved(path, size)


def _place(made: Path, path: Path) -> None:
    """Durably, in one step."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(path)


def _silent(percent: float, *, speed: str | None = None, eta: float | None = None) -> None:
    """The board shows bytes."""

"""`clipstead get`: links become files; one that fails is named and does not stop the others."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipstead.app import App, open_app
from clipstead.capture import Wanted
from clipstead.capture.naming import check_template, info_path, render
from clipstead.capture.sidefile import existing, write_info
from clipstead.cli.exits import Exit
from clipstead.cli.progress import Board, open_board
from clipstead.errors import ClipsteadError, DownloadFailed, InvalidParams, PostUnavailable, StorageError
from clipstead.model import Media, Resolution
from clipstead.settings import load


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options say."""

    template: str
    quality: Literal["best", "hd", "sd"]
    audio: bool
    subs: bool
    cover: bool
    info_json: bool
    jobs: int

    def wanted(self) -> Wanted:
        return Wanted(quality=self.quality, audio_only=self.audio, cover=self.cover, subtitles=self.subs)


def run(links: Sequence[str], batch: str, wishes: Wishes) -> Exit:
    """Download every link given; SOME_FAILED when at least one could not be had."""
    check_template(wishes.template)
    wanted = list(dict.fromkeys([*links, *_from_file(batch)]))
    if not wanted:
        raise InvalidParams({"LINK": "is missing: give links, or a file of them with -a FILE"})
    return asyncio.run(_get_all(wanted, wishes))


def _from_file(batch: str) -> Iterable[str]:
    """One link a line; blank lines and those that begin with # are passed over."""
    if not batch:
        return []
    try:
        text = sys.stdin.read() if batch == "-" else Path(batch).read_text("utf-8", "replace")
    except OSError as error:
        raise InvalidParams({"-a": f"cannot be read: {error.strerror}"}) from None
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


async def _get_all(links: Sequence[str], wishes: Wishes) -> Exit:
    slots = asyncio.Semaphore(wishes.jobs)
    async with open_app(load()) as app:
        with open_board(len(links)) as board:

            async def one(link: str) -> bool:
                async with slots:
                    return await _get_one(app, link, wishes, board)

            done = await asyncio.gather(*(one(link) for link in links))
            board.close(failed=done.count(False))
    return Exit.DONE if all(done) else Exit.SOME_FAILED


async def _get_one(app: App, link: str, wishes: Wishes, board: Board) -> bool:
    try:
        resolution = await app.resolver.resolve(link)
        return await _save(app, resolution, wishes, board)
    except ClipsteadError as error:
        if isinstance(error, StorageError) and error.transient:
            raise  # a full disk fails every other link as well: say it once and stop
        board.failed(link, str(error))
        return False


async def _save(app: App, resolution: Resolution, wishes: Wishes, board: Board) -> bool:
    """Whether everything that was wished for is there; an extra that cannot be had is named, and the rest kept."""
    post = resolution.post

    def name(media: Media, ext: str) -> Path:
        return render(wishes.template, post, media, ext)

    if wishes.info_json:
        board.saved(write_info(post, info_path(wishes.template, post)))
    complete = True

    def missed(media: Media, error: DownloadFailed | PostUnavailable) -> None:
        nonlocal complete
        complete = False
        board.failed(f"{post.link.url} ({media.variant})", str(error))

    captured = await app.capture.capture(
        resolution, wishes.wanted(), name, board.progress(post), skip=existing(name), missed=missed
    )
    for item in captured:
        board.saved(item.path, item.bytes, skipped=item.skipped)
    return complete

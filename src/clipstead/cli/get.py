"""`clipstead get`: links become files; one that fails is named and does not stop the others."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from clipstead.app import App, open_app
from clipstead.capture import Wanted, choose
from clipstead.capture.naming import check_template, info_path, render
from clipstead.capture.sidefile import existing, write_info
from clipstead.cli.exits import Exit
from clipstead.cli.parts import parts_of, save_parts
from clipstead.cli.progress import Board, open_board
from clipstead.errors import ClipsteadError, DownloadFailed, InvalidParams, PostUnavailable, StorageError
from clipstead.model import Media, Post, Resolution
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
        data = _standard_input() if batch == "-" else Path(batch).read_bytes()
    except OSError as error:
        raise InvalidParams({"-a": f"cannot be read: {error.strerror}"}) from None
    text = data.decode("utf-8-sig", "replace")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _standard_input() -> bytes:
    """All of it; where the shell has closed it there is none."""
    return sys.stdin.buffer.read() if sys.stdin else b""


async def _get_all(links: Sequence[str], wishes: Wishes) -> Exit:
    slots = asyncio.Semaphore(wishes.jobs)
    names = Names(wishes.template)
    async with open_app(load()) as app:
        with open_board(len(links)) as board:

            async def one(link: str) -> bool:
                async with slots:
                    return await _get_one(app, link, wishes, names, board)

            done = await asyncio.gather(*(one(link) for link in links))
            board.close(failed=done.count(False))
    return Exit.DONE if all(done) else Exit.SOME_FAILED


class Names:
    """The names of one run's files. A template may give two posts the same one: whose it is, is remembered."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._owners: dict[Path, str] = {}

    def path(self, post: Post, media: Media, ext: str) -> Path:
        """Where a file goes; the name is then this post's, unless it was another one's before."""
        path = render(self._template, post, media, ext)
        self._owners.setdefault(path, post.id)
        return path

    def existing(self, post: Post, media: Media) -> Path | None:
        """The file that is there already. Raises StorageError (final) where it is another post's of this run."""
        path = existing(lambda media, ext: self.path(post, media, ext))(media)
        if path is not None and self._owners[path] != post.id:
            taken = StorageError(f"{path.name} is the file of another post: put {{id}} into the template")
            taken.transient = False
            raise taken
        return path


async def _get_one(app: App, link: str, wishes: Wishes, names: Names, board: Board) -> bool:
    try:
        resolution = await app.resolver.resolve(link)
        return await _save(app, resolution, wishes, names, board)
    except ClipsteadError as error:
        if isinstance(error, StorageError) and error.transient:
            raise  # a full disk fails every other link as well: say it once and stop
        board.failed(link, str(error))
        return False


async def _save(app: App, resolution: Resolution, wishes: Wishes, names: Names, board: Board) -> bool:
    """Whether everything that was wished for is there; an extra that cannot be had is named, and the rest kept."""
    post = resolution.post

    if wishes.info_json:
        board.saved(write_info(post, info_path(wishes.template, post)))
    complete = True

    def missed(media: Media, error: DownloadFailed | PostUnavailable) -> None:
        nonlocal complete
        complete = False
        board.failed(f"{post.link.url} ({media.variant})", str(error))

    name, there = partial(names.path, post), partial(names.existing, post)
    ask = parts_of(post, wishes.quality, audio=wishes.audio)
    with board.progress(post) as report:
        if ask is None:
            captured = await app.capture.capture(resolution, wishes.wanted(), name, report, skip=there, missed=missed)
        else:
            await save_parts(app, resolution, ask, name, there, board, report)
            extras = [want for want in choose(post, wishes.wanted()) if want.extra]
            captured = await app.capture.files(resolution, extras, name, report, skip=there, missed=missed)
    for item in captured:
        board.saved(item.path, item.bytes, skipped=item.skipped)
    return complete

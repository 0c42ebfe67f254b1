"""`clipstead archive run`: finds and captures until nothing is left, in this process or in several, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from concurrent.futures import ThreadPoolExecutor

from clipstead.app import open_app
from clipstead.archive.figures import figures
from clipstead.archive.waiting import waiting
from clipstead.cli.allocator import keep_memory
from clipstead.cli.archive_board import Board, open_board
from clipstead.cli.archive_shelves import Shelves, open_shelves, probed
from clipstead.cli.archive_shop import archive_of, archive_work, lean
from clipstead.cli.delivering import deliver_rest, deliver_webhooks
from clipstead.cli.exits import Exit
from clipstead.cli.loop import fast_loop, log_quietly
from clipstead.cli.worker import command
from clipstead.db import DatabaseUnavailable
from clipstead.settings import Settings, load
from clipstead.tasks.archive import ArchiveWork
from clipstead.worker import Supervisor, until_told

_THREADS = 8
_YOUNG_OBJECTS = 100_000
_LOOK_SECONDS = 0.5
_SHOW_SECONDS = 1.0
_GRACE_SECONDS = 3.0
_LEAST_WINDOW, _LARGEST_WINDOW = 2.0, 30.0  # seconds that a rate is taken over


def run(workers: int) -> Exit:
    """Work until nothing is pending; INTERRUPTED when somebody stopped it before."""
    settings = load()
    told = _Told()
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(until_told(lambda stop: told.work(settings, workers, stop)))
    return Exit.DONE if told.finished else Exit.INTERRUPTED


def run_one(parent: int) -> Exit:
    """Be one of several worker processes, until told to stop or the parent ends."""
    settings = load()
    log_quietly(settings.log_format, settings.log_level)

    async def work(stop: asyncio.Event) -> None:
        async with open_shelves(settings) as shelves:
            await probed(shelves)
            await _here(settings, shelves, stop)

    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(until_told(work, parent=parent))
    return Exit.DONE


class _Told:
    """One run; `finished` says that it came to its end by itself."""

    def __init__(self) -> None:
        self.finished = False

    async def work(self, settings: Settings, workers: int, stop: asyncio.Event) -> None:
        async with open_shelves(settings) as shelves, open_board(shelves) as board:
            log_quietly(settings.log_format, settings.log_level)
            for note in await probed(shelves):
                board.note(note)
            await board.begin()
            watching = asyncio.create_task(self._watch(shelves, board, stop))
            try:
                await (_here(settings, shelves, stop) if workers == 1 else _several(workers, stop))
            finally:
                stop.set()
                await watching
            await board.end(finished=self.finished)

    async def _watch(self, shelves: Shelves, board: Board, stop: asyncio.Event) -> None:
        """Show how it goes, and end it when nothing is left."""
        clock = asyncio.get_running_loop().time
        began = shown = clock()
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)
            with contextlib.suppress(DatabaseUnavailable):  # then the work cannot go on either, and waits for it
                if not stop.is_set() and not await waiting(shelves.database):
                    self.finished = True
                    stop.set()
                elif clock() - shown >= _SHOW_SECONDS:
                    shown = clock()
                    window = min(max(_LEAST_WINDOW, shown - began), _LARGEST_WINDOW)
                    board.show(await figures(shelves.database, window=window))


async def _here(settings: Settings, shelves: Shelves, stop: asyncio.Event) -> None:
    """In this process: nothing has to start, and no memory is used twice."""
    async with open_app(lean(settings)) as app:
        webhooks = deliver_webhooks(app, shelves.database, shelves.engine)
        await _work(archive_work(archive_of(app, shelves), shelves), shelves, stop)
        await deliver_rest(webhooks)


async def _several(workers: int, stop: asyncio.Event) -> None:
    await Supervisor(command("archive", "run", "--one"), workers).run(stop)


async def _work(work: ArchiveWork, shelves: Shelves, stop: asyncio.Event) -> None:
    tune()
    async with work.under_way():
        await shelves.engine.run(stop, grace=_GRACE_SECONDS)


def tune() -> None:
    """Make this process one that captures: what was measured to cost it least."""
    # Threads here wait for the disk; more of them mostly wait for one another (32 take 15 % more CPU than 8).
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    keep_memory()
    gc.collect()
    gc.freeze()  # what is there now stays: the collector need not walk through it again and again
    gc.set_threshold(_YOUNG_OBJECTS, 50, 100)  # a post leaves next to nothing in circles

"""What `get` shows while it works: bars on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from clipstead.cli.consoles import is_terminal, open_console
from clipstead.cli.words import printable, size_words
from clipstead.model import Media, Post

_SHOWN = 200

Report = Callable[[Media, int, int | None], None]


class Board(Protocol):
    """Where a run tells what it does."""

    def progress(self, post: Post) -> AbstractContextManager[Report]: ...
    def saved(self, path: Path, size: int | None = None, *, skipped: bool = False) -> None: ...
    def failed(self, link: str, reason: str) -> None: ...
    def close(self, *, failed: int) -> None: ...


class _Lines:
    """One line for each file on standard output, one for each failure on standard error."""

    def __init__(self, links: int, output: Console, errors: Console) -> None:
        self._links = links
        self._output, self._errors = output, errors
        self._files = self._bytes = 0
        self._started = time.monotonic()

    def progress(self, post: Post) -> AbstractContextManager[Report]:
        return nullcontext(lambda media, done, total: None)

    def saved(self, path: Path, size: int | None = None, *, skipped: bool = False) -> None:
        words = "there already" if skipped else size_words(size)
        self._output.print(f"{path}  {words}".rstrip(), markup=False)
        if not skipped:
            self._files += 1
            self._bytes += size or 0

    def failed(self, link: str, reason: str) -> None:
        self._errors.print(f"failed  {printable(link)[:_SHOWN]}  {reason}", markup=False)

    def close(self, *, failed: int) -> None:
        seconds = time.monotonic() - self._started
        ended = f"{self._links - failed} of {self._links} links done" if failed else f"{self._links} done"
        self._errors.print(f"{ended}: {self._files} files, {size_words(self._bytes)} in {seconds:.1f} s", markup=False)


class _Bars(_Lines):
    """The same, with a bar for each file under way."""

    def __init__(self, links: int, progress: Progress, errors: Console) -> None:
        super().__init__(links, progress.console, errors)
        self._progress = progress

    @contextmanager
    def progress(self, post: Post) -> Iterator[Report]:
        bars: dict[str, TaskID] = {}

        def report(media: Media, done: int, total: int | None) -> None:
            if media.variant not in bars:
                bars[media.variant] = self._progress.add_task(f"{post.id} {media.variant}", total=total)
            self._progress.update(bars[media.variant], completed=done, total=total, visible=done != total)

        try:
            yield report
        finally:  # a variant that was given up, or whose length nobody told, is never complete
            for bar in bars.values():
                self._progress.remove_task(bar)


@contextmanager
def open_board(links: int) -> Iterator[Board]:
    """A board that fits where the output goes."""
    if not (is_terminal(sys.stdout) and is_terminal(sys.stderr)):
        yield _Lines(links, open_console(), open_console(stderr=True))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=open_console(), transient=True) as progress:
        yield _Bars(links, progress, progress.console)

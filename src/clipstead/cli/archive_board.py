"""What `archive run` shows: a live line on a terminal, a plain one now and then anywhere else, and the account."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.text import Text

from clipstead.archive.figures import Figures, figures
from clipstead.cli.archive_shelves import Shelves
from clipstead.cli.consoles import is_terminal, open_console
from clipstead.cli.words import duration_words, printable, size_words

_PLAIN_SECONDS = 10.0
_DEAD_SHOWN = 20


class Board:
    """Tells how a run goes, on standard error; its account at the end goes to standard output."""

    def __init__(self, shelves: Shelves, errors: Console, live: Live | None) -> None:
        self._shelves = shelves
        self._errors, self._output = errors, open_console()
        self._live = live
        self._told = self._began = time.monotonic()
        self._first: Figures | None = None

    def note(self, words: str) -> None:
        """A line that stays."""
        self._errors.print(f"note: {words}", markup=False)

    async def begin(self) -> None:
        """What was there before."""
        self._first = await figures(self._shelves.database)

    def show(self, now: Figures) -> None:
        """How it stands."""
        if self._live is not None:
            self._live.update(Text(self._line(now)))
        elif time.monotonic() - self._told >= _PLAIN_SECONDS:
            self._told = time.monotonic()
            self._errors.print(self._line(now), markup=False)

    def _line(self, now: Figures) -> str:
        done = now.done - (self._first.done if self._first else 0)
        rate = now.captured / now.window if now.window else 0.0
        parts = [f"{done} captured", f"{now.pending} wait", f"{now.working} under way", f"{rate:.1f}/s"]
        if now.captured_bytes:
            parts.append(f"{size_words(round(now.captured_bytes / now.window))}/s")
        if now.eta:
            parts.append(f"about {duration_words(now.eta)} left")
        if now.dead:
            parts.append(f"{now.dead} dead")
        if now.held:
            parts.append(f"{now.held} held by paused sources")
        parts += [f"{each.provider} rests: {each.reason}" for each in now.budgets if each.rests > 0]
        return ", ".join(parts)

    async def end(self, *, finished: bool) -> None:
        """The account: what was captured, what is dead and why, what cannot go on."""
        last, first = await figures(self._shelves.database), self._first
        if self._live is not None:
            self._live.stop()
        seconds = time.monotonic() - self._began
        captured, size = last.done - (first.done if first else 0), last.bytes - (first.bytes if first else 0)
        self._say(f"{captured} captured, {size_words(max(0, size))} in {seconds:.1f} s; {last.posts} kept in all")
        await self._tell_dead(first.moment if first else last.moment, first, last)
        async for source in self._shelves.sources.all():
            if source.state in ("paused", "unavailable"):
                self._say(f"source {source.spec} {source.state}: {source.detail or source.reason}")
        if not finished:
            self._say(f"stopped before the end: {last.pending + last.working} wait, `archive run` goes on with them")

    async def _tell_dead(self, since: datetime, first: Figures | None, last: Figures) -> None:
        new = Counter(last.errors) - Counter(first.errors if first else {})
        if not new:
            return
        self._say(f"{new.total()} dead: " + ", ".join(f"{number} {reason}" for reason, number in new.most_common()))
        for letter in await self._shelves.dead.page(most=_DEAD_SHOWN):
            if letter.died_at >= since:
                self._say(f"dead  {letter.aweme_id}  {letter.reason}  {letter.detail}".rstrip())
        if new.total() > _DEAD_SHOWN:
            self._say("and more: clipstead archive dead list")

    def _say(self, line: str) -> None:
        self._output.print(printable(line), markup=False)


@asynccontextmanager
async def open_board(shelves: Shelves) -> AsyncIterator[Board]:
    """A board that fits where the output goes."""
    errors = open_console(stderr=True)
    if not is_terminal(sys.stderr):
        yield Board(shelves, errors, None)
        return
    with Live(console=errors, transient=True, refresh_per_second=4, redirect_stdout=False) as live:
        yield Board(shelves, errors, live)

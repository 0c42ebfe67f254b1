"""`clipstead archive status`: how much is kept, what waits, how fast it goes, what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.live import Live
from rich.text import Text

from clipstead.archive.budget import Budget
from clipstead.archive.figures import Figures, figures
from clipstead.archive.sources import SourceRow
from clipstead.cli.archive_shelves import budget_of, open_shelves
from clipstead.cli.consoles import is_terminal, open_console, write_json
from clipstead.cli.exits import Exit
from clipstead.cli.words import duration_words, printable, size_words

_SOURCES_SHOWN = 30
_EVERY_SECONDS = 2.0
_WINDOW_SECONDS = 60.0


def run(*, as_json: bool, watch: bool) -> Exit:
    """Once, or every two seconds until Ctrl-C: on a terminal in place, else a line of JSON, or a page, each time."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(as_json=as_json, watch=watch))
        return Exit.DONE
    return Exit.DONE if watch else Exit.INTERRUPTED


async def _run(*, as_json: bool, watch: bool) -> None:
    in_place = watch and not as_json and is_terminal(sys.stdout)
    async with open_shelves() as shelves:
        budget = budget_of(shelves.settings, shelves.database)
        with Live(console=open_console(), auto_refresh=False) if in_place else contextlib.nullcontext() as live:
            while True:
                now = await figures(shelves.database, window=_WINDOW_SECONDS)
                sources = [row async for row in shelves.sources.all()]
                if as_json:
                    write_json(_plain(now, sources))
                elif live is not None:
                    live.update(Text("\n".join(_lines(now, sources, budget))), refresh=True)
                else:
                    for line in _lines(now, sources, budget):
                        open_console().print(line, markup=False)
                if not watch:
                    return
                await asyncio.sleep(_EVERY_SECONDS)


def _plain(now: Figures, sources: list[SourceRow]) -> dict[str, Any]:
    """Everything; the states of a source's posts stand with the source."""
    told = asdict(now)
    states = told.pop("sources")
    told["given"] = states.get("", {})
    told["sources"] = [
        {
            **{name: value for name, value in asdict(row).items() if name != "source"},
            "kind": row.source.kind.value,
            "posts": states.get(row.spec, {}),
        }
        for row in sources
    ]
    told["rate"] = now.captured / now.window if now.window else 0.0
    return told


def _lines(now: Figures, sources: list[SourceRow], budget: Budget) -> Iterator[str]:
    yield f"kept      {now.posts} posts, {size_words(now.bytes)}" + _counted(now.availability, leave="available")
    held = f", {now.held} held by paused sources" if now.held else ""
    yield f"waiting   {now.pending}, {now.working} under way{held}"
    yield f"dead      {now.dead}" + _counted(now.errors)
    speed = f"{now.captured / now.window:.1f} posts/s, {size_words(round(now.captured_bytes / now.window))}/s"
    left = f", about {duration_words(now.eta)} left" if now.eta else ""
    yield f"rate      {speed} in the last {duration_words(now.window)}{left}"
    if now.lag is not None:
        yield f"lag       {duration_words(now.lag)} from listing to resolve"
    for each in now.budgets:
        rests = f", rests for {duration_words(each.rests)}: {each.reason}" if each.rests > 0 else ""
        ahead = f", turns taken for {duration_words(each.ahead)}" if each.ahead >= 1 else ""
        most = budget.per_minute(each.provider)
        limit = f" of {most:g} a minute" if most else ""
        yield f"budget    {each.provider}{limit}: {each.used} calls so far{ahead}{rests}"
    shown = sorted(sources, key=lambda row: (row.state == "done", row.id))
    for row in shown[:_SOURCES_SHOWN]:
        yield _source_line(row, now)
    if len(shown) > _SOURCES_SHOWN:
        yield f"          and {len(shown) - _SOURCES_SHOWN} sources more: clipstead archive sources"


def _source_line(row: SourceRow, now: Figures) -> str:
    posts = _counted(now.sources.get(row.spec, {}))
    watched = f", every {row.watch_hours:g} h" if row.watch_hours else ""
    why = f": {row.detail or row.reason}" if row.reason or row.detail else ""
    return printable(f"source    {row.spec}  {row.state}{watched}, {row.pages} pages{posts}{why}")


def _counted(numbers: Any, *, leave: str = "") -> str:
    """ " (3 deleted, 1 private)", the most first."""
    told = sorted(((number, word) for word, number in numbers.items() if word != leave), key=lambda each: -each[0])
    return " (" + ", ".join(f"{number} {word}" for number, word in told) + ")" if told else ""

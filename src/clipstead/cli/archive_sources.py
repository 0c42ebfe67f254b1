"""`clipstead archive sources`: what posts are found by, how far each is, and what keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from clipstead.archive.sources import SourceRow, Sources
from clipstead.cli.archive_given import in_options
from clipstead.cli.archive_shelves import open_shelves
from clipstead.cli.columns import print_columns
from clipstead.cli.consoles import write_json
from clipstead.cli.exits import Exit, say
from clipstead.cli.words import when
from clipstead.errors import NotFound, UnsupportedLink
from clipstead.resolve.sources import parse_source, spec

_COLUMNS = ("id", "source", "state", "found", "open", "pages", "watched", "last page", "why")


def show(*, as_json: bool) -> Exit:
    """All of them."""

    async def run() -> list[SourceRow]:
        async with open_shelves() as shelves:
            return [row async for row in shelves.sources.all()]

    rows = asyncio.run(run())
    if as_json:
        write_json([_plain(row) for row in rows])
    elif rows:
        print_columns(_COLUMNS, [_cells(row) for row in rows])
    else:
        say("no sources: clipstead archive add @user")
    return Exit.DONE


def pause(names: Sequence[str]) -> Exit:
    """Let them rest."""
    return _each(names, lambda sources, name: sources.pause(name), "paused")


def resume(names: Sequence[str]) -> Exit:
    """Go on with them."""
    return _each(names, lambda sources, name: sources.resume(name), "goes on")


def remove(names: Sequence[str]) -> Exit:
    """Forget them."""
    return _each(names, lambda sources, name: sources.remove(name, actor="archive sources"), "removed")


def watch(names: Sequence[str], hours: float) -> Exit:
    """Look for new posts every so often; 0 ends that."""
    words = f"looked at every {hours:g} h" if hours else "not watched any more"
    with in_options(watch_hours="--every"):
        return _each(names, lambda sources, name: sources.watch(name, hours or None), words)


def _each(names: Sequence[str], change: Callable[[Sources, str], Awaitable[object]], words: str) -> Exit:
    async def run() -> int:
        failed = 0
        async with open_shelves() as shelves:
            for name in names:
                try:
                    await change(shelves.sources, _spec(name))
                    say(f"{name} {words}")
                except NotFound as error:
                    failed += 1
                    say(f"failed  {name}  {error}")
        return failed

    return Exit.SOME_FAILED if asyncio.run(run()) else Exit.DONE


def _spec(name: str) -> str:
    """However it is written; a number is an id."""
    try:
        return spec(parse_source(name))
    except UnsupportedLink:
        return name


def _plain(row: SourceRow) -> dict[str, object]:
    return {name: value for name, value in asdict(row).items() if name != "source"} | {"kind": row.source.kind.value}


def _cells(row: SourceRow) -> tuple[str, ...]:
    watched = f"{row.watch_hours:g} h" if row.watch_hours else ""
    numbers = (str(row.added), str(row.open), str(row.pages))
    return (str(row.id), row.spec, row.state, *numbers, watched, when(row.page_at), row.detail or row.reason)

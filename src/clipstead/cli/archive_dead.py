"""`clipstead archive dead`: posts that could not be had, listed, tried again or forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from clipstead.cli.archive_given import post_id_of, seconds_of
from clipstead.cli.archive_shelves import open_shelves
from clipstead.cli.columns import print_columns
from clipstead.cli.consoles import write_json
from clipstead.cli.exits import Exit, say
from clipstead.cli.words import when
from clipstead.errors import InvalidParams


def show(reason: str, limit: int, *, as_json: bool) -> Exit:
    """The newest first."""

    async def run() -> None:
        async with open_shelves() as shelves:
            letters = await shelves.dead.page(reason=reason, most=limit)
        if as_json:
            write_json([asdict(letter) for letter in letters])
            return
        rows = [
            (each.aweme_id, each.reason, when(each.died_at), str(each.attempts), each.source, each.detail)
            for each in letters
        ]
        if rows:
            print_columns(("post", "reason", "since", "attempts", "source", "in words"), rows)
        else:
            say("no dead letters")

    asyncio.run(run())
    return Exit.DONE


def retry(posts: Sequence[str], reason: str, *, every: bool) -> Exit:
    """From the beginning, with all attempts before them."""
    ids = _ids(posts)
    _insist(bool(ids or reason), every=every)

    async def run() -> int:
        async with open_shelves() as shelves:
            return await shelves.dead.retry(ids=ids, reason=reason)

    say(f"{asyncio.run(run())} posts wait again: clipstead archive run")
    return Exit.DONE


def purge(reason: str, older_than: str, *, every: bool) -> Exit:
    """Forget the letters, not the deaths."""
    age = seconds_of(older_than)
    _insist(bool(reason or older_than), every=every)

    async def run() -> int:
        async with open_shelves() as shelves:
            return await shelves.dead.purge(reason=reason, age=age, why="by hand", actor="archive dead purge")

    say(f"{asyncio.run(run())} dead letters purged")
    return Exit.DONE


def _ids(posts: Sequence[str]) -> list[str]:
    return [post_id_of(post) for post in posts]


def _insist(chosen: bool, *, every: bool) -> None:
    if chosen == every:
        raise InvalidParams({"--all": "or which ones: say one of the two"})

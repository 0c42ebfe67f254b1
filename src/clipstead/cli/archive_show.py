"""`clipstead archive list|show|search|audit`: what is kept, for people and for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import get_args

from clipstead.archive.audit import Deed
from clipstead.archive.catalog import Captured, PostRow, Wanted
from clipstead.archive.dead import DeadLetter
from clipstead.archive.ledger import LedgerRow
from clipstead.cli.archive_care import author_name
from clipstead.cli.archive_given import in_options, post_id_of
from clipstead.cli.archive_shelves import Shelves, open_shelves
from clipstead.cli.columns import print_columns
from clipstead.cli.consoles import open_console, write_json
from clipstead.cli.exits import Exit, say
from clipstead.cli.words import printable, size_words, when
from clipstead.errors import InvalidParams, NotFound, Reason

_STATES = ("available", *get_args(Reason))
_TITLE = 60
_METRICS_SHOWN = 20


def list_posts(author: str, state: str, limit: int, *, as_json: bool) -> Exit:
    """The newest captures first."""
    if state and state not in _STATES:
        raise InvalidParams({"--state": f"must be one of {', '.join(_STATES)}"})
    wanted = Wanted(author=author_name(author) if author else "", availability=state)
    return _posts(wanted, limit, as_json=as_json)


def search(question: str, limit: int, *, as_json: bool) -> Exit:
    """Those in which all words stand."""
    return _posts(Wanted(question=question), limit, as_json=as_json)


def _posts(wanted: Wanted, limit: int, *, as_json: bool) -> Exit:
    async def run() -> Sequence[PostRow]:
        async with open_shelves() as shelves:
            return await shelves.catalog.page(wanted, most=limit)

    with in_options(question="WORDS"):
        rows = asyncio.run(run())
    if as_json:
        write_json([asdict(row) for row in rows])
    elif rows:
        _print_posts(rows)
    else:
        say("no such posts")
    return Exit.DONE


def _print_posts(rows: Sequence[PostRow]) -> None:
    kept = [
        (row.aweme_id, row.author_handle, when(row.archived_at), row.kind, size_words(row.bytes), row.availability)
        for row in rows
    ]
    titled = [(*cells, _one_line(row.title)) for cells, row in zip(kept, rows, strict=True)]
    print_columns(("post", "author", "captured", "kind", "size", "state", "title"), titled)


def _one_line(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _TITLE else plain[: _TITLE - 1] + "…"


def show(post: str, *, as_json: bool) -> Exit:
    """One post, or why it is not there; SOME_FAILED when it is not."""
    post_id = post_id_of(post)

    async def run() -> Exit:
        async with open_shelves() as shelves:
            try:
                captured = await shelves.catalog.get(post_id)
            except NotFound:
                return await _absent(shelves, post_id, as_json=as_json)
        if as_json:
            write_json(asdict(captured))
        else:
            _print(captured)
        return Exit.DONE

    return asyncio.run(run())


async def _absent(shelves: Shelves, post_id: str, *, as_json: bool) -> Exit:
    row = await shelves.ledger.get(post_id)
    letters = await shelves.dead.page(ids=[post_id], most=1)
    if as_json:
        ledger = asdict(row) if row else None
        write_json({"post": None, "ledger": ledger, "dead": asdict(letters[0]) if letters else None})
    else:
        say(f"{post_id}: {await _why(shelves, post_id, row, letters)}")
    return Exit.SOME_FAILED


async def _why(shelves: Shelves, post_id: str, row: LedgerRow | None, letters: Sequence[DeadLetter]) -> str:
    if await shelves.tombstones.is_erased(post_id):
        return "was erased"
    if letters:
        return f"dead since {when(letters[0].died_at)}: {letters[0].reason}, {letters[0].detail}"
    if row is None:
        return "nobody has asked for it: clipstead archive add"
    if row.state == "pending":
        after = f", not before {when(row.next_at)}" if row.next_at else ""
        failed = f", after {row.attempts} attempts ({row.reason})" if row.attempts else ""
        return f"waits to be captured{after}{failed}"
    return {"working": "is being captured", "done": "was deleted: clipstead archive audit"}.get(row.state, row.reason)


def _print(captured: Captured) -> None:
    console, post = open_console(), captured.post
    about = {
        "post": f"{post.aweme_id}  {post.url}",
        "author": f"{post.author_handle} ({post.author_id})",
        "title": " ".join(post.title.split()),
        "posted": when(datetime.fromtimestamp(post.create_time, UTC)) if post.create_time is not None else "",
        "captured": f"{when(post.archived_at)} by {post.provider}" + (f" from {post.source}" if post.source else ""),
        "state": post.availability + (f" since {when(post.availability_at)}" if post.availability_at else ""),
        "seen": f"{when(post.last_seen)}, looked at {when(post.refreshed_at)}",
        "sound": " by ".join(filter(None, (post.music_title, post.music_author))),
    }
    for name, value in about.items():
        if value:
            console.print(f"{name:9} {printable(value)}", markup=False)
    for file in captured.files:
        console.print(f"file      {printable(file.key)}  {size_words(file.bytes)}  {file.sha256}", markup=False)
    for line in captured.metrics[:_METRICS_SHOWN]:
        counts = {name: value for name, value in asdict(line).items() if name != "seen_at" and value is not None}
        told = "  ".join(f"{name.removesuffix('_count')} {value}" for name, value in counts.items())
        console.print(f"counters  {when(line.seen_at)}  {told}", markup=False)


def audit(limit: int, *, as_json: bool) -> Exit:
    """The newest deeds first."""

    async def run() -> list[Deed]:
        async with open_shelves() as shelves:
            return await shelves.audit.page(most=limit)

    deeds = asyncio.run(run())
    if as_json:
        write_json([{**asdict(deed), "detail": dict(deed.detail)} for deed in deeds])
    elif deeds:
        rows = [(when(deed.at), deed.action, deed.subject, deed.actor, deed.reason) for deed in deeds]
        print_columns(("at", "what", "whom", "by", "why"), rows)
    else:
        say("nothing was deleted yet")
    return Exit.DONE

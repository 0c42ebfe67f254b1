"""`clipstead archive rehydrate|erase|sweep`: the catalog made again, posts removed for good, tidying up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from clipstead.archive.erase import Erased
from clipstead.archive.rehydrate import rehydrate as rehydrated
from clipstead.cli.archive_given import post_id_of
from clipstead.cli.archive_shelves import open_shelves, probed
from clipstead.cli.consoles import Meter
from clipstead.cli.exits import Exit, say
from clipstead.cli.words import size_words
from clipstead.errors import InvalidParams
from clipstead.model import SourceKind
from clipstead.resolve.sources import parse_source

_ACTOR = "archive erase"


def rehydrate() -> Exit:
    """Everything that the store's sidecars tell; SOME_FAILED when one could not be read."""

    async def run() -> Exit:
        async with open_shelves() as shelves:
            meter = Meter()
            done = await rehydrated(
                shelves.ledger,
                shelves.tombstones,
                shelves.store,
                told=lambda done: meter.show(f"{done.sidecars} sidecars read"),
            )
            meter.clear()
            await shelves.ledger.sweep()  # adds up what status reads
        for key, why in done.unreadable:
            say(f"failed  {key}  {why}")
        say(f"{done.sidecars} sidecars read: {done.posts} posts were missing, {done.tombstones} tombstones")
        return Exit.SOME_FAILED if done.unreadable else Exit.DONE

    return asyncio.run(run())


def erase(author: str, posts: Sequence[str], reason: str) -> Exit:
    """Bytes and personal data go for good; InvalidParams unless it is said whose."""
    if bool(author) == bool(posts):
        raise InvalidParams({"--author, --post": "say which, and one of them"})
    ids = list(dict.fromkeys(post_id_of(post) for post in posts))
    name = author_name(author) if author else ""

    async def run() -> Erased:
        async with open_shelves() as shelves:
            await probed(shelves)
            if name:
                return await shelves.eraser.author(name, reason=reason, actor=_ACTOR)
            return await shelves.eraser.posts(ids, reason=reason, actor=_ACTOR)

    gone = asyncio.run(run())
    say(f"erased {gone.posts} posts: {gone.objects} objects, {size_words(gone.bytes)}; they will not be captured again")
    return Exit.DONE


def author_name(text: str) -> str:
    """An author's id as it is, a handle (or a link to a profile) as "@handle"."""
    if text.isascii() and text.isdigit():
        return text
    if "/" in text:
        source = parse_source(text)
        if source.kind is not SourceKind.USER:
            raise InvalidParams({"--author": "must be a handle, an id, or a link to a profile"})
        return f"@{source.target}"
    handle = text.removeprefix("@").strip()
    if not handle or not handle.isprintable() or len(handle) > 200:
        raise InvalidParams({"--author": "must be a handle, an id, or a link to a profile"})
    return f"@{handle}"


def sweep() -> Exit:
    """Delete what nobody needs."""

    async def run() -> None:
        async with open_shelves() as shelves:
            await probed(shelves)
            gone = await shelves.janitor.sweep()
            lost = await shelves.ledger.sweep() + await shelves.sources.sweep()
        say(
            f"deleted {gone.temps} temporary files, {gone.uploads} uploads, {gone.letters} dead letters, "
            f"{gone.posts} posts of {size_words(gone.bytes)}, {gone.leftovers} objects of posts that died; "
            f"finished {gone.erased} erasures; queued {lost} lost again"
        )

    asyncio.run(run())
    return Exit.DONE

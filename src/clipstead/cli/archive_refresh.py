"""`clipstead archive refresh`: captured posts looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from clipstead.archive.catalog import Catalog, PostRow, Wanted
from clipstead.archive.refresh import Refresher
from clipstead.cli.archive_care import author_name
from clipstead.cli.archive_given import post_id_of, seconds_of
from clipstead.cli.archive_shop import open_archive
from clipstead.cli.consoles import Meter
from clipstead.cli.exits import Exit, say
from clipstead.errors import InvalidParams, NotFound
from clipstead.settings import load


def run(posts: Sequence[str], author: str, older_than: str, *, every: bool, limit: int) -> Exit:
    """The posts chosen in one way; SOME_FAILED when of one nobody could say anything."""
    age = seconds_of(older_than)
    if sum(map(bool, (posts, author, older_than, every))) != 1:
        raise InvalidParams({"POST, --author, --older-than, --all": "say which posts, in one of these ways"})
    ids = list(dict.fromkeys(post_id_of(post) for post in posts))
    name = author_name(author) if author else ""
    return asyncio.run(_run(ids, name, age, limit))


async def _run(ids: Sequence[str], author: str, age: float, limit: int) -> Exit:
    async with open_archive(load()) as (archive, shelves):
        missing: list[str] = []
        refresher = Refresher(archive.catalog, archive.calls, at_once=shelves.settings.archive_api_concurrent)
        meter = Meter()
        done = await refresher.posts(
            _chosen(archive.catalog, ids, author, age, limit, missing),
            told=lambda done: meter.show(f"{done.looked} looked at"),
        )
        meter.clear()
    for each in missing:
        say(f"failed  {each}  The archive has no such post")
    for each, why in done.failed:
        say(f"failed  {each}  {why}")
    gone = "".join(f", {number} {reason}" for reason, number in sorted(done.gone.items()))
    back = f" ({done.back} came back)" if done.back else ""
    say(f"{done.looked} looked at: {done.seen} there{back}{gone}")
    return Exit.SOME_FAILED if missing or done.failed else Exit.DONE


async def _chosen(
    catalog: Catalog, ids: Sequence[str], author: str, age: float, limit: int, missing: list[str]
) -> AsyncIterator[PostRow]:
    if ids:
        for each in ids:
            try:
                yield (await catalog.get(each)).post
            except NotFound:
                missing.append(each)
        return
    if limit and not author:
        for post in await catalog.stalest(age, most=limit):
            yield post
        return
    before = datetime.now(UTC) - timedelta(seconds=age)
    found = (post async for post in catalog.all(Wanted(author=author)) if post.refreshed_at <= before)
    if limit:  # of one author: all of them can be held
        for post in sorted([post async for post in found], key=lambda post: post.refreshed_at)[:limit]:
            yield post
        return
    async for post in found:
        yield post

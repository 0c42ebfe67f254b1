"""/api/archive/sources: what shall be kept, said, listed, paused, gone on with and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from clipstead.archive import layout
from clipstead.archive.given import is_short, moment_of, narrowed, source_of, understood
from clipstead.archive.ledger import Added, Entry
from clipstead.archive.sources import SourceRow
from clipstead.errors import ClipsteadError, InvalidParams, StorageError, UnsupportedLink
from clipstead.model import Link, Source
from clipstead.server.archive.entrance import Entrance
from clipstead.server.archive.params import SourcesWish, WatchWish, number_in_path
from clipstead.server.archive.shown import added_json, source_json
from clipstead.server.archive_room import ArchiveRoom
from clipstead.server.json_body import json_body
from clipstead.server.key_answers import success

_LARGEST_BODY = 512 * 1024
_MOST_SHORTS = 50
_AT_ONCE = 8
_TEXT_SHOWN = 100

Change = Callable[[ArchiveRoom, int], Awaitable[SourceRow]]


@dataclass(frozen=True, slots=True)
class SourceCalls:
    """The handlers."""

    entrance: Entrance

    async def add(self, request: Request) -> Response:
        """Want sources and posts. All is understood before anything is added; what a short link does not tell is named
        in `failed`."""
        room, _ = await self.entrance.change(request)
        wish = await json_body(request, SourcesWish, largest=_LARGEST_BODY)
        wish.check()
        since = moment_of(wish.since or "")
        whole, failed = await _expanded(room, _understood(wish.sources))
        posts = [Entry(layout.post_id(each), each.url) for each in whole if isinstance(each, Link)]
        added = await room.ledger.add(posts, "") if posts else Added()
        rows = {}
        for source in (each for each in whole if isinstance(each, Source)):
            wanted = narrowed(source, wish.region or "", wish.publishTime or 0, wish.sortBy or 0)
            row = await room.sources.add(wanted, watch_hours=wish.watchHours, max_posts=wish.maxPosts, since=since)
            rows[row.id] = row
        told = [source_json(row) for row in rows.values()]
        return success({"sources": told, "posts": added_json(added), "failed": failed})

    async def list(self, request: Request) -> Response:
        """Every source as it stands, in the order they were added."""
        room = await self.entrance.look(request)
        return success([source_json(row) async for row in room.sources.all()])

    async def pause(self, request: Request) -> Response:
        """Let it rest, with its posts that wait."""
        return await self._changed(request, lambda room, source: room.sources.pause(source))

    async def resume(self, request: Request) -> Response:
        """Go on with it."""
        return await self._changed(request, lambda room, source: room.sources.resume(source))

    async def watch(self, request: Request) -> Response:
        """Look for new posts every so many hours, or no more."""
        room, _ = await self.entrance.change(request)
        source = number_in_path(request, "id", "source")
        wish = await json_body(request, WatchWish)
        try:
            return success(source_json(await room.sources.watch(source, wish.hours)))
        except InvalidParams as error:
            raise InvalidParams({"hours": error.fields["watch_hours"]}) from None

    async def remove(self, request: Request) -> Response:
        """Forget it and its posts that wait; what is captured stays."""
        room, who = await self.entrance.change(request)
        source = number_in_path(request, "id", "source")
        return success({"id": source, "dropped": await room.sources.remove(source, actor=who)})

    async def _changed(self, request: Request, change: Change) -> Response:
        room, _ = await self.entrance.change(request)
        return success(source_json(await change(room, number_in_path(request, "id", "source"))))


def _understood(texts: Sequence[str]) -> list[Source | Link]:
    found = []
    for text in texts:
        try:
            found.append(understood(text))
        except UnsupportedLink as error:
            raise InvalidParams({"sources": f"must be sources, links or ids: {_shown(text)}: {error}"}) from None
    return found


async def _expanded(
    room: ArchiveRoom, given: Sequence[Source | Link]
) -> tuple[list[Source | Link], list[dict[str, str]]]:
    """With what short links lead to in their place; those that do not tell, and why."""
    shorts = [each for each in given if isinstance(each, Link) and is_short(each)]
    if len(shorts) > _MOST_SHORTS:
        raise InvalidParams({"sources": f"must hold at most {_MOST_SHORTS} short links"})
    slots = asyncio.Semaphore(_AT_ONCE)
    failed: list[dict[str, str]] = []

    async def one(link: Link) -> Source | Link | None:
        async with slots:
            try:
                return source_of(await room.expand(link))
            except StorageError:
                raise
            except ClipsteadError as error:
                failed.append({"source": link.url, "error": str(error)})
                return None

    expanded = await asyncio.gather(*(one(link) for link in shorts))
    plain = [each for each in given if not is_short(each)]
    return [*plain, *(each for each in expanded if each is not None)], failed


def _shown(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)[:_TEXT_SHOWN]

"""/api/archive/status: how it stands, once or as long as somebody listens; all listeners are told from one look."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from clipstead.archive.figures import figures
from clipstead.server.archive.entrance import Entrance
from clipstead.server.archive.shown import status_json
from clipstead.server.archive_room import ArchiveRoom
from clipstead.server.dialect import NotReady
from clipstead.server.key_answers import success
from clipstead.server.sse import Event, Streams

_EVERY_SECONDS = 3.0
_WINDOW_SECONDS = 60.0
_MOST_SOURCES = 1000
_SUBJECT = "status"


class StatusCalls:
    """The handlers."""

    def __init__(self, entrance: Entrance, streams: Streams) -> None:
        self._entrance = entrance
        self._hub = streams.hub(self._watch)

    async def show(self, request: Request) -> Response:
        """How it stands now."""
        return success(await _state(await self._entrance.look(request)))

    async def stream(self, request: Request) -> Response:
        """How it stands, as server-sent events, every few seconds until the listener leaves."""
        await self._entrance.look(request)
        return await self._hub.stream(_SUBJECT)

    async def _watch(self, _subject: str) -> AsyncIterator[Event]:
        """Ends, and is asked for again by whoever listens, when the database cannot be reached."""
        for number in itertools.count(1):
            room = self._entrance.workroom().archive
            if room is None:
                raise NotReady("There is no archive here")
            yield Event(number, _SUBJECT, orjson.dumps(await _state(room)))
            await asyncio.sleep(_EVERY_SECONDS)


async def _state(room: ArchiveRoom) -> dict[str, Any]:
    now = await figures(room.database, window=_WINDOW_SECONDS)
    return status_json(now, await room.sources.list(most=_MOST_SOURCES))

"""/api/archive/posts: what is kept, by search or newest first, and its files from the store."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from clipstead.archive.catalog import Place, Wanted
from clipstead.archive.post_row import File
from clipstead.archive.store import Store
from clipstead.errors import InvalidParams, NotFound
from clipstead.media.mime import OPAQUE, SHOWN, SUBTITLES
from clipstead.server.archive.entrance import Entrance
from clipstead.server.archive.params import cursor_of, cut, number_in_path, paging, word
from clipstead.server.archive.shown import captured_json, name_of, post_json
from clipstead.server.key_answers import success
from clipstead.server.stored import FileAnswer

_YES = frozenset(("1", "true", "yes"))
# What a browser may do with a file goes by its type: only those of ours are told, nothing that can hold a script.
_TYPES = frozenset((*SHOWN.values(), *SUBTITLES.values()))


@dataclass(frozen=True, slots=True)
class PostCalls:
    """The handlers."""

    entrance: Entrance

    async def list(self, request: Request) -> Response:
        """The newest captures first, or those of an author, or those that a search finds."""
        room = await self.entrance.look(request)
        page = paging(request)
        wanted = Wanted(question=word(request, "query"), author=word(request, "author"))
        before = Place(*page.after) if page.after else None
        try:
            found = await room.catalog.page(wanted, before=before, most=page.limit + 1)
        except InvalidParams as error:
            raise InvalidParams({"query": _rule(error)}) from None
        rows, more = cut(found, page.limit)
        cursor = cursor_of(rows[-1].archived_at, rows[-1].aweme_id) if rows else ""
        return success({"posts": [post_json(row) for row in rows], "cursor": cursor, "more": more})

    async def show(self, request: Request) -> Response:
        """One post with its files and how its counters went."""
        room = await self.entrance.look(request)
        return success(captured_json(await room.catalog.get(request.path_params["id"])))

    async def file(self, request: Request) -> Response:
        """A file of a post, or a part of it; `?inline=1` is shown, not saved."""
        room = await self.entrance.look(request)
        number = number_in_path(request, "number", "file")
        captured = await room.catalog.get(request.path_params["id"])
        file = next((each for each in captured.files if each.number == number), None)
        if file is None:
            raise NotFound("There is no such file")
        inline = request.query_params.get("inline", "").lower() in _YES
        return Kept(request, file, await room.store(), inline=inline)


def _rule(error: InvalidParams) -> str:
    return next(iter(error.fields.values()))


class Kept(FileAnswer):
    """A file of the archive as an answer."""

    def __init__(self, request: Request, file: File, store: Store, *, inline: bool) -> None:
        mime = file.content_type if file.content_type in _TYPES else OPAQUE
        super().__init__(request, name_of(file), mime, file.bytes, file.sha256, inline=inline)
        self._store = store
        self._key = file.key

    async def blocks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """As the store gives them. Raises NotFound where it has no such object, StorageError."""
        found = self._store.get(self._key, start=start, end=end)
        try:
            async for block in found:
                yield block
        finally:
            if isinstance(found, AsyncGenerator):
                await found.aclose()

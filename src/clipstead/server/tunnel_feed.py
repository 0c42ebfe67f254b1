"""The bytes of a ticket's file as the CDN sends them: mirrors tried, an expired address renewed once, a cut mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Protocol

from clipstead.errors import DownloadFailed, Expired
from clipstead.net.download import Fetcher
from clipstead.server.archived import PROVIDER as ARCHIVE
from clipstead.server.archived import Archived
from clipstead.server.ranges import Sent, Span, Unsatisfiable, sent
from clipstead.server.tokens import Ticket
from clipstead.server.tunnel_source import Source, Sources

CHUNK = 256 * 1024
_GONE = (401, 403, 404, 410)  # how CDNs say that an address is over
_MIRRORS = 2
_RETRY_PAUSE = 0.3


class Body(Protocol):
    """Bytes on their way: from a CDN, or from a store of ours."""

    @property
    def length(self) -> int | None: ...
    @property
    def content_type(self) -> str: ...

    def chunks(self, size: int, /) -> AsyncIterator[bytes]:
        """The pieces, in order. Raises DownloadFailed."""
        ...


class Feed:
    """An upstream answer under way. `part` is set when it is a 206; `total` is the whole file's size, if told."""

    def __init__(self, source: Source, incoming: Body, part: Sent | None, stack: AsyncExitStack) -> None:
        self.source = source
        self.part = part
        self.total = part.total if part else incoming.length
        self.content_type = incoming.content_type
        self.chunks: AsyncIterator[bytes] = incoming.chunks(CHUNK)
        self._stack = stack

    async def head(self, enough: int) -> bytes:
        """The first bytes, at least `enough` of them unless there are fewer; `chunks` goes on after them."""
        first = b""
        while len(first) < enough:
            piece = await anext(self.chunks, b"")
            if not piece:
                break
            first += piece
        return first

    async def close(self) -> None:
        """Give the connection back, or end it."""
        await self._stack.aclose()


class Feeds:
    """Opens feeds for tickets; `archived` gives what the archive may be asked for, if anything."""

    def __init__(
        self, sources: Sources, fetcher: Fetcher, archived: Callable[[], Archived | None] = lambda: None
    ) -> None:
        self._sources = sources
        self._fetcher = fetcher
        self._archived = archived

    async def open(self, ticket: Ticket, span: Span | None) -> Feed:
        """A feed of `span`, or of everything where the upstream will not part the file, or has another one now."""
        if ticket.provider == ARCHIVE:
            return await self._kept(ticket, span)
        feed = await self._parted(ticket, span) if span else None
        return feed or await self._open(ticket, None)

    async def _parted(self, ticket: Ticket, span: Span) -> Feed | None:
        try:
            feed = await self._open(ticket, span)
        except DownloadFailed as error:
            if error.status != 416:
                raise
            if ticket.size is None:
                raise Unsatisfiable from None
            return None  # it cannot be the file the ticket was made for, which had these bytes
        if feed.part is None or _fits(feed, span, ticket):
            return feed
        await feed.close()
        return None

    async def resume(self, ticket: Ticket, cut: Feed, rest: Span) -> Feed:
        """The `rest` of a file whose feed was cut short; DownloadFailed unless it is the very same file."""
        await cut.close()
        feed = await (self._kept(ticket, rest) if ticket.provider == ARCHIVE else self._open(ticket, rest))
        same = feed.part is not None and feed.part.start == rest.start and feed.total == cut.total
        if same and feed.source.provider == cut.source.provider:
            return feed
        await feed.close()
        raise DownloadFailed("The file has changed on the way")

    async def _kept(self, ticket: Ticket, span: Span | None) -> Feed:
        archived = self._archived()
        if archived is None:
            raise Expired("The archive is not asked any more")
        source, body, part = await archived.open(ticket, span)
        stack = AsyncExitStack()
        feed = Feed(source, body, part, stack)
        if isinstance(feed.chunks, AsyncGenerator):
            stack.push_async_callback(feed.chunks.aclose)
        return feed

    async def _open(self, ticket: Ticket, span: Span | None) -> Feed:
        source = await self._sources.find(ticket)
        try:
            return await self._dial_any(source, span)
        except DownloadFailed as error:
            if error.status in _GONE:
                source = await self._sources.renew(ticket, source)
            elif error.transient:
                await asyncio.sleep(_RETRY_PAUSE)
            else:
                raise
        return await self._dial_any(source, span)

    async def _dial_any(self, source: Source, span: Span | None) -> Feed:
        urls = (source.media.url, *source.media.mirrors[:_MIRRORS])
        for url in urls[:-1]:
            try:
                return await self._dial(source, url, span)
            except DownloadFailed as error:
                if error.status in _GONE:
                    raise  # mirrors carry the same end
        return await self._dial(source, urls[-1], span)

    async def _dial(self, source: Source, url: str, span: Span | None) -> Feed:
        byte_range = (span.start, span.last) if span else None
        async with AsyncExitStack() as stack:
            incoming = await stack.enter_async_context(
                self._fetcher.open(
                    url, headers=source.media.headers, cookies=source.media.cookies, byte_range=byte_range
                )
            )
            part = sent(incoming.headers.get("content-range")) if incoming.status == 206 else None
            if incoming.status == 206 and (part is None or span is None):
                raise DownloadFailed("The platform sent a part that cannot be placed")
            return Feed(source, incoming, part, stack.pop_all())


def _fits(feed: Feed, span: Span, ticket: Ticket) -> bool:
    """Whether a part is of the very file the ticket was made for, and begins where it was asked to."""
    return feed.part is not None and feed.part.start == span.start and ticket.size in (None, feed.part.total)

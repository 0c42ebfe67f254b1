"""`/media/{token}/{name}`: streams a file of a post from its CDN: ranges, backpressure, no trust in the bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clipstead.errors import ClipsteadError, DeadlineExceeded, DownloadFailed
from clipstead.server.addresses import MEDIA_PATH
from clipstead.server.dialect import Refusal
from clipstead.server.presence import StreamCut, while_present
from clipstead.server.ranges import Span, Unsatisfiable, asked, has_already
from clipstead.server.responses import otherwise
from clipstead.server.sending import begin, finish, hand_over
from clipstead.server.tokens import Signer, Ticket
from clipstead.server.tunnel_feed import Feed, Feeds
from clipstead.server.tunnel_headers import HEAD_BYTES, etag, judged, media_headers, presumed, span_headers

_PATIENCE = 60.0  # seconds until the first byte must be there
_MENDS = 2
_PEEK = Span(0, 1023)  # what a HEAD asks the CDN for


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What every transfer needs; `clock` gives unix seconds."""

    signer: Signer
    feeds: Feeds
    clock: Callable[[], float]

    def router(self) -> APIRouter:
        """The route, GET documented and HEAD beside it."""
        router = APIRouter(tags=["media"], responses={206: {"description": "A part of it"}, **otherwise("error")})

        async def media(request: Request, token: str, name: str) -> Response:
            """A file of a post, as an answer of ours addressed it. `name` is only for people."""
            return _Transfer(self, request, token)

        router.add_api_route(
            MEDIA_PATH + "{token}/{name}",
            media,
            methods=["GET"],
            response_class=Response,
            summary="A file of a post",
        )
        router.add_api_route(MEDIA_PATH + "{token}/{name}", media, methods=["HEAD"], include_in_schema=False)
        return router


class _Transfer(Response):
    """One answer. What fails before its first byte is raised as an error of ours; after that as StreamCut."""

    def __init__(self, tunnel: Tunnel, request: Request, token: str) -> None:
        super().__init__()
        self._tunnel = tunnel
        self._token = token
        self._query = request.query_params
        self._asked = request.headers
        self._without_body = request.method == "HEAD"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ends as soon as the client is gone: uvicorn would swallow what is sent to nobody."""
        ticket = self._tunnel.signer.open(self._token)
        await while_present(receive, self._answer(ticket, send))

    async def _answer(self, ticket: Ticket, send: Send) -> None:
        mine = etag(ticket.provider, ticket, ticket.size)
        if mine and has_already(self._asked.get("if-none-match"), mine):
            return await begin(send, 304, {"etag": mine}, done=True)
        span = self._span(ticket)
        try:
            async with asyncio.timeout(_PATIENCE):
                feed, head = await self._begun(ticket, span)
        except TimeoutError:
            raise DeadlineExceeded("The platform did not send the file in time") from None
        try:
            await self._transfer(ticket, feed, head, send)
        finally:
            await feed.close()

    def _span(self, ticket: Ticket) -> Span | None:
        if self._without_body:
            return _PEEK
        try:
            return asked(self._asked.get("range"), ticket.size)
        except Unsatisfiable:
            if self._asked.get("if-range") not in (None, etag(ticket.provider, ticket, ticket.size)):
                return None  # the client's half is of another file, perhaps a longer one
            raise _beyond(ticket) from None

    async def _begun(self, ticket: Ticket, span: Span | None) -> tuple[Feed, bytes]:
        """A feed with its first bytes read; one that breaks off before them is opened once more."""
        for chance in (1, 2):
            feed = await self._feed(ticket, span)
            try:
                return feed, await feed.head(HEAD_BYTES)
            except DownloadFailed as error:
                await feed.close()
                if chance == 2 or not error.transient:
                    raise
            except BaseException:
                await feed.close()
                raise
        raise AssertionError("unreachable")

    async def _feed(self, ticket: Ticket, span: Span | None) -> Feed:
        """If-Range is judged by what the CDN really has: another file than the client's half is sent whole."""
        condition = self._asked.get("if-range")
        try:
            feed = await self._tunnel.feeds.open(ticket, span)
        except Unsatisfiable:
            if condition is not None:
                return await self._tunnel.feeds.open(ticket, None)
            raise _beyond(ticket) from None
        if feed.part is None or condition is None or self._without_body:
            return feed
        if condition == etag(feed.source.provider, ticket, feed.total):
            return feed
        await feed.close()
        return await self._tunnel.feeds.open(ticket, None)

    async def _transfer(self, ticket: Ticket, feed: Feed, head: bytes, send: Send) -> None:
        face = judged(feed.source, head) if _tells(feed, head) else presumed(feed.source, feed.content_type)
        inline = self._query.get("inline", "").lower() in ("1", "true", "yes")
        max_age = ticket.expires_at - int(self._tunnel.clock())
        headers = media_headers(ticket, feed, face, inline=inline, max_age=max_age)
        if self._without_body:
            length = {} if feed.total is None else {"content-length": str(feed.total)}
            return await begin(send, 200, headers | length, done=True)
        await begin(send, 206 if feed.part else 200, headers | span_headers(feed))
        async with aclosing(_mended(self._tunnel.feeds, ticket, feed, head)) as pieces:
            async for piece in pieces:
                await hand_over(send, piece)
        await finish(send)


def _tells(feed: Feed, head: bytes) -> bool:
    """Whether `head` is the file's beginning, and enough of it: some players ask for the first two bytes alone."""
    return feed.part is None or (feed.part.start == 0 and len(head) >= min(HEAD_BYTES, feed.part.total))


async def _mended(feeds: Feeds, ticket: Ticket, feed: Feed, head: bytes) -> AsyncGenerator[bytes]:
    """Every byte that was promised: where the CDN breaks off, the very same file is taken up again at that byte."""
    position = feed.part.start if feed.part else 0
    end = feed.part.last + 1 if feed.part else feed.total
    head = head if end is None else head[: end - position]
    yield head
    position += len(head)
    try:
        for mend in range(_MENDS + 1):
            try:
                while position != end and (piece := await anext(feed.chunks, b"")):
                    whole = piece if end is None else piece[: end - position]
                    yield whole
                    position += len(whole)
                if end is None or position >= end:
                    return
                raise DownloadFailed("The platform broke off")
            except DownloadFailed as error:
                if end is None or mend == _MENDS:
                    raise StreamCut(str(error)) from None
            feed = await _resumed(feeds, ticket, feed, Span(position, end - 1))
    finally:
        await feed.close()


async def _resumed(feeds: Feeds, ticket: Ticket, cut: Feed, rest: Span) -> Feed:
    try:
        return await feeds.resume(ticket, cut, rest)
    except ClipsteadError as error:
        raise StreamCut(str(error)) from None


def _beyond(ticket: Ticket) -> Refusal:
    headers = {} if ticket.size is None else {"content-range": f"bytes */{ticket.size}"}
    return Refusal(416, "The range lies beyond the file", headers)

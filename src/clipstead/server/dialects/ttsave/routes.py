"""TTSave's routes: downloads as files in one answer (v3) or by their addresses (v2), ping; and its words for errors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from clipstead.errors import ClipsteadError, RateLimited
from clipstead.server.dialect import Dialect, Handler, add_call
from clipstead.server.dialects.base import Services
from clipstead.server.dialects.ttsave import describe, parts, words
from clipstead.server.dialects.ttsave.kept import KeptFiles
from clipstead.server.dialects.ttsave.params import Ask, judge
from clipstead.server.dialects.ttsave.parts import Part
from clipstead.server.dialects.ttsave.staging import Prepared, Stager
from clipstead.server.farewell import parting
from clipstead.server.limits import RollingLimits, Window
from clipstead.server.presence import StreamCut, while_present
from clipstead.server.quota import Quota
from clipstead.server.responses import Json
from clipstead.server.sending import begin, finish
from clipstead.server.small_body import small_body
from clipstead.server.visit import visit_of

_LONGEST_SECONDS = 3600.0  # that one answer may take to be sent
_KEPT_ANSWERS = 4

Serve = Callable[[Prepared, Send], Awaitable[None]]


class TtSave:
    """The handlers over the server's parts."""

    def __init__(self, services: Services) -> None:
        options = services.options
        self._stager = Stager(services)
        self._quota = Quota(RollingLimits((Window(options.ttsave_per_minute, 60.0),), services.ticks))
        self._kept = KeptFiles(_KEPT_ANSWERS * options.ttsave_max_bytes, services.ticks)

    async def download(self, request: Request) -> Response:
        """The files of a post, one after the other in one answer."""
        ask = judge(await small_body(request), None)
        return _Work(self._stager, self._admitted(request), ask, _as_parts)

    async def download_v2(self, request: Request) -> Response:
        """Where the files of a post are to be had for the next ten minutes."""
        ask = judge(await small_body(request), "ORIGINAL")
        return _Work(self._stager, self._admitted(request), ask, self._as_addresses)

    async def stream(self, request: Request) -> Response:
        """One file that a v2 download has named."""
        return _Stream(self._kept.borrow(request.path_params["filename"]))

    async def ping(self, request: Request) -> Response:
        """We are here."""
        return PlainTextResponse("pong", headers={"cache-control": "no-store"})

    def _admitted(self, request: Request) -> str:
        client = visit_of(request.scope).client
        self._stager.check(client)
        if not self._quota.admit(client, None):
            raise RateLimited("Rate limit exceeded", retry_after=self._quota.retry_after(client))
        return client

    async def _as_addresses(self, prepared: Prepared, send: Send) -> None:
        names = self._kept.keep(prepared.parts)
        answer = Json({"files": [{"name": name, "url": f"/stream/{name}"} for name in names]})
        await begin(send, 200, {name.decode(): value.decode() for name, value in answer.raw_headers})
        await send({"type": "http.response.body", "body": answer.body})


async def _as_parts(prepared: Prepared, send: Send) -> None:
    told = {
        "content-type": parts.CONTENT_TYPE,
        "content-meta": parts.meta(prepared.post),
        "content-length": str(parts.length(prepared.parts)),
        "cache-control": "no-store",
        "access-control-expose-headers": "Content-Meta, X-Request-Id",
    }
    await begin(send, 200, told)
    await _in_time(parts.pour(send, prepared.parts))


class _Work(Response):
    """An answer that is prepared first. What fails is an error of ours, since nothing is sent before all is ready."""

    def __init__(self, stager: Stager, client: str, ask: Ask, serve: Serve) -> None:
        super().__init__()
        self._stager, self._client, self._ask, self._serve = stager, client, ask, serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ends as soon as the client is gone."""
        await while_present(receive, self._do(send))

    async def _do(self, send: Send) -> None:
        async with self._stager.prepared(self._ask, self._client) as prepared:
            await self._serve(prepared, send)


class _Stream(Response):
    """A file that is open already, and is closed with the answer."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ends as soon as the client is gone."""
        try:
            await while_present(receive, self._pour(send))
        finally:
            os.close(self._part.descriptor)

    async def _pour(self, send: Send) -> None:
        part = self._part
        told = {
            "content-type": part.mime,
            "content-length": str(part.size),
            "content-disposition": f'attachment; filename="{part.name}"',
            "cache-control": "no-store",
        }
        await begin(send, 200, told)
        await _in_time(parts.pour_file(send, part))
        await finish(send)


async def _in_time(pouring: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            await pouring
    except TimeoutError:
        raise StreamCut("the reader takes too long") from None


def error(request: Request, error: ClipsteadError) -> Response:
    """`{"detail": ...}` with the statuses of its documents."""
    return parting(request, Json(words.body(error), words.status(error), words.headers(error)))


def build(services: Services) -> Dialect:
    """The dialect for everything below /api/v3/ and /api/v2/."""
    desk = TtSave(services)
    router = APIRouter(prefix="/api", tags=["TTSave"])
    routes: tuple[tuple[str, str, Handler, str, dict[str, Any]], ...] = (
        ("POST", "/v3/download", desk.download, "The files of a TikTok post", describe.download()),
        ("POST", "/v3/ping", desk.ping, "Whether the server is there", describe.ping()),
        ("GET", "/v3/ping", desk.ping, "Whether the server is there", describe.ping()),
        ("POST", "/v2/download", desk.download_v2, "Where a post's files are", describe.download_v2()),
        ("GET", "/v2/stream/{filename}", desk.stream, "One of those files", describe.stream()),
        ("POST", "/v2/ping", desk.ping, "Whether the server is there", describe.ping()),
        ("GET", "/v2/ping", desk.ping, "Whether the server is there", describe.ping()),
    )
    for method, path, handler, summary, described in routes:
        add_call(router, "ttsave", method, path, handler, described, summary=summary, head=method == "GET")
    versions = ("/api/v3", "/api/v2")
    return Dialect("ttsave", "", router, error, frozenset(versions), tuple(f"{version}/" for version in versions))

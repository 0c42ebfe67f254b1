"""Buckets of a real S3 server, and a proxy that spoils what goes to it."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO

import aiohttp
import pytest
from aiohttp import web

from clipstead.archive.store.s3.requests import Bucket
from clipstead.archive.store.s3.signing import Credentials

SECRET = "the-secret-that-nobody-may-see"
_numbers = itertools.count()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> Credentials:
    """In the usual variables; moto believes any."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return Credentials("AKIATEST", SECRET)


@pytest.fixture
async def bucket(moto: str, credentials: Credentials) -> str:
    """The name of a new bucket."""
    name = f"archive-{next(_numbers)}"
    client = Bucket(f"{moto}/{name}", "us-east-1", credentials)
    assert (await client.ask("PUT", "")).ok
    await client.close()
    return name


@dataclass(frozen=True)
class Seen:
    """One request on its way to the server."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass
class Spoiler:
    """Between a store and its server. `fault` is asked about each request: None lets it pass, "lose" drops the reply,
    "refuse" the request itself, a status answers with that, and `strip` names a header that never arrives."""

    address: str = ""
    fault: Callable[[Seen], int | str | None] = lambda seen: None
    strip: str = ""
    seen: list[Seen] = field(default_factory=list)


@pytest.fixture
async def spoiler(moto: str) -> AsyncIterator[Spoiler]:
    """A proxy in front of the server."""
    spoiler = Spoiler()
    async with _proxy(spoiler, moto) as spoiler.address:
        yield spoiler


@asynccontextmanager
async def _proxy(spoiler: Spoiler, behind: str) -> AsyncIterator[str]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            headers = {name.lower(): value for name, value in request.headers.items()}
            seen = Seen(request.method, request.path, dict(request.query), headers, await request.read())
            spoiler.seen.append(seen)
            fault = spoiler.fault(seen)
            if fault == "refuse":
                return _cut(request)
            if isinstance(fault, int):
                return web.Response(status=fault, text="<Error><Code>Spoilt</Code></Error>")
            sent = {name: value for name, value in headers.items() if name != spoiler.strip}
            async with session.request(
                request.method, behind + request.raw_path, headers=sent, data=BytesIO(seen.body)
            ) as reply:
                if fault == "lose":
                    return _cut(request)
                kept = ("etag", "last-modified", "content-type", "content-range", "x-amz-meta-sha256")
                passed = {name: value for name, value in reply.headers.items() if name.lower() in kept}
                if request.method == "HEAD":
                    return web.Response(status=reply.status, headers={**passed, "Content-Length": _length(reply)})
                return web.Response(status=reply.status, headers=passed, body=await reply.read())

        runner = web.AppRunner(_application(handle), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def _application(handle: Callable[[web.Request], object]) -> web.Application:
    application = web.Application(client_max_size=1024**3)
    application.router.add_route("*", "/{anything:.*}", handle)  # type: ignore[arg-type]
    return application


def _length(reply: aiohttp.ClientResponse) -> str:
    return reply.headers.get("Content-Length", "0")


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()

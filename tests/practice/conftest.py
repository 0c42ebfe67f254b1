"""Fixtures of the practice world's own tests: a world, a browser inside it, a tunnel for clients that want a proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from clipstead.practice import World


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """A real ffmpeg, to prove files with."""
    return str(import_module("imageio_ffmpeg").get_ffmpeg_exe())


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    cookies: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class _Everywhere(AbstractResolver):
    """Every host of the world is on loopback."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        there = self._world.port if port == 443 else self._world.http_port
        return [ResolveResult(hostname=host, host="127.0.0.1", port=there, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to close."""


class Browser:
    """Asks the world by its real host names, follows no redirect, keeps no cookie."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        encoded: bool = True,
        timeout: float = 20,
    ) -> Answer:
        """One request; raises aiohttp's errors for answers that are broken on the wire."""
        limit = aiohttp.ClientTimeout(total=timeout)
        address = URL(url, encoded=encoded)
        async with self._session.request(
            method, address, headers=headers, data=form, allow_redirects=False, timeout=limit
        ) as reply:
            cookies = dict(line.split(";")[0].split("=", 1) for line in reply.headers.getall("Set-Cookie", []))
            return Answer(reply.status, reply.headers, cookies, await reply.read())


@pytest.fixture
async def browser(world: World) -> AsyncIterator[Browser]:
    context = ssl.create_default_context(cafile=str(world.ca_file))
    connector = aiohttp.TCPConnector(ssl=context, resolver=_Everywhere(world))
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Browser(session)


@pytest.fixture
async def tunnel(world: World) -> AsyncIterator[str]:
    """The address of an HTTP CONNECT proxy that sends every host into the world."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target = head.split(" ", 2)[:2]
            if method != "CONNECT":
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            else:
                there = await asyncio.open_connection(
                    "127.0.0.1", world.port if target.endswith(":443") else world.http_port
                )
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    with suppress(ConnectionError):
        target.close()

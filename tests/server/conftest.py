"""The wire around the server: a CDN on loopback with faults, a provider written by hand, a real uvicorn in between."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
import uvicorn
from aiohttp import web
from yarl import URL

from clipstead.errors import ClipsteadError
from clipstead.model import Author, Link, Media, MediaKind, Music, Post, Stats
from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages
from clipstead.resolve.cache import PostCache
from clipstead.resolve.providers.base import Net
from clipstead.resolve.resolver import Resolver
from clipstead.resolve.rotation import Rotation
from clipstead.server import BoundedProtocol, ServerOptions, create

VIDEO_ID = "7608826249200356630"
PHOTO_ID = "7663591047909379341"
CDN_HOST = "v16.cdn.test"
Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


def media_bytes(kind: str, size: int) -> bytes:
    """Bytes that begin as a file of that kind does; the rest is noise that is the same at every run."""
    heads = {
        "mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41",
        "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01",
        "mp3": b"ID3\x04\x00\x00\x00\x00\x00\x00",
        "vtt": b"WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n",
        "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    }
    head = heads[kind]
    return head + random.Random(f"{kind}{size}").randbytes(max(0, size - len(head)))


@dataclass
class Clock:
    """Time that stands still until told otherwise, in unix seconds; also serves as the clock that never goes back."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Cdn:
    """Files by path. Only who has cookie and Referer gets in; `faults` answer in a file's stead, once each."""

    files: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    gated: bool = True
    ranges: bool = True
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A file, a part of it, or the fault whose turn it is."""
        self.requests.append((request.path, request.headers.get("Range")))
        if self.faults.get(request.path):
            return await self.faults[request.path].pop(0)(request)
        if self.gated and (request.cookies.get("tt_chain_token") != "chain" or "Referer" not in request.headers):
            return web.Response(status=403)
        if request.path not in self.files:
            return web.Response(status=404)
        return self.part(request, self.files[request.path])

    def part(self, request: web.Request, body: bytes) -> web.Response:
        """200 or 206 as a CDN would."""
        content_type = self.types.get(request.path, "application/octet-stream")
        wanted = request.http_range if self.ranges and "Range" in request.headers else slice(None)
        if wanted == slice(None) or (wanted.start, wanted.stop) == (None, None):
            return web.Response(body=body, content_type=content_type)
        if wanted.start >= len(body):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
        piece = body[wanted]
        told = f"bytes {wanted.start}-{wanted.start + len(piece) - 1}/{len(body)}"
        return web.Response(status=206, body=piece, headers={"Content-Range": told}, content_type=content_type)


def status(code: int) -> Fault:
    """A fault that is just a status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code)

    return answer


def truncated(body: bytes, after: int) -> Fault:
    """Promises all of `body` (or the range asked for), sends `after` bytes, and hangs up."""

    async def answer(request: web.Request) -> web.StreamResponse:
        start = request.http_range.start or 0
        rest = body[start:]
        headers = {"Content-Length": str(len(rest))}
        if "Range" in request.headers:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        response = web.StreamResponse(status=206 if "Range" in request.headers else 200, headers=headers)
        await response.prepare(request)
        await response.write(rest[:after])
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


def page(body: bytes, content_type: str = "video/mp4") -> Fault:
    """Something else under the label of the file."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type)

    return answer


@dataclass
class Shelf:
    """A provider whose posts are given by the test: `posts` by id, as a Post, an error, or something that makes one."""

    name: str = "shelf"
    home: str = ""
    maintenance: str = ""
    posts: dict[str, Post | ClipsteadError | Callable[[], Post]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    pause: float = 0.0

    def accepts(self, link: Link) -> bool:
        """Takes everything."""
        return True

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        """What stands on the shelf under the link's id."""
        self.asked.append((link.post_id or link.url, language))
        await asyncio.sleep(self.pause)
        found = self.posts[link.post_id or link.url]
        if isinstance(found, ClipsteadError):
            raise found.with_traceback(None)
        return replace(found() if callable(found) else found, link=link)


@dataclass
class Stage:
    """Everything a test needs: ask by `get`, look at `cdn` and `provider`, turn `clock`."""

    base: str
    client: aiohttp.ClientSession
    cdn: Cdn
    provider: Shelf
    resolver: Resolver
    clock: Clock
    app: Any
    port: int
    server: uvicorn.Server

    async def get(self, path: str, **options: Any) -> "Reply":
        """GET exactly this path and query, escaped as the test has written it."""
        return await self.ask("GET", path, **options)

    async def ask(self, method: str, path: str, **options: Any) -> "Reply":
        """The whole answer; redirects are not followed."""
        target = URL(path if path.startswith("http") else self.base + path, encoded=True)
        async with self.client.request(method, target, allow_redirects=False, **options) as response:
            return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, await response.read())

    async def settled(self) -> None:
        """Until every request is over on the server's side too: its log line written, its figures counted."""
        while self.server.server_state.tasks:
            await asyncio.sleep(0)

    async def raw(self, text: bytes) -> bytes:
        """Bytes in, bytes out, until the server closes or half a second passes without any."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(text)
        answer = b""
        try:
            while piece := await asyncio.wait_for(reader.read(65536), 0.5):
                answer += piece
        except (TimeoutError, ConnectionResetError):
            pass
        writer.close()
        return answer


@dataclass
class Reply:
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as data."""
        import orjson

        return orjson.loads(self.body)


Build = Callable[..., Awaitable[Stage]]


@dataclass
class Faults:
    """The ways in which a CDN can go wrong, for tests that may not import."""

    status = staticmethod(status)
    truncated = staticmethod(truncated)
    page = staticmethod(page)
    media_bytes = staticmethod(media_bytes)


@pytest.fixture
def faults() -> Faults:
    """status(code), truncated(body, after), page(body, content_type); and media_bytes(kind, size)."""
    return Faults()


def a_video(cdn: Cdn, **changes: Any) -> Post:
    """A post with every kind of file a video post can have; its files are put on the CDN."""
    return replace(_post(VIDEO_ID, _video_media(cdn)), **changes)


def a_photo(cdn: Cdn, **changes: Any) -> Post:
    """A photo post with three images and a sound."""
    images = [_media(cdn, MediaKind.IMAGE, f"image-{n}", "jpg", 3000 + n) for n in (1, 2, 3)]
    sound = _media(cdn, MediaKind.AUDIO, "sound", "mp3", 9000)
    return replace(_post(PHOTO_ID, (*images, sound)), **changes)


def _video_media(cdn: Cdn) -> tuple[Media, ...]:
    return (
        _media(cdn, MediaKind.VIDEO, "hd", "mp4", 400_000, quality="hd", width=1080, height=1920, codec="h264"),
        _media(cdn, MediaKind.VIDEO, "sd", "mp4", 150_000, quality="sd", width=576, height=1024, codec="h264"),
        _media(cdn, MediaKind.VIDEO, "wm", "mp4", 160_000, quality="wm", watermark=True),
        _media(cdn, MediaKind.AUDIO, "sound", "mp3", 20_000),
        _media(cdn, MediaKind.COVER, "cover", "jpg", 5_000, told=False),
        _media(cdn, MediaKind.COVER, "origin", "jpg", 6_000, told=False),
        _media(cdn, MediaKind.COVER, "dynamic", "jpg", 7_000, told=False),
        _media(cdn, MediaKind.COVER, "avatar", "jpg", 1_000, told=False),
        _media(cdn, MediaKind.COVER, "music-cover", "jpg", 1_500, told=False),
        _media(cdn, MediaKind.SUBTITLE, "sub-en-1", "vtt", 60, told=False),
    )


def _media(cdn: Cdn, kind: MediaKind, variant: str, ext: str, size: int, *, told: bool = True, **more: Any) -> Media:
    path = f"/{variant}.{ext}"
    cdn.files[path] = media_bytes(ext, size)
    return Media(
        kind=kind,
        variant=variant,
        url=f"http://{CDN_HOST}{path}?x-expires=1795003600&x-signature=SIGNED",
        ext=ext,
        size=len(cdn.files[path]) if told else None,
        headers={"Referer": "https://www.tiktok.com/"},
        cookies={"tt_chain_token": "chain"},
        **more,
    )


def _post(post_id: str, media: tuple[Media, ...]) -> Post:
    return Post(
        id=post_id,
        link=Link("tiktok", f"https://www.tiktok.com/@_/video/{post_id}", post_id),
        title="Hello 100% “world” 🌍",
        author=Author("65", "someone", "Some One", "http://avatar.test/a.jpg"),
        media=media,
        music=Music("77", "original sound", "someone", "an album", "http://avatar.test/m.jpg", 15.0, True),
        stats=Stats(
            views=1_500_000, likes=1234, comments=999, shares=0, saves=1_200_000_000, downloads=None, reposts=7
        ),
        created_at=1_700_000_000,
        duration=15.2,
        region="US",
    )


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """A function that starts the whole stage with the server options given to it."""
    async with AsyncExitStack() as stack:

        async def start(*, posts: bool = True, cache_seconds: float = 300.0, **options: Any) -> Stage:
            return await stack.enter_async_context(_staged(posts=posts, cache_seconds=cache_seconds, **options))

        yield start


@pytest.fixture
async def stage(build: Build) -> Stage:
    """A server without limits, with a video post, a photo post, and their files."""
    return await build(clipx_per_minute=0, clipx_per_day=0)


@asynccontextmanager
async def _staged(*, posts: bool, cache_seconds: float, **options: Any) -> AsyncIterator[Stage]:
    clock, cdn, provider = Clock(), Cdn(), Shelf()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_origin(cdn))
        guard = Guard(connect_to=[f"*.cdn.test:80:127.0.0.1:{cdn.port}"])
        net, fetcher = Pages(guard), Fetcher(guard, stall_timeout=options.pop("stall_timeout", 5.0))
        stack.push_async_callback(net.close)
        stack.push_async_callback(fetcher.close)
        resolver = Resolver(Rotation([provider]), PostCache(cache_seconds, clock=clock), net, clock=clock)
        stack.push_async_callback(resolver.close)
        if posts:
            provider.posts = {VIDEO_ID: a_video(cdn), PHOTO_ID: a_photo(cdn)}
        told: dict[str, Any] = {"secret": [b"s" * 32], "version": "9.9", "cache_seconds": cache_seconds} | options
        app = create(resolver, fetcher, ServerOptions(**told), clock, clock)
        port, server = await stack.enter_async_context(_served(app))
        client = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        yield Stage(f"http://127.0.0.1:{port}", client, cdn, provider, resolver, clock, app, port, server)


@asynccontextmanager
async def _origin(cdn: Cdn) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_get("/{path:.*}", cdn.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cdn.port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        try:
            yield
        finally:
            await runner.cleanup()


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[tuple[int, uvicorn.Server]]:
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await server.startup(sockets=[listener])
        try:
            yield listener.getsockname()[1], server
        finally:
            await _stopped(server)


async def _stopped(server: uvicorn.Server) -> None:
    """As uvicorn does it, without the tenths of seconds it sleeps."""
    for listening in server.servers:
        listening.close()
    for task in list(server.server_state.tasks):
        task.cancel()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    while server.server_state.connections or server.server_state.tasks:
        await asyncio.sleep(0)

"""A CDN on loopback that fails as told, a resolver that hands out its addresses, and a few small real files."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from clipstead.capture import Capture, Captured, Wanted
from clipstead.errors import ClipsteadError
from clipstead.model import Link, Media, MediaKind, Music, Post, Resolution
from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard

LINK = Link("tiktok", "https://www.tiktok.com/@_/video/7300000000000000001", "7300000000000000001")
NOW = 1_800_000_000.0
Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]
_AVC = "-c:v libx264 -preset ultrafast"
_RECIPES = {
    "video.mp4": f"-f lavfi -i testsrc2=size=180x320:rate=25:duration=4 -f lavfi -i sine=duration=4 {_AVC} -c:a aac",
    "silent.mp4": f"-f lavfi -i testsrc2=size=180x320:rate=25:duration=4 {_AVC}",
    "small.mp4": f"-f lavfi -i testsrc2=size=90x160:rate=25:duration=4 -f lavfi -i sine=duration=4 {_AVC} -c:a aac",
    "long.mp4": f"-f lavfi -i testsrc2=size=90x160:rate=5:duration=60 -f lavfi -i sine=duration=60 {_AVC} -c:a aac",
    "sound.mp3": "-f lavfi -i sine=duration=4",
    "sound.m4a": "-f lavfi -i sine=duration=4",
    "one.jpg": "-f lavfi -i testsrc2=size=320x124:rate=1:duration=1 -frames:v 1",
    "two.png": "-f lavfi -i testsrc2=size=320x124:rate=1:duration=1 -frames:v 1",
    "three.webp": "-f lavfi -i testsrc2=size=320x124:rate=1:duration=1 -frames:v 1",
}


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of small real files by name."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    folder = tmp_path_factory.mktemp("clips")
    for name, recipe in _RECIPES.items():
        command = [ffmpeg, "-v", "error", "-y", *recipe.split(), str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return {name: (folder / name).read_bytes() for name in _RECIPES} | {
        "sub.vtt": b"WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n"
    }


@dataclass(repr=False)
class Cdn:
    """Files by path; `faults` by path are used up one a request (None = well) before the file is given as it is.

    With `signature` set, every other `s=` in the query is refused with `refusal`.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault | None]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    signature: str = ""
    refusal: int = 403
    asked: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    open_now: int = 0
    most: int = 0
    port: int = 0

    def url(self, name: str, host: str = "v1.cdn.test") -> str:
        """Where a file is, in its present signature."""
        return f"http://{host}/{name}?s={self.signature}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        name = request.path.lstrip("/")
        self.asked.append(name)
        self.cookies.append(request.headers.get("Cookie", ""))
        self.open_now += 1
        self.most = max(self.most, self.open_now)
        try:
            if self.signature and request.query.get("s") != self.signature:
                return web.Response(status=self.refusal, text="<html>expired</html>", content_type="text/html")
            waiting = self.faults.get(name)
            fault = waiting.pop(0) if waiting else self.always.get(name)
            if fault is not None:
                return await fault(request, self.files.get(name, b""))  # type: ignore[arg-type] # all they look at
            if name not in self.files:
                return web.Response(status=404)
            await asyncio.sleep(0.001)
            return web.Response(body=self.files[name], content_type="application/octet-stream")
        finally:
            self.open_now -= 1


@pytest.fixture
async def cdn(clips: dict[str, bytes]) -> AsyncIterator[Cdn]:
    """Serves every clip under its name."""
    made = Cdn(dict(clips))
    runner = web.ServerRunner(web.Server(made.handle), shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    made.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    yield made
    await runner.cleanup()


@dataclass(repr=False)
class Desk:
    """Resolves to whatever `post` makes at that moment; remembers what it was asked. `error` is raised instead."""

    post: Callable[[], Post]
    asked: list[tuple[Link, bool, str | None]] = field(default_factory=list)
    error: ClipsteadError | None = None

    def now(self) -> Resolution:
        """An answer without being asked."""
        return Resolution(self.post(), "practice")

    async def resolve(self, link: Link, *, fresh: bool = False, provider: str | None = None) -> Resolution:
        """As the real one, in as much as a capture needs."""
        self.asked.append((link, fresh, provider))
        await asyncio.sleep(0.01)
        if self.error is not None:
            raise self.error
        return self.now()


def video(url: str, variant: str = "hd", **told: object) -> Media:
    """A video of 4 s."""
    return replace(Media(MediaKind.VIDEO, variant, url, ext="mp4", duration=4.0), **told)  # type: ignore[arg-type]


def post(*media: Media, sound: bool = True) -> Post:
    """A post of these files."""
    return Post("7300000000000000001", LINK, media=media, music=Music("1", "a tune") if sound else None, duration=4.0)


@dataclass(repr=False)
class Studio:
    """Everything at hand: what is on the CDN, who resolves, and a capture whose files land in `folder`."""

    cdn: Cdn
    folder: Path
    fetcher: Fetcher
    told: list[tuple[str, int, int | None]] = field(default_factory=list)

    def name(self, media: Media, ext: str) -> Path:
        """A file for each variant."""
        return self.folder / f"{media.variant}.{ext}"

    async def take(
        self,
        *media: Media,
        wanted: Wanted | None = None,
        desk: Desk | None = None,
        sound: bool = True,
        **options: object,
    ) -> list[Captured]:
        """Capture a post of these files, or that of the desk."""
        desk = desk or Desk(lambda: post(*media, sound=sound))
        own = {"skip", "missed"} & options.keys()
        called = {name: options.pop(name) for name in own}
        capture = Capture(desk, self.fetcher, **{"backoff": 0.01, "clock": lambda: NOW, **options})  # type: ignore[arg-type]

        def progress(media: Media, done: int, total: int | None) -> None:
            self.told.append((media.variant, done, total))

        return await capture.capture(desk.now(), wanted or Wanted(), self.name, progress, **called)  # type: ignore[arg-type]

    def names(self) -> list[str]:
        """What lies in the folder."""
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
async def studio(cdn: Cdn, tmp_path: Path) -> AsyncIterator[Studio]:
    """Reaches the CDN as *.cdn.test and *.mirror.test, and nothing else; patience is short."""
    guard = Guard(connect_to=[f"*.{name}.test:80:127.0.0.1:{cdn.port}" for name in ("cdn", "mirror")])
    fetcher = Fetcher(guard, connect_timeout=2, stall_timeout=0.4)
    folder = tmp_path / "out"
    folder.mkdir()
    yield Studio(cdn, folder, fetcher)
    await fetcher.close()


def status(code: int, **headers: str) -> Fault:
    """Answers with a status and a page."""

    async def fault(_: web.Request, __: bytes) -> web.StreamResponse:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, headers=told, text="<html>no</html>", content_type="text/html")

    return fault


def body(content: bytes, content_type: str = "video/mp4") -> Fault:
    """Answers with other bytes, well labelled."""

    async def fault(_: web.Request, __: bytes) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type)

    return fault


def redirect(*locations: str) -> Fault:
    """Leads elsewhere."""
    waiting = list(locations)

    async def fault(_: web.Request, __: bytes) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": waiting.pop(0) if len(waiting) > 1 else waiting[0]})

    return fault


async def cut(request: web.Request, data: bytes) -> web.StreamResponse:
    """Announces the whole and hangs up in the middle."""
    response = web.StreamResponse(headers={"Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


async def reset(request: web.Request, data: bytes) -> web.StreamResponse:
    """Breaks the connection before a word."""
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError


async def shortened(_: web.Request, data: bytes) -> web.StreamResponse:
    """Gives half a file as if it were the whole."""
    return web.Response(body=data[: len(data) // 2], content_type="video/mp4")


async def stall(request: web.Request, data: bytes) -> web.StreamResponse:
    """Gives half a file and then nothing, for ever."""
    response = web.StreamResponse(headers={"Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    await asyncio.sleep(60)
    return response


async def endless(request: web.Request, data: bytes) -> web.StreamResponse:
    """A good beginning without an end."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(data[:64])
    while True:
        await response.write(bytes(65536))


FAULTS: Sequence[tuple[str, Fault]] = (
    ("429", status(429, Retry_After="0")),
    ("500", status(500)),
    ("503", status(503, Retry_After="0")),
    ("416", status(416)),
    ("reset", reset),
    ("cut", cut),
    ("shortened", shortened),
    ("stall", stall),
)


@dataclass
class Trap:
    """A listener on a refused address; it counts who comes."""

    port: int = 0
    connections: int = 0


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    """Counts who dials what may not be dialled."""
    found = Trap()

    async def seen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        writer.close()

    with socket.socket() as probe:  # port 80 where we may have it, so that a slip would be seen there too
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 80))
            port = 80
        except OSError:
            port = 0
    server = await asyncio.start_server(seen, "127.0.0.1", port)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
    await server.wait_closed()

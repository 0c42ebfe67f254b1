"""All contracts at once, asked for what nobody should ask for: no 5xx, no silence, and always the words of the path.

The requests are written to the socket by hand, so that no client library tidies them up. Whose words a path speaks is
said here once more, from the documents, and not taken from the server.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, unquote

import orjson
import pytest
import pytest_asyncio

from clipstead.app import open_app
from clipstead.archive.store import open_store
from clipstead.db import Database
from clipstead.db.line import connect
from clipstead.engine import Engine
from clipstead.jobs import Jobs
from clipstead.jobs.receipts import Receipts
from clipstead.jobs.workspace import Workspace
from clipstead.media import ffmpeg
from clipstead.media.sandbox import Sandbox
from clipstead.practice import World
from clipstead.resolve.tiktok.short import expand
from clipstead.server import ServerOptions, create
from clipstead.server.archive_room import archive_room
from clipstead.server.keys import Keys
from clipstead.server.workroom import GetWorkroom, Workroom, no_workroom
from clipstead.settings import load
from clipstead.tools.workbench import Workbench

pytestmark = pytest.mark.asyncio(loop_scope="module")

_SEED = random.SystemRandom().randrange(1 << 32)
_REQUESTS = 900
_AT_A_TIME = 8
_PATIENCE = 20.0  # for one answer: far more than any of these takes, far less than silence

_TIKLIVE = frozenset(
    [
        "post-detail",
        "download-video",
        "download-music",
        "ads-detail",
        "userid",
        "userinfo-by-username",
        "userinfo-by-id",
        "user-posts",
        "user-liked",
        "user-stories",
        "user-followers",
        "user-following",
        "user-playlists",
        "user-collections",
        "playlist-info",
        "playlist-posts",
        "collection-info",
        "collection-posts",
        "challenge-posts",
        "challenge-info-id",
        "challenge-info-name",
        "search-challenge",
        "search-video",
        "search-user",
        "music-info",
        "music-posts",
        "post-comments",
        "post-comment-replies",
        "region-list",
    ]
)
_TIKTOK_DL = frozenset(("/api", "/api/download", "/api/providers", "/api/stored-links", "/api/ping"))
_NOT_ASKED = ("/api/my-key/rotate",)  # it would take the key away that the others are asked with
_METHODS = ("GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
_NAMES = (
    b"url", b"type", b"nocache", b"rotateOnError", b"format", b"quality", b"timeout", b"help", b"stats", b"rate_limit",
    b"content_type", b"download_content_type", b"count", b"cursor", b"userid", b"username", b"keyword", b"id", b"name",
    b"music_id", b"challenge_id", b"region", b"sort_by", b"publish_time", b"video_id", b"comment_id", b"time", b"wrap",
    b"limit", b"after", b"query", b"author", b"reason", b"sources", b"watchHours", b"hours", b"ids", b"events",
    b"owner",
    b"hourly", b"webhook", b"trimStart", b"outputFormat", b"startTime", b"width", b"preview", b"file", b"\xff", b"",
)  # fmt: skip
_VALUES = (
    b"", b"0", b"-1", b"1", b"35", b"1e999", b"NaN", b"9" * 25, b"9" * 5000, b"true", b"null", b"\x00", b"\xff\xfe",
    b"%",
    b"%00", b"a" * 3000, "😀\u202e\u0301".encode(), b"../../etc/passwd", b"ORIGINAL", b"VIDEO_ONLY", b"tikwm",
    b"snaptik",
    b"https://www.tiktok.com/@a/video/7608826249200356601", b"https://vm.tiktok.com/ZM1/", b"http://127.0.0.1:1/",
    b"https://www.tiktok.com/@a/video/99999999999999999999", b"file:///etc/passwd", b"@a", b"#a", b"search:a",
    b"https://[::1", b"https://www.tiktok.com:99999/@a/video/1", b"//", b"\r\nX: y", b"'; DROP TABLE keys; --",
)  # fmt: skip
_JSON = (
    b"", b"null", b"5", b"[]", b'"text"', b"{", b"[" * 3000, b'{"a":' * 3000, b'"\\ud800"', b"\xff", b"\xef\xbb\xbf{}",
    b'{"url":1e400}', b'{"url":' + b"9" * 500 + b"}",
)  # fmt: skip
_SHAPES: tuple[Any, ...] = (None, True, 1, -1, 2**63, 1.5, "", "x", "\0", "é😀", [], {}, [None], ["x"] * 50, {"a": {}})
_TYPES = (
    b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b", b"text/plain", b"",
    b"multipart/form-data", b"multipart/form-data; boundary=" + b"b" * 300, b"application/json; charset=utf-16",
    b"\xe9", b"multipart/form-data; boundary=\"b", b"video/mp4",
)  # fmt: skip
_PARTS = (
    b"--b\r\n", b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"\n", b'Content-Disposition: form-data; name="url"',
    b"\x00" * 99,
    b'Content-Disposition: form-data; name="file"; filename="../a.mp4"', b"Content-Disposition: form-data", b"a" * 9000,
    b"Content-Type: video/mp4", b'Content-Disposition: form-data; name="outputFormat"', b"mp3", b"Content-Length: -1",
)  # fmt: skip
_HEADERS = (
    (b"Range", b"bytes=0-"), (b"Range", b"bytes=-99999999999999999999"), (b"Range", b"bytes=5-1,,"),
    (b"Range", b"\xff"),
    (b"If-Range", b'"x"'), (b"If-None-Match", b"*"), (b"Last-Event-ID", b"9" * 400), (b"Last-Event-ID", b"-1"),
    (b"Origin", b"https://evil.example"), (b"Origin", b"null"), (b"Accept", b"text/html"), (b"Accept", b"\xff"),
    (b"X-ClipX-Unlimited", b"x y"), (b"X-Api-Key", b"clp_x"), (b"X-Api-Key", b"\xff"), (b"X-Api-Key", b"a" * 9000),
    (b"Cookie", b"a=b; c"), (b"X-Forwarded-For", b"1.2.3.4"), (b"X-HTTP-Method-Override", b"DELETE"),
    (b"Accept-Encoding", b"gzip, br"), (b"Content-Encoding", b"gzip"), (b"X", b"y" * 9000),
    (b"Authorization", b"Basic x"),
)  # fmt: skip
_HOSTS = (b"evil.example", b"", b"127.0.0.1:99999999", b"[::1", b"127.0.0.1, evil.example", b"\xff")


@dataclass(frozen=True)
class Asked:
    """A request as it goes over the wire."""

    method: str
    target: bytes
    head: bytes
    body: bytes

    def wire(self) -> bytes:
        """All of it."""
        return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (self.method.encode(), self.target, self.head, self.body)


@dataclass(frozen=True)
class Told:
    """An answer: of a stream of events, no more than its beginning."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Site:
    """A server; `known` is what it says of itself that it takes."""

    port: int
    known: tuple[tuple[str, str], ...]  # method and path
    key: str
    good: dict[bytes, tuple[bytes, ...]]  # values that lead somewhere, by name
    has_database: bool

    async def ask(self, asked: Asked) -> Told:
        """Raises TimeoutError for silence."""
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(asked.wire())
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status, *lines = head.split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                events = headers.get("content-type", "").startswith("text/event-stream")
                return Told(int(status.split()[1]), headers, b"" if events else await reader.read())
            finally:
                writer.close()


def words_of(path: str) -> str:
    """Whose words are spoken at a path that is unescaped already."""
    bare = path.rstrip("/") or "/"
    if bare in ("/api/v2", "/api/v3") or path.startswith(("/api/v2/", "/api/v3/")):
        return "ttsave"
    if bare in _TIKTOK_DL:
        return "tiktokdl"
    if bare[1:] in _TIKLIVE:
        return "tiklive"
    return "clipi" if path.startswith("/api/") else "clipx"


def wrong_words(whose: str, told: Told) -> str:
    """What is wrong with the words of a refusal, "" for nothing."""
    if not told.headers.get("content-type", "").startswith("application/json"):
        return f"no JSON but {told.headers.get('content-type')}"
    try:
        body = orjson.loads(told.body)
    except orjson.JSONDecodeError:
        return "what says it is JSON is none"
    if not isinstance(body, dict):
        return "no object"
    as_it_must = {
        "ttsave": isinstance(body.get("detail"), str if told.status != 422 else list),
        "tiktokdl": isinstance(body.get("error"), str) and body.get("error") == body.get("message"),
        "tiklive": isinstance(body.get("message"), str) and list(body) == ["message"],
        "clipi": isinstance(body.get("error"), str) and (told.status != 404 or "message" not in body or _same(body)),
        "clipx": body.get("success") is False and isinstance(body.get("error"), str),
    }[whose]
    named = whose != "clipx" or body.get("status_code") == told.status
    return "" if as_it_must and named else f"not the words of {whose}"


def _same(body: dict[str, Any]) -> bool:
    return bool(body["message"] == body["error"])


def judge(site: Site, asked: Asked, told: Told) -> str:
    """What is wrong with an answer, "" for nothing."""
    path = unquote(asked.target.partition(b"?")[0].decode("ascii"))
    whose = words_of(path)
    if "x-request-id" not in told.headers:
        return "an answer that did not come from us"
    if told.status == 503 and not site.has_database and whose in ("ttsave", "clipi", "tiklive"):
        pass
    elif told.status == 503 and path == "/readyz" and not site.has_database:
        return ""
    elif told.status >= 500:
        return "a 5xx"
    if told.status == 405 and asked.method in ("", *told.headers.get("allow", "").split(", ")):
        return "a 405 that does not say what is allowed"
    if told.status < 400 or asked.method == "HEAD":
        return ""
    return wrong_words(whose, told)


class Dice:
    """Requests by chance."""

    def __init__(self, dice: random.Random, site: Site) -> None:
        self._dice = dice
        self._site = site

    def request(self) -> Asked:
        """The next one."""
        body, content_type = self._body()
        head = [(b"Host", self._host()), (b"Connection", b"close")]
        head += [(b"Content-Type", content_type)] if content_type else []
        head += self._dice.sample(_HEADERS, k=self._dice.choice((0, 0, 1, 3)))
        if self._dice.random() < 0.8:
            head = [pair for pair in head if pair[0] != b"X-Api-Key"] + [(b"X-Api-Key", self._site.key.encode())]
        head.append((b"Content-Length", b"%d" % len(body)))
        method, path = self._path()
        target = path + (b"?" + self._query() if self._dice.random() < 0.7 else b"")
        lines = b"".join(b"%b: %b\r\n" % pair for pair in head)
        return Asked(method if self._dice.random() < 0.7 else self._dice.choice(_METHODS), target, lines, body)

    def _host(self) -> bytes:
        return self._dice.choice(_HOSTS) if self._dice.random() < 0.03 else b"127.0.0.1:%d" % self._site.port

    def _path(self) -> tuple[str, bytes]:
        """Mostly one that is known, with noise for its variables; sometimes with something behind, or none of ours."""
        if self._dice.random() < 0.1:
            parts = [b"", *self._dice.choices((b"api", b"v3", b"v2", b"media", b"..", b"a", b"%2f", b"\xff", b""), k=3)]
            return "GET", quote_from_bytes(b"/".join(parts), safe="/%").encode()
        method, path = self._dice.choice(self._site.known)
        filled = [
            quote_from_bytes(self._value(b"")[:200], safe="") if part.startswith("{") else part
            for part in path.split("/")
        ]
        behind = self._dice.choices(("", "/", "/a", "//", "%2f", ";a", "%00", "%"), (30, 4, 1, 1, 1, 1, 1, 1))[0]
        return method, ("/".join(filled) + behind).encode()

    def _value(self, name: bytes) -> bytes:
        """Half of the time one that such a parameter may have, if there are any."""
        good = self._site.good.get(name, ())
        return self._dice.choice(good if good and self._dice.random() < 0.5 else _VALUES)

    def _query(self) -> bytes:
        """Text by name, now and then no more than noise; of good names several, so that some requests are good."""
        if self._dice.random() < 0.1:
            return quote_from_bytes(self._dice.randbytes(40), safe="&=%?;+").encode()
        names = self._dice.choices(_NAMES, k=self._dice.randrange(5))
        names += self._dice.sample(list(self._site.good), k=self._dice.choice((0, 3, len(self._site.good))))
        pairs = ((name, self._value(name)) for name in names)
        return b"&".join(
            quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value, safe="/:?&%").encode()
            for name, value in pairs
        )

    def _body(self) -> tuple[bytes, bytes]:
        """A body, and what it says it is, which need not be true."""
        kind = self._dice.randrange(6)
        if kind == 0:
            return b"", self._dice.choice(_TYPES)
        if kind == 1:
            return self._dice.choice(_JSON), self._dice.choice(_TYPES)
        if kind == 2:
            return b"".join(self._dice.choices(_PARTS, k=self._dice.randrange(14))), self._dice.choice(_TYPES)
        if kind == 3:
            return self._query(), self._dice.choice(_TYPES)
        return orjson.dumps(self._object()), b"application/json"

    def _object(self) -> dict[str, Any]:
        names = [
            *self._dice.choices(_NAMES, k=self._dice.randrange(6)),
            *self._dice.choices(list(self._site.good), k=3),
        ]
        return {
            name.decode("latin-1"): self._dice.choice(_SHAPES)
            if self._dice.random() < 0.3
            else self._value(name).decode("utf-8", "replace")
            for name in names
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sites(_template: str, serving: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Site]]:
    """One server with everything behind it but workers, and one whose database never comes up."""
    folder, name = tmp_path_factory.mktemp("fuzz"), f"fuzz_{secrets.token_hex(4)}"
    maintenance = await connect(_template.replace("/clipstead?", "/postgres?"))
    await maintenance.execute(f"CREATE DATABASE {name} TEMPLATE clipstead")
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World(seed=6, posts=40, video_bytes=20_000))
        settings = load(
            data_dir=folder / "data",
            ca_file=str(world.ca_file),
            connect_to=tuple(world.connect_to),
            providers=("tiktok_web", "tikwm"),
            tikwm_per_second=0,
        )
        app = await stack.enter_async_context(open_app(settings))
        room = await _room(stack, _template.replace("/clipstead?", f"/{name}?"), folder, app)
        key = (await room.keys.desk.create("fuzz", admin=True, hourly=0, daily=0)).text
        await room.keys.desk.set_credits(key[4:14], "unlimited")
        yield [
            await _site(stack, serving, app, world, folder / "one", lambda: room, key),
            await _site(stack, serving, app, world, folder / "other", no_workroom, ""),
        ]
    await maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await maintenance.close()


async def _room(stack: AsyncExitStack, url: str, folder: Path, app: Any) -> Workroom:
    database = await stack.enter_async_context(Database.open(url))
    engine = Engine(database)
    jobs = Jobs(database, engine)
    stack.push_async_callback(jobs.close)
    sandbox = Sandbox()
    stack.push_async_callback(sandbox.close)
    store = open_store(str(folder / "archive"), folder / "archive-staging")

    async def opened() -> Any:
        return store

    return Workroom(
        jobs,
        Workspace(database, folder / "files", quota_bytes=1 << 30, free_floor_bytes=0),
        Receipts(database),
        Keys(database),
        Workbench(ffmpeg.find(), sandbox),
        archive=archive_room(database, engine, opened, partial(expand, net=app.net)),
    )


async def _site(
    stack: AsyncExitStack, serving: Any, app: Any, world: World, staging: Path, workroom: GetWorkroom, key: str
) -> Site:
    unlimited = {f"{name}_per_minute": 0 for name in ("clipx", "tiktokdl", "ttsave", "tiklive")}
    options = ServerOptions(secret=(b"s" * 32,), staging=staging, clipx_per_day=0, **unlimited)  # type: ignore[arg-type]
    served = create(app.resolver, app.fetcher, options, workroom=workroom, listing=app.listing, lookups=app.lookups)
    port = await stack.enter_async_context(serving(served))
    bare = Site(port, (), key, {}, workroom is not no_workroom)
    told = await bare.ask(Asked("GET", b"/openapi.json", b"Host: 127.0.0.1:%d\r\nConnection: close\r\n" % port, b""))
    paths = orjson.loads(told.body)["paths"]
    known = tuple((method.upper(), path) for path, calls in paths.items() for method in calls if path not in _NOT_ASKED)
    return Site(port, known, key, _good(world), bare.has_database)


def _good(world: World) -> dict[bytes, tuple[bytes, ...]]:
    posts = (world.post("video"), world.post("video", 1), world.post("photo"))
    user, tag = world.users[0], world.tags[0]
    ids = tuple(post.url.rpartition("/")[2].encode() for post in posts)
    handle = user.url.rpartition("@")[2].encode()
    return {
        b"url": tuple(post.url.encode() for post in posts),
        b"content_type": (b"ORIGINAL",),
        b"username": (handle, b"@" + handle),
        b"userid": (
            b"1",
            b"6",
        ),
        b"keyword": (tag.url.rpartition("/")[2].encode(),),
        b"name": (tag.url.rpartition("/")[2].encode(),),
        b"id": ids,
        b"video_id": ids,
        b"comment_id": ids,
        b"music_id": ids,
        b"challenge_id": (b"1",),
        b"count": (b"1", b"35", b"36"),
        b"cursor": (b"0", b"10"),
        b"sources": (b"@" + handle,),
    }


@pytest.mark.parametrize("which", [0, 1], ids=["with all behind it", "without a database"])
async def test_always_an_answer_in_the_words_of_the_path(sites: list[Site], which: int) -> None:
    """Hundreds of requests to every path, known and unknown."""
    print(f"seed {_SEED}")
    site = sites[which]
    dice = Dice(random.Random(_SEED + which), site)
    waiting = [dice.request() for _ in range(_REQUESTS)]
    wrong: list[tuple[str, Asked, Told]] = []

    async def ask_on() -> None:
        while waiting:
            asked = waiting.pop()
            try:
                told = await site.ask(asked)
            except (TimeoutError, asyncio.IncompleteReadError) as silence:
                wrong.append((f"silence: {type(silence).__name__}", asked, Told(0, {}, b"")))
                continue
            if problem := judge(site, asked, told):
                wrong.append((problem, asked, told))

    async with asyncio.TaskGroup() as asking:
        for _ in range(_AT_A_TIME):
            asking.create_task(ask_on())
    assert not wrong, "\n".join(
        f"{problem}: {asked.method} {asked.target[:300]!r} {asked.head[:600]!r} {asked.body[:300]!r} -> "
        f"{told.status} {told.body[:200]!r}"
        for problem, asked, told in wrong[:20]
    )

"""A whole Clipstead for TikLive's clients, on loopback, in the practice world; and what its bodies must be."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import orjson
import pytest
import pytest_asyncio
import uvicorn

from clipstead.app import open_app
from clipstead.db import Database
from clipstead.db.line import connect
from clipstead.practice import World
from clipstead.server import BoundedProtocol, ServerOptions, create
from clipstead.server.keys import Keys
from clipstead.server.workroom import Workroom, no_workroom
from clipstead.settings import load

SECRET = b"s" * 32


@dataclass
class TikLive:
    """The running server as its clients see it; `clock` is the time that media addresses live by."""

    base: str
    world: World
    keys: Keys
    database: Database
    session: aiohttp.ClientSession
    key: str = ""
    ahead: list[float] = field(default_factory=lambda: [0.0])

    async def ask(self, path: str, method: str = "GET", key: str | None = None, **how: Any) -> tuple[int, Any, Any]:
        """(status, JSON, headers); `key` "" for none."""
        shown = self.key if key is None else key
        headers = {**({"X-Api-Key": shown} if shown else {}), **how.pop("headers", {})}
        async with self.session.request(
            method, self.base + path, headers=headers, allow_redirects=False, **how
        ) as answer:
            return answer.status, orjson.loads(await answer.read()), answer.headers

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a good answer."""
        status, body, _ = await self.ask(path, params=params)
        assert status == 200, body
        return body

    async def fetch(self, address: str) -> tuple[int, bytes]:
        """What a plain GET of an address gives, without any header of ours."""
        async with self.session.get(address) as answer:
            return answer.status, await answer.read()

    async def left(self) -> int | None:
        """The key's credits."""
        standing = (await self.keys.desk.keys("tester"))[0]
        assert standing.credits
        return standing.credits.left


Open = Callable[..., Any]


async def _open(
    stack: AsyncExitStack,
    world: World,
    url: str,
    folder: Path,
    providers: tuple[str, ...] = (),
    *,
    starting: bool = False,
    **options: Any,
) -> TikLive:
    """All parts are the real ones, and the practice world is all there is."""
    settings = load(
        data_dir=folder,
        ca_file=str(world.ca_file),
        connect_to=tuple(world.connect_to),
        tikwm_per_second=0,
        providers=providers,
    )
    app = await stack.enter_async_context(open_app(settings))
    database = await stack.enter_async_context(Database.open(url))
    keys = Keys(database, open_to_all=options.pop("open_to_all", False))
    unused = cast(Any, SimpleNamespace())
    room = Workroom(unused, unused, unused, keys, unused)
    ahead = [0.0]
    served = create(
        app.resolver,
        app.fetcher,
        ServerOptions(secret=(SECRET,), **options),
        clock=lambda: asyncio.get_running_loop().time() + 1.7e9 + ahead[0],
        workroom=no_workroom if starting else lambda: room,
        listing=app.listing,
        lookups=app.lookups,
    )
    base = await stack.enter_async_context(_serving(served))
    session = await stack.enter_async_context(aiohttp.ClientSession())
    return TikLive(base, world, keys, database, session, (await keys.desk.create("tester")).text, ahead)


@pytest.fixture
async def open_tiklive(database_url: str, world: World, tmp_path: Path) -> AsyncIterator[Open]:
    """Starts a server with these options, on a database of this test's own."""
    async with AsyncExitStack() as stack:
        yield partial(_open, stack, world, database_url, tmp_path / "data")


@pytest.fixture
async def tiklive(open_tiklive: Open) -> TikLive:
    """One with the defaults."""
    opened: TikLive = await open_tiklive()
    return opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_tiklive(_template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TikLive]:
    """One for a whole file of tests, none of which changes anything."""
    name = f"tiklive_{secrets.token_hex(4)}"
    connection = await connect(_template.replace("/clipstead?", "/postgres?"))
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE clipstead")
    await connection.close()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World(seed=1))
        url = _template.replace("/clipstead?", f"/{name}?")
        opened = await _open(stack, world, url, tmp_path_factory.mktemp("tiklive"), tiklive_per_minute=0)
        await opened.keys.desk.set_credits(opened.key[4:14], "unlimited")
        yield opened


@asynccontextmanager
async def _serving(app: Any) -> AsyncIterator[str]:
    config = uvicorn.Config(
        app, port=0, http=BoundedProtocol, ws="none", lifespan="off", access_log=False, log_config=None,
        proxy_headers=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())  # without its signal handlers: those are the test's
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


_TUNNEL = re.compile(r"http://127\.0\.0\.1:\d+/media/[A-Za-z0-9_-]+/tiktok-\d+-[a-z0-9-]+\.[a-z0-9]+")
_MARKS: dict[str, Callable[[Any], bool]] = {
    "<int>": lambda value: type(value) is int,
    "<bool>": lambda value: type(value) is bool,
    "<text>": lambda value: type(value) is str,
    "<word>": lambda value: type(value) is str and value != "",
    "<digits>": lambda value: type(value) is str and value.isdigit(),
    "<milliseconds>": lambda value: type(value) is str and re.fullmatch(r"\d{13}", value) is not None,
    "<moment>": lambda value: type(value) is int and 1_400_000_000 < value < 2_000_000_000,
    "<tunnel>": lambda value: type(value) is str and _TUNNEL.fullmatch(value) is not None,
    "<tunnel or empty>": lambda value: value == "" or (type(value) is str and _TUNNEL.fullmatch(value) is not None),
}


def differences(expected: Any, found: Any, shapes: dict[str, Any], at: str = "body") -> list[str]:
    """Every place where `found` is not what the golden body says: exact keys, exact values, marks by their meaning.

    `"<some NAME>"` is a list of one or more of a shape, `"<NAME>"` one of them.
    """
    if isinstance(expected, str) and expected.startswith("<some "):
        if not isinstance(found, list) or not found:
            return [f"{at}: {found!r} is no list with something in it"]
        one = f"<{expected[6:]}"
        return [each for n, item in enumerate(found) for each in differences(one, item, shapes, f"{at}[{n}]")]
    if isinstance(expected, str) and (name := expected.strip("<>")) in shapes and expected != name:
        return differences(shapes[name], found, shapes, at)
    if isinstance(expected, str) and expected in _MARKS:
        return [] if _MARKS[expected](found) else [f"{at}: {found!r} is no {expected}"]
    if isinstance(expected, dict) and isinstance(found, dict):
        missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
        wrong = [f"{at}: {words} {keys}" for words, keys in (("missing", missing), ("not expected", extra)) if keys]
        shared = expected.keys() & found.keys()
        return wrong + [
            each for key in sorted(shared) for each in differences(expected[key], found[key], shapes, f"{at}.{key}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [each for n, (one, other) in pairs for each in differences(one, other, shapes, f"{at}[{n}]")]
    same = type(expected) is type(found) and expected == found
    return [] if same else [f"{at}: {found!r} instead of {expected!r}"]


@pytest.fixture
def compare() -> Callable[[Any, Any, dict[str, Any]], list[str]]:
    """compare(expected, body, shapes) -> differences."""
    return differences

"""A real Postgres with keys in it, time that can be made to pass, and a real server in front."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvicorn
from fastapi import APIRouter
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

import clipstead
from clipstead.db import Database
from clipstead.errors import ClipsteadError
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages
from clipstead.resolve import PostCache, Resolver, Rotation
from clipstead.server import admin, my_key, ops
from clipstead.server.admission import access_headers, admit
from clipstead.server.asgi import _api
from clipstead.server.client_address import Clients
from clipstead.server.dialect import Dialect, Dialects, status_of
from clipstead.server.front import Door, Front
from clipstead.server.hosts import Hosts
from clipstead.server.key_standing import KeyLimited
from clipstead.server.keys import Keys
from clipstead.server.metrics import Metrics
from clipstead.server.protocol import BoundedProtocol
from clipstead.server.receivers import Receivers
from clipstead.server.responses import Json
from clipstead.server.visit import RequestIds
from clipstead.server.workroom import no_workroom

TwoProcesses = Callable[..., Awaitable[list[int]]]
PassTime = Callable[[float], Awaitable[None]]
OpenSite = Callable[[Keys | None], Awaitable[str]]


@pytest.fixture
def two_processes(database: Database) -> TwoProcesses:
    """two_processes(program, key, ...) -> the sums of the numbers that two of them say, run at the same time."""

    async def run(program: str, key: str, *arguments: str) -> list[int]:
        source = str(Path(clipstead.__file__).parents[1])
        children = [
            await asyncio.create_subprocess_exec(
                sys.executable,
                *("-c", program, database.url, *arguments),
                env={**os.environ, "PYTHONPATH": source},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for child in children:
            assert child.stdin and child.stdout
            child.stdin.write(key.encode() + b"\n")
            assert await child.stdout.readline() == b"ready\n"
        said = await asyncio.gather(*(child.communicate(b"go\n") for child in children))
        return [sum(map(int, counts)) for counts in zip(*(out.split() for out, _ in said), strict=True)]

    return run


@pytest.fixture
def keys(database: Database) -> Keys:
    """Its keys, with the contract's defaults."""
    return Keys(database)


@pytest.fixture
def pass_time(database: Database) -> PassTime:
    """Let minutes pass, by making what was written so much older."""

    async def pass_time(minutes: float) -> None:
        async with database.begin() as connection:
            span = {"minutes": minutes}
            for column, table in (("used_at", "key_uses"), ("last_used_at", "api_keys")):
                statement = f"UPDATE {table} SET {column} = {column} - interval '1 minute' * :minutes"
                await connection.execute(text(statement), span)

    return pass_time


@pytest.fixture
async def open_site() -> AsyncIterator[OpenSite]:
    """Starts a server with the routes about keys, and `POST /api/work`, which takes a key as Clipi's routes do.

    With None it is a server whose database is not up yet.
    """
    guard = Guard()
    net = Pages(guard)
    resolver = Resolver(Rotation([]), PostCache(1, 1), net)
    servers: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def open_site(keys: Keys | None) -> str:
        def get_keys() -> Keys:
            return keys or no_workroom().keys

        receivers = Receivers(guard, (b"s" * 32,))
        metrics = Metrics(resolver, lambda: (0, 0))
        spoken = [_work(get_keys), admin.dialect(get_keys), my_key.dialect(get_keys, receivers)]
        dialects = Dialects(spoken)
        routers = (ops.router(resolver, metrics, no_workroom), *(each.router for each in spoken))
        api = _api(dialects, routers, "0")
        door = Door(Clients(()), Hosts(), "", RequestIds(), metrics.request)
        config = uvicorn.Config(
            Front(api, dialects, door), "127.0.0.1", 0, http=BoundedProtocol, ws="none", lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        servers.append((server, task))
        while not server.started:
            await asyncio.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    yield open_site
    for server, task in servers:
        server.should_exit = True
        await task
    await resolver.close()
    await net.close()


def _work(keys: Callable[[], Keys]) -> Dialect:
    router = APIRouter()

    async def work(request: Request) -> Response:
        admission = await admit(request, keys())
        return Json({"by": admission.key_id}, headers=access_headers(request))

    async def crash(request: Request) -> Response:
        await admit(request, keys())
        raise RuntimeError(f"shown: {dict(request.headers)}")

    def error(request: Request, error: ClipsteadError) -> Response:
        body = {"error": str(error), **({"retryAfter": error.seconds} if isinstance(error, KeyLimited) else {})}
        return Json(body, status_of(error), access_headers(request, error))

    for path, answer in (("/api/work", work), ("/api/crash", crash)):
        router.add_api_route(path, answer, methods=["POST"], response_class=Response)
    return Dialect("work", "/", router, error)

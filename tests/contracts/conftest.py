"""What the contracts' tests share: a server on a socket of its own, and golden bodies compared to the letter."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import orjson
import pytest
import uvicorn

from clipstead.server import BoundedProtocol

Serving = Callable[[Any], AbstractAsyncContextManager[int]]


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, http=BoundedProtocol, ws="none", lifespan="off", access_log=False, log_config=None, proxy_headers=False
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await server.startup(sockets=[listener])
        try:
            yield listener.getsockname()[1]
        finally:
            for listening in server.servers:
                listening.close()
            for connection in list(server.server_state.connections):
                connection.transport.abort()
            while server.server_state.connections or server.server_state.tasks:
                await asyncio.sleep(0)


@pytest.fixture(scope="session")
def serving() -> Serving:
    """serving(app) is a context that gives the port the app listens on."""
    return _served


# What a golden body may say instead of a value.
_MARKS: dict[str, Callable[[Any], bool]] = {
    "<string>": lambda value: isinstance(value, str) and value != "",
    "<int>": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "<number>": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "<ms>": lambda value: isinstance(value, str) and re.fullmatch(r"\d+ms", value) is not None,
    "<any>": lambda value: value is not None,
}


def _differences(expected: Any, found: Any, base: str, at: str = "body") -> list[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
        wrong = [f"{at}: missing {missing}"] * bool(missing) + [f"{at}: not expected {extra}"] * bool(extra)
        shared = expected.keys() & found.keys()
        return wrong + [each for key in shared for each in _differences(expected[key], found[key], base, f"{at}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [each for n, (one, other) in pairs for each in _differences(one, other, base, f"{at}[{n}]")]
    if isinstance(expected, str) and expected.startswith("<tunnel "):
        pattern = rf"{re.escape(base)}/media/[A-Za-z0-9_-]+/tiktok-\d+-{re.escape(expected[8:-1])}\.[a-z0-9]+"
        return [] if isinstance(found, str) and re.fullmatch(pattern, found) else [f"{at}: {found!r} is no {expected}"]
    if isinstance(expected, str) and expected in _MARKS:
        return [] if _MARKS[expected](found) else [f"{at}: {found!r} is no {expected}"]
    same = type(expected) is type(found) and expected == found
    return [] if same else [f"{at}: {found!r} instead of {expected!r}"]


@pytest.fixture(scope="session")
def unlike() -> Callable[[Any, bytes, str], list[str]]:
    """unlike(expected, body, base) -> every place where the body is not what the golden one says."""
    return lambda expected, body, base: _differences(expected, orjson.loads(body), base)

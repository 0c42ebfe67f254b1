"""The head of an answer goes out with its body, and alone where the body takes its time."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from clipstead.server import BoundedProtocol


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server whose `/slow` waits between head and body until it is asked for `/go`, and whose `/empty` has none."""
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = b"" if scope["path"] == "/empty" else b"body"
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/slow":
            await go.wait()
        if scope["path"] == "/go":
            go.set()
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, http=BoundedProtocol, ws="none", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        await running


async def _ask(port: int, path: str, method: str = "GET") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return reader, writer


@pytest.mark.parametrize(
    ("method", "path", "body"), [("GET", "/", b"body"), ("HEAD", "/", b""), ("GET", "/empty", b"")]
)
async def test_an_answer_comes_whole(port: int, method: str, path: str, body: bytes) -> None:
    """With a body, without one, and where the request forbids one; twice on one connection."""
    reader, writer = await _ask(port, path, method)
    for _ in range(2):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 200")
        assert await asyncio.wait_for(reader.readexactly(len(body)), 5) == body
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    writer.close()
    await writer.wait_closed()


async def test_a_head_does_not_wait_for_a_slow_body(port: int) -> None:
    """The client reads it before the body exists."""
    reader, writer = await _ask(port, "/slow")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 200")
    other, other_writer = await _ask(port, "/go")
    assert await asyncio.wait_for(reader.readexactly(4), 5) == b"body"
    await asyncio.wait_for(other.readuntil(b"body"), 5)
    for each in (writer, other_writer):
        each.close()
        await each.wait_closed()

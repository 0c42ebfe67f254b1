"""The SDK against servers that misbehave: it waits as asked, goes on where it broke, and gives up in words."""

from __future__ import annotations

import asyncio
import hashlib
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from clipstead.client import AsyncClient, Client, ServerFailed, Unreachable
from clipstead.client.background import Background
from clipstead.client.patience import Patience
from clipstead.errors import BadRequest, RateLimited

if TYPE_CHECKING:
    from tests.client.conftest import Serve

BODY = bytes(range(256)) * 4000
TAG = f'"{hashlib.sha256(BODY).hexdigest()[:40]}"'
INFO = {"success": True, "data": {"url": "u", "title": "t", "formats": []}}
QUICK = Patience(tries=4, pause=0.01)

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def test_it_waits_as_long_as_it_is_asked_to(serve: Serve) -> None:
    """429 and 503 are tried again, with the server's own pause."""
    statuses = [429, 503, 200]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        status = statuses.pop(0)
        return web.json_response(
            INFO if status == 200 else {"error": "busy"}, status=status, headers={"Retry-After": "0"}
        )

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        assert (await clips.info("x")).title == "t"
    assert statuses == []


async def test_a_pause_that_is_too_long_is_told(serve: Serve) -> None:
    """Rather than waited for."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"error": "Hourly rate limit exceeded"}, status=429, headers={"Retry-After": "1800"})

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        with pytest.raises(RateLimited, match="Hourly") as caught:
            await clips.info("x")
    assert caught.value.retry_after == 1800


@pytest.mark.parametrize("job", [False, True])
async def test_work_is_not_ordered_twice(serve: Serve, job: bool) -> None:
    """A 500 may mean that a job was taken: only what is no harm twice is sent again."""
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({"error": "Internal server error"}, status=500)

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        with pytest.raises(ServerFailed, match="Internal"):
            await (clips.start_download("x") if job else clips.info("x"))
    assert len(asked) == (1 if job else 4)


@pytest.mark.parametrize("changes", [False, True])
async def test_a_file_goes_on_where_it_broke(serve: Serve, tmp_path: Path, changes: bool) -> None:
    """By range and tag; a file that has changed meanwhile comes from its beginning again."""
    ranges: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked = request.headers.get("range")
        ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not changes else 0
        assert asked is None or request.headers["if-range"] == TAG
        reply = web.StreamResponse(status=206 if start else 200, headers={"ETag": TAG})
        reply.content_length = len(BODY) - start
        await reply.prepare(request)
        if len(ranges) == 3 or (changes and asked):
            await reply.write(BODY[start:])
            return reply
        await reply.write(BODY[start : start + 300_000])
        assert request.transport
        request.transport.close()
        return reply

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        assert await clips.fetch("/file", tmp_path / "a.bin") == tmp_path / "a.bin"
    assert (tmp_path / "a.bin").read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    assert ranges[0] is None and all(ranges[1:])


async def test_a_damaged_file_is_no_file(serve: Serve, tmp_path: Path) -> None:
    """Results carry their hash in their tag."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x" + BODY[1:], headers={"ETag": TAG})

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        with pytest.raises(Unreachable, match="damaged"):
            await clips.fetch("/file", tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == []


async def test_events_go_on_after_a_cut(serve: Serve) -> None:
    """A new connection names the last event that was seen."""
    seen: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            return web.json_response({"success": True, "jobId": "7", "downloadId": "d"})
        seen.append(request.headers.get("last-event-id"))
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        if len(seen) == 1:
            await reply.write(
                b': hi\n\nid: 4\ndata: {"jobId":"7","status":"processing","percent":40}\n\nid: 5\ndata: {"jo'
            )
            assert request.transport
            request.transport.close()
        else:
            await reply.write(
                b'id: 9\r\ndata: {"jobId":"7","status":"completed","percent":100,"downloadUrl":"/f"}\r\n\r\n'
            )
        return reply

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        job = await clips.start_download("x")
        events = [(event.status, event.percent) async for event in job]
    assert events == [("processing", 40), ("completed", 100)]
    assert seen == [None, "4"]


async def test_the_key_goes_to_its_server_alone(serve: Serve) -> None:
    """An address elsewhere is not asked for through us, and no redirect is followed."""
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/elsewhere"})

    async with AsyncClient(await serve(answer), key="clp_secret", patience=QUICK) as clips:
        for address in ("http://127.0.0.1:1/x", "//127.0.0.1:1/x", "http://[::1/x"):
            with pytest.raises(Unreachable, match="not on this server"):
                await clips.fetch(address)
        with pytest.raises(ServerFailed):
            await clips.info("x")
    assert asked == ["/api/video/info"]


async def test_nobody_there_is_said_so() -> None:
    """In one line."""
    async with AsyncClient("http://127.0.0.1:1", patience=QUICK) as clips:
        with pytest.raises(Unreachable):
            await clips.info("x")


def test_its_tool_calls_are_those_of_the_tools() -> None:
    """Written anew they are what stands in the tree."""
    writer = runpy.run_path(str(Path(__file__).with_name("write_tool_calls.py")))
    target = writer["TARGET"]
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", str(target)],
        input=writer["written"](), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert target.read_text() == formatted.stdout


def test_it_loads_no_part_of_the_server() -> None:
    """Scripts start quickly."""
    heavy = ("fastapi", "sqlalchemy", "aiohttp", "pydantic", "clipstead.server", "clipstead.net", "clipstead.tools")
    code = f"import sys, clipstead.client; print([name for name in {heavy!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["text/event-stream", "text/html"])
async def test_a_stream_that_never_says_anything_is_given_up(serve: Serve, kind: str) -> None:
    """Whoever is told nothing, connection after connection, must not wait for ever."""
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            return web.json_response({"success": True, "jobId": "7", "downloadId": "d"})
        asked.append(request.path)
        return web.Response(body=b": hi\n\n", headers={"Content-Type": kind})

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        job = await clips.start_download("x")
        with pytest.raises(Unreachable):
            async with asyncio.timeout(20):
                await job.wait()
    assert len(asked) == QUICK.tries


async def test_events_outlive_a_server_that_starts_again(serve: Serve) -> None:
    """It is not there, and then not ready, for longer than a call would be tried: that is no answer."""
    statuses = [0, 0, 502, 503, 503, 503, 200]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            return web.json_response({"success": True, "jobId": "7", "downloadId": "d"})
        if not (status := statuses.pop(0)):
            assert request.transport
            request.transport.close()
        if status != 200:
            return web.json_response({"error": "Starting up"}, status=status)
        event = b'data: {"jobId":"7","status":"completed","percent":100,"downloadUrl":"/f"}\n\n'
        return web.Response(body=event, headers={"Content-Type": "text/event-stream"})

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        assert (await (await clips.start_download("x")).wait()).download_url == "/f"


async def test_what_is_no_file_is_not_sent(serve: Serve, tmp_path: Path) -> None:
    """A pipe would be waited for, a folder or half a name is told."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"success": True, "jobId": "7", "toolJobId": "d"})

    os.mkfifo(tmp_path / "pipe")
    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        for path in (tmp_path / "pipe", tmp_path, tmp_path / "a\0b", tmp_path / "missing"):
            with pytest.raises(BadRequest):
                await clips.tools.remove_audio(path)


async def test_a_source_is_changed_in_three_ways(serve: Serve) -> None:
    """Other words would be part of the path."""
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(f"{request.method} {request.path}")
        return web.json_response({"success": True, "data": {}})

    async with AsyncClient(await serve(answer), patience=QUICK) as clips:
        for action in ("pause", "resume", "remove"):
            await clips.archive.change(5, action)
        with pytest.raises(BadRequest):
            await clips.archive.change(5, "../../admin/keys")
    assert asked == [
        "POST /api/archive/sources/5/pause",
        "POST /api/archive/sources/5/resume",
        "DELETE /api/archive/sources/5",
    ]


def test_a_client_may_be_closed_twice() -> None:
    """By hand, and at the end of its block."""
    with Client("http://127.0.0.1:1", patience=QUICK) as clips:
        clips.close()


def test_ctrl_c_ends_what_is_waited_for() -> None:
    """As itself; and what was going on is closed."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs us may have it ignored
    closed: list[bool] = []

    async def forever() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            closed.append(True)

    loop = Background()
    found = loop.iterate(forever())
    assert next(found) == 1
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            next(found)
    finally:
        signal.signal(signal.SIGINT, before)
    loop.stop()
    assert closed == [True]


@pytest.mark.parametrize("key", ["ключ", "clp_a\r\nX-Other: b", "é"])
def test_a_key_that_fits_no_header_is_refused(key: str) -> None:
    """At once, and without being shown."""
    with pytest.raises(BadRequest) as refused:
        AsyncClient("http://127.0.0.1:1", key=key)
    assert key not in str(refused.value)

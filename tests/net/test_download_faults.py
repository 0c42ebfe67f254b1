"""Everything that can go wrong with a body ends in one typed error and leaves no file."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from clipstead.errors import DownloadFailed
from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard

from .conftest import Origin

DATA = b"\0\0\0\x18ftyp" + os.urandom(100_000)
Fail = Callable[..., Awaitable[DownloadFailed]]
URL = "http://cdn.good.test/v"


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
async def fetcher(origin: Origin) -> AsyncIterator[Fetcher]:
    """Reaches the origin as *.good.test; patience is short."""
    made = Fetcher(Guard(connect_to=[f"*.good.test:80:127.0.0.1:{origin.port}"]), connect_timeout=2, stall_timeout=0.3)
    yield made
    await made.close()


@pytest.fixture
def fail(fetcher: Fetcher, tmp_path: Path) -> Fail:
    """The error that a download ends with; no file is left by it."""

    async def run(url: str = URL, **options: object) -> DownloadFailed:
        with pytest.raises(DownloadFailed) as caught:
            await fetcher.to_file(url, tmp_path / "out.mp4", **{"max_bytes": 1_000_000, **options})  # type: ignore[arg-type]
        assert not names(tmp_path)
        assert "sig=" not in str(caught.value)
        return caught.value

    return run


def raw(answer: bytes, *, reset: bool = False) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A route that writes exactly these bytes to the socket and hangs up."""

    async def handler(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        transport.write(answer)
        await asyncio.sleep(0.05)
        if reset:
            transport.abort()
        else:
            transport.close()
        raise ConnectionResetError

    return handler


@pytest.mark.parametrize("status", [401, 403, 404, 410, 416, 429, 500, 502, 503])
async def test_a_status_that_may_heal_is_transient_and_told(origin: Origin, fail: Fail, status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=DATA)

    origin.routes["/v"] = handler
    error = await fail(URL + "?sig=secret")
    assert (error.status, error.transient) == (status, True)


@pytest.mark.parametrize("status", [204, 206, 304, 400, 402, 451])
async def test_any_other_status_is_final(origin: Origin, fail: Fail, status: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status)

    origin.routes["/v"] = handler
    error = await fail()
    assert (error.status, error.transient) == (status, False)


@pytest.mark.parametrize("reset", [False, True])
async def test_a_body_that_is_cut_short_is_transient(origin: Origin, fail: Fail, reset: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
    origin.routes["/v"] = raw(head + DATA, reset=reset)
    assert (await fail()).transient


async def test_a_chunked_body_without_its_end_is_transient(origin: Origin, fail: Fail) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    origin.routes["/v"] = raw(head + f"{len(DATA):x}\r\n".encode() + DATA + b"\r\n")
    assert (await fail()).transient


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nCont", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 5000])
async def test_an_answer_that_is_no_http_is_transient(origin: Origin, fail: Fail, answer: bytes) -> None:
    origin.routes["/v"] = raw(answer)
    assert (await fail()).transient


async def test_a_body_that_stalls_is_given_up(origin: Origin, fail: Fail) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "200000"})
        await response.prepare(request)
        await response.write(DATA)
        await asyncio.sleep(30)
        return response

    origin.routes["/v"] = handler
    error = await fail()
    assert error.transient and "too long" in str(error)


async def test_a_body_that_trickles_for_ever_is_given_up(origin: Origin, fail: Fail) -> None:
    """A byte now and then resets no patience."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    origin.routes["/v"] = handler
    error = await fail()
    assert error.transient and "too long" in str(error)


async def test_headers_that_never_come_are_given_up(origin: Origin, fail: Fail) -> None:
    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    origin.routes["/v"] = handler
    assert (await fail()).transient


async def test_nobody_at_home_is_transient(origin: Origin, fail: Fail, unused_port: int, tmp_path: Path) -> None:
    fetcher = Fetcher(Guard(connect_to=[f"*.good.test:80:127.0.0.1:{unused_port}"]))
    with pytest.raises(DownloadFailed, match="could not be reached") as caught:
        await fetcher.to_file(URL, tmp_path / "x", max_bytes=10)
    await fetcher.close()
    assert caught.value.transient


@pytest.fixture
def unused_port() -> int:
    """A port nobody listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize("announced", [True, False])
async def test_an_oversize_body_is_refused_while_it_comes(origin: Origin, fail: Fail, announced: bool) -> None:
    """By its announced length before a byte is taken; without one as soon as the bound is passed, endless or not."""
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(10**12)} if announced else {})
        await response.prepare(request)
        while True:
            await response.write(b"\0" * 65536)
            sent += 65536

    origin.routes["/v"] = handler
    error = await fail(max_bytes=300_000)
    assert not error.transient and "larger than" in str(error)
    assert sent < 32 * 1024 * 1024


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><html>", b"  \n<html>", b"\xef\xbb\xbf<?xml ?>", b'{"code":-1}', b"[]"]
)
async def test_markup_and_json_are_no_media_whatever_they_are_labelled(origin: Origin, fail: Fail, body: bytes) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="video/mp4")

    origin.routes["/v"] = handler
    error = await fail()
    assert not error.transient and "text" in str(error)


async def test_json_passes_where_text_is_wanted_and_html_does_not(
    origin: Origin,
    fetcher: Fetcher,
    fail: Fail,
    tmp_path: Path,
) -> None:
    bodies = {"/j": b'{"utterances":[]}', "/h": b"<html>"}

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=bodies[request.path])

    origin.routes |= dict.fromkeys(bodies, handler)
    fetched = await fetcher.to_file("http://cdn.good.test/j", tmp_path / "out.json", max_bytes=1000, text=True)
    fetched.part.discard()
    await fail("http://cdn.good.test/h", text=True)


@pytest.mark.parametrize("chunked", [True, False])
async def test_another_size_than_the_one_insisted_on_is_refused(origin: Origin, fail: Fail, chunked: bool) -> None:
    async def handler(_: web.Request) -> web.Response:
        response = web.Response(body=DATA)
        if chunked:
            response.enable_chunked_encoding()
        return response

    origin.routes["/v"] = handler
    assert str(len(DATA)) in str(await fail(expect=len(DATA) - 1))


async def test_an_empty_body_is_no_file(origin: Origin, fail: Fail) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"", content_type="video/mp4")

    origin.routes["/v"] = handler
    assert (await fail()).transient


async def test_a_packed_body_that_was_not_asked_for_is_refused(origin: Origin, fail: Fail) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b"\x1f\x8b" + DATA, headers={"Content-Encoding": "gzip"})

    origin.routes["/v"] = handler
    assert "packed" in str(await fail())


@pytest.mark.parametrize("length", [2, 50])
async def test_a_redirect_loop_ends_after_few_requests(origin: Origin, fail: Fail, length: int) -> None:
    for step in range(length):
        origin.redirect(f"/{step}", f"/{(step + 1) % length}")
    error = await fail("http://cdn.good.test/0")
    assert not error.transient and "redirect loop" in str(error)
    assert len(origin.requests) == 6


async def test_a_redirect_that_leads_nowhere_is_an_answer_without_a_file(origin: Origin, fail: Fail) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=302)

    origin.routes["/v"] = handler
    assert (await fail()).status == 302


async def test_a_cancelled_download_leaves_nothing(origin: Origin, fetcher: Fetcher, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(DATA)
            begun.set()
            await asyncio.sleep(0.01)

    origin.routes["/v"] = handler
    task = asyncio.create_task(fetcher.to_file(URL, tmp_path / "x", max_bytes=10**9))
    await begun.wait()
    while not names(tmp_path):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not names(tmp_path)

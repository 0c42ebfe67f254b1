"""The egress proxy as a child meets it: tokens, tunnels, plain requests, bounds and timeouts."""

import asyncio
import base64
import re
import ssl
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from clipstead.net.egress import Egress
from clipstead.net.guard import Guard

from .conftest import FakeDns, Origin, TestAuthority

Open = Callable[..., Any]


@pytest.fixture
def open_egress(origin: Origin, secure: Origin) -> Open:
    """A running proxy that leads every name on port 80 to `origin` and on 443 to `secure`."""

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[Egress]:
        mapped = [f":80:127.0.0.1:{origin.port}", f":443:127.0.0.1:{secure.port}"]
        egress = Egress(options.pop("guard", None) or Guard(connect_to=mapped), **options)
        await egress.start()
        try:
            yield egress
        finally:
            await egress.stop()

    return opened


def _door(lease: str) -> tuple[str, int]:
    """(Basic credentials, port) of a lease."""
    found = re.fullmatch(r"http://(.*)@127\.0\.0\.1:(\d+)", lease)
    assert found is not None
    return base64.b64encode(found[1].encode()).decode(), int(found[2])


async def _raw(lease: str, head: str, *, login: str | None = None) -> bytes:
    """Everything the proxy says to one request head until it closes."""
    own, port = _door(lease)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        text = head.format(login=f"Proxy-Authorization: Basic {login or own}")
        writer.write(text.replace("\n", "\r\n").encode("latin-1"))
        return await reader.read()
    finally:
        writer.close()


async def test_a_real_client_reaches_https_and_http_through_a_lease(
    origin: Origin, secure: Origin, authority: TestAuthority, open_egress: Open
) -> None:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    async with open_egress() as egress, aiohttp.ClientSession() as session:
        lease = egress.lease()
        for url in ("https://www.good.test/a?b=c", "http://good.test/plain?d"):
            async with session.get(url, proxy=lease, ssl=context) as reply:
                assert reply.status == 200 and await reply.text() == url.split("://")[1]
        async with session.post("http://good.test/post", proxy=lease, data=b"body" * 1000) as reply:
            assert reply.status == 200
    assert "Proxy-Authorization" not in origin.requests[0].headers
    assert [request.method for request in origin.requests] == ["GET", "POST"]


async def test_the_standard_librarys_client_reaches_both_too(
    authority: TestAuthority, origin: Origin, secure: Origin, open_egress: Open
) -> None:
    def fetch(lease: str, url: str) -> bytes:
        handlers = [
            urllib.request.ProxyHandler({"http": lease, "https": lease}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(authority.ca_file))),
        ]
        with urllib.request.build_opener(*handlers).open(url, timeout=10) as reply:
            body: bytes = reply.read()
            return body

    async with open_egress() as egress:
        lease = egress.lease()
        for url in ("https://good.test/x", "http://good.test/y"):
            assert await asyncio.to_thread(fetch, lease, url) == url.split("://")[1].encode()


@pytest.mark.parametrize("header", ["", "Proxy-Authorization: Basic eDp3cm9uZw==\n", "Proxy-Authorization: Bearer x\n"])
async def test_without_a_live_token_everything_is_407(header: str, origin: Origin, open_egress: Open) -> None:
    async with open_egress() as egress:
        lease = egress.lease()
        for line in ("CONNECT good.test:443", "GET http://good.test/", "CONNECT 127.0.0.1:22"):
            reply = await _raw(lease, f"{line} HTTP/1.1\n{header}\n")
            assert reply.startswith(b"HTTP/1.1 407 ") and b"Proxy-Authenticate: Basic" in reply
    assert origin.requests == []


async def test_each_lease_has_its_own_token_and_a_released_one_is_dead(open_egress: Open) -> None:
    async with open_egress() as egress:
        one, two = egress.lease(), egress.lease()
        assert one != two
        egress.release(one)
        egress.release(one)
        egress.release("http://127.0.0.1:1")
        assert (await _raw(one, "CONNECT good.test:443 HTTP/1.1\n{login}\n\n")).startswith(b"HTTP/1.1 407")
        reader, writer = await asyncio.open_connection("127.0.0.1", _door(two)[1])
        writer.write(f"CONNECT good.test:443 HTTP/1.1\r\nProxy-Authorization: Basic {_door(two)[0]}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await reader.readline()
        egress.release(two)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()


async def test_stopping_cuts_tunnels_and_ends_leases(open_egress: Open) -> None:
    async with open_egress() as egress:
        lease = egress.lease()
        login, port = _door(lease)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"CONNECT good.test:443 HTTP/1.1\r\nProxy-Authorization: Basic {login}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await egress.stop()
        with pytest.raises(RuntimeError):
            egress.lease()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(100)
        writer.close()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("CONNECT good.test:22", "ports 80 and 443"),
        ("CONNECT 10.0.0.1:443", "not a public one"),
        ("CONNECT 127.1:443", "odd form"),
        ("CONNECT x@good.test:443", "host name"),
        ("CONNECT good.test", "not host:port"),
        ("CONNECT https://good.test/", "not host:port"),
        ("GET https://good.test/", "only GET, HEAD and POST of http"),
        ("GET /", "not http"),
        ("GET http://good.test:8080/", "ports 80 and 443"),
        ("GET http://169.254.169.254/latest/", "not a public one"),
        ("GET http://user@good.test/", "names a user"),
        ("DELETE http://good.test/", "only GET, HEAD and POST of http"),
    ],
)
async def test_a_refused_target_is_403_with_its_reason_for_the_child_and_for_us(
    line: str, reason: str, origin: Origin, secure: Origin, open_egress: Open
) -> None:
    async with open_egress() as egress:
        lease, other = egress.lease(), egress.lease()
        assert egress.refused(lease) == ""
        reply = await _raw(lease, line + " HTTP/1.1\n{login}\n\n")
        assert re.match(rb"HTTP/1\.1 403 Refused: [\x20-\x7e]+\r\n", reply) and reason.encode() in reply
        assert reason in egress.refused(lease) and egress.refused(other) == ""
    assert origin.requests == [] and secure.requests == []


async def test_what_cannot_be_found_or_reached_is_502(dns: FakeDns, open_egress: Open) -> None:
    dns.answers["dead.test"] = [["127.0.0.1"]]
    guard = Guard(allow=["127.0.0.1"], connect_to=["dead.test:443::1"], lookup=dns)
    async with open_egress(guard=guard) as egress:
        for host in ("dead.test", "unknown.test"):
            reply = await _raw(egress.lease(), f"CONNECT {host}:443 HTTP/1.1\n{{login}}\n\n")
            assert reply.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    "head",
    [
        "SSH-2.0-x\n\n",
        "CONNECT good.test:443 HTTP/2\n{login}\n\n",
        "CONNECT good.test:443  HTTP/1.1\n{login}\n\n",
        "CONNECT good.test:443 HTTP/1.1\n{login}\n folded: x\n\n",
        "CONNECT good.test:443 HTTP/1.1\n{login}\nno colon\n\n",
        "CONNECT good.test:443 HTTP/1.1\n{login}\nX: \x00\n\n",
        "get http://good.test/ HTTP/1.1\n{login}\n\n",
        "GET http://good.test/\x7f HTTP/1.1\n{login}\n\n",
    ],
)
async def test_what_is_not_http_is_400(head: str, open_egress: Open) -> None:
    async with open_egress() as egress:
        assert (await _raw(egress.lease(), head)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "framing",
    [
        "Transfer-Encoding: chunked",
        "Content-Length: 1\nContent-Length: 2",
        "Content-Length: -1",
        "Content-Length: 99999999",
        "Content-Length: +1",
    ],
)
async def test_a_body_of_unclear_length_is_not_passed_on(framing: str, origin: Origin, open_egress: Open) -> None:
    async with open_egress() as egress:
        reply = await _raw(egress.lease(), "POST http://good.test/ HTTP/1.1\n{login}\n" + framing + "\n\n")
        assert reply.startswith(b"HTTP/1.1 403 ")
    assert origin.requests == []


async def test_a_head_of_more_than_8_kb_is_431_and_a_slow_one_408(open_egress: Open) -> None:
    async with open_egress(head_timeout=0.1) as egress:
        lease = egress.lease()
        big = "CONNECT good.test:443 HTTP/1.1\nX: " + "x" * 9000 + "\n{login}\n\n"
        assert (await _raw(lease, big)).startswith(b"HTTP/1.1 431 ")
        assert (await _raw(lease, "CONNECT good.test:443 HT")).startswith(b"HTTP/1.1 408 ")


async def test_a_plain_request_loses_what_was_meant_for_the_proxy_and_nothing_rides_along(
    origin: Origin, open_egress: Open
) -> None:
    async with open_egress() as egress:
        head = (
            "GET http://GOOD.test/a?b HTTP/1.1\nHost: evil.test\n{login}\nProxy-Connection: keep-alive\n"
            "Connection: x-secret, close\nX-Secret: 1\nX-Kept: 1\nUpgrade: h2c\n\n"
            "GET http://10.0.0.1/second HTTP/1.1\n{login}\n\n"
        )
        reply = await _raw(egress.lease(), head)
    assert b"second" not in reply
    assert [request.path for request in origin.requests] in ([], ["/a"])
    async with open_egress() as egress:
        assert b"good.test/a?b" in await _raw(egress.lease(), head.partition("GET http://10")[0])
    sent = origin.requests[-1].headers
    assert sent["Host"] == "good.test" and sent["X-Kept"] == "1" and sent["Connection"] == "close"
    for name in ("X-Secret", "Proxy-Authorization", "Proxy-Connection", "Upgrade"):
        assert name not in sent


async def test_only_so_many_tunnels_at_once(open_egress: Open) -> None:
    async with open_egress(max_tunnels=2) as egress:
        lease = egress.lease()
        login, port = _door(lease)
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for reader, writer in held:
            writer.write(f"CONNECT good.test:443 HTTP/1.1\r\nProxy-Authorization: Basic {login}\r\n\r\n".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert (await _raw(lease, "CONNECT good.test:443 HTTP/1.1\n{login}\n\n")).startswith(b"HTTP/1.1 503")
        for _, writer in held:
            writer.close()


@pytest.mark.parametrize("bound", [{"idle_timeout": 0.1}, {"total_timeout": 0.1}])
async def test_a_tunnel_in_which_nothing_moves_or_that_lasts_too_long_ends(
    bound: dict[str, float], open_egress: Open
) -> None:
    async with open_egress(**bound) as egress:
        async with asyncio.timeout(10):
            reply = await _raw(egress.lease(), "CONNECT good.test:443 HTTP/1.1\n{login}\n\n")
        assert reply.startswith(b"HTTP/1.1 200")


async def test_a_tunnel_carries_both_ways_keeps_order_and_passes_half_closes_on(
    dns: FakeDns, open_egress: Open
) -> None:
    """An echo server that answers only once its client has stopped writing gets all 3 MB and gives them back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    guard = Guard(connect_to=[f"echo.test:443:127.0.0.1:{server.sockets[0].getsockname()[1]}"])
    payload = bytes(range(256)) * 12_000
    async with open_egress(guard=guard) as egress:
        login, port = _door(egress.lease())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"CONNECT echo.test:443 HTTP/1.1\r\nProxy-Authorization: Basic {login}\r\n\r\n".encode() + payload)
        await writer.drain()
        writer.write_eof()
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200") and await reader.read() == payload
        writer.close()
    server.close()
    await server.wait_closed()


async def test_a_reader_that_stalls_holds_the_sender_back_instead_of_filling_memory(open_egress: Open) -> None:
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
                sent += 65536
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    guard = Guard(connect_to=[f"flood.test:443:127.0.0.1:{server.sockets[0].getsockname()[1]}"])
    async with open_egress(guard=guard) as egress:
        login, port = _door(egress.lease())
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(f"CONNECT flood.test:443 HTTP/1.1\r\nProxy-Authorization: Basic {login}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        before = -1
        while before != sent:  # until the flood stands still
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 32 * 1024 * 1024  # the kernel's own buffers on both sides are most of it
        writer.transport.abort()
    server.close()
    await server.wait_closed()


async def test_a_slow_plain_answer_that_leaves_its_connection_open_still_ends(
    origin: Origin, open_egress: Open
) -> None:
    async def unclosed(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await asyncio.sleep(60)
        return web.StreamResponse()

    origin.routes["/open"] = unclosed
    async with open_egress(idle_timeout=0.1) as egress:
        async with asyncio.timeout(10):
            reply = await _raw(egress.lease(), "GET http://good.test/open HTTP/1.1\n{login}\n\n")
    assert reply.endswith(b"\r\n\r\nok")

"""PROXY: only the proxy is dialled, it does the resolving, and only listed hosts are asked for."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.egress import Egress
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages
from clipstead.net.proxy import OutgoingProxy, parse_proxy

from .conftest import FakeDns, Origin, TestAuthority


@dataclass
class LittleProxy:
    """HTTP CONNECT (and absolute form) or SOCKS5 with a login; sends every target to `port` on loopback."""

    kind: str
    ports: dict[int, int]
    targets: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: bool = False
    server: asyncio.Server | None = None
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"{self.kind}://us%40er:pa%3Ass@127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        serve = self._http if self.kind == "http" else self._socks
        self.server = await asyncio.start_server(lambda r, w: self._spawn(serve(r, w)), "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target = head.decode().split(" ")[:2]
        self.targets.append(f"{method} {target}")
        login = head.partition(b"Proxy-Authorization: Basic ")[2].partition(b"\r\n")[0]
        self.logins.append(base64.b64decode(login).decode())
        if self.refuse:
            writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
            writer.close()
        elif method == "CONNECT":
            await self._join(reader, writer, int(target.rpartition(":")[2]), b"HTTP/1.1 200 OK\r\nX-Proxy: 1\r\n\r\n")
        else:
            await self._join(reader, writer, 80, b"", head)

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x02")
        _, length = await reader.readexactly(2)
        name = (await reader.readexactly(length)).decode()
        word = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        self.logins.append(f"{name}:{word}")
        writer.write(b"\x01\x00")
        kind = (await reader.readexactly(4))[3]
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = socket.inet_ntop(
                socket.AF_INET if kind == 1 else socket.AF_INET6, await reader.readexactly(4 if kind == 1 else 16)
            )
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.targets.append(f"{kind} {host}:{port}")
        reply = b"\x05" + (b"\x02" if self.refuse else b"\x00") + b"\x00\x01" + bytes(6)
        if self.refuse:
            writer.write(reply)
            writer.close()
        else:
            await self._join(reader, writer, port, reply)

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, hello: bytes, first: bytes = b""
    ) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.ports.get(port, port))
        writer.write(hello)
        up_writer.write(first)

        async def flow(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while piece := await source.read(65536):
                sink.write(piece)
            sink.close()

        try:
            await asyncio.gather(flow(reader, up_writer), flow(up_reader, writer))
        except ConnectionError:
            pass
        finally:
            up_writer.close()
            writer.close()


@pytest.fixture(params=["http", "socks5"])
async def proxy(request: pytest.FixtureRequest, origin: Origin, secure: Origin) -> AsyncIterator[LittleProxy]:
    """One proxy of each kind."""
    little = LittleProxy(request.param, {80: origin.port, 443: secure.port})
    await little.start()
    yield little
    await little.stop()


Via = Callable[..., Guard]


@pytest.fixture
def via(proxy: LittleProxy, dns: FakeDns) -> Via:
    """A guard for that proxy that knows two sites."""

    def made(**options: Any) -> Guard:
        return Guard(proxy=proxy.url, proxy_hosts=["good.test", "other.test"], lookup=dns, **options)

    return made


async def test_pages_ask_the_proxy_by_name_and_resolve_nothing_here(
    proxy: LittleProxy, via: Via, authority: TestAuthority, dns: FakeDns
) -> None:
    pages = Pages(via(), ca_file=str(authority.ca_file), proxy=proxy.url)
    try:
        for url in ("https://www.good.test/a", "https://other.test/b", "http://good.test/c"):
            reply = await pages.page(url)
            assert reply.status == 200 and reply.body.decode() == url.split("://")[1]
            assert "x-proxy" not in reply.headers
    finally:
        await pages.close()
    expected = {
        "http": ["CONNECT www.good.test:443", "CONNECT other.test:443", "GET http://good.test/c"],
        "socks5": ["3 www.good.test:443", "3 other.test:443", "3 good.test:80"],
    }
    assert proxy.targets == expected[proxy.kind]
    assert set(proxy.logins) == {"us@er:pa:ss"} and dns.asked == []


async def test_through_a_proxy_hosts_off_the_list_and_addresses_are_refused_at_every_hop(
    proxy: LittleProxy, via: Via, origin: Origin
) -> None:
    pages = Pages(via(), proxy=proxy.url)
    try:
        for url in ("http://8.8.8.8/", "http://127.0.0.1/", "http://unlisted.test/", "http://xgood.test/"):
            origin.redirect("/go", url)
            for asked in (url, "http://good.test/go"):
                with pytest.raises(AddressRefused):
                    await pages.page(asked)
    finally:
        await pages.close()
    assert {target.removesuffix("/go") for target in proxy.targets} == {
        "GET http://good.test" if proxy.kind == "http" else "3 good.test:80"
    }


async def test_a_mapping_reaches_its_target_through_the_proxy(
    proxy: LittleProxy, via: Via, secure: Origin, authority: TestAuthority
) -> None:
    guard = via(connect_to=[f"www.tiktok.com:443:127.0.0.1:{secure.port}"])
    pages, egress = Pages(guard, ca_file=str(authority.ca_file), proxy=proxy.url), Egress(guard, proxy=proxy.url)
    await egress.start()
    try:
        assert (await pages.page("https://www.tiktok.com/x")).body == b"www.tiktok.com/x"
        assert await _connect(egress, "www.tiktok.com:443") == b"HTTP/1.1 200 Connection established\r\n"
    finally:
        await pages.close()
        await egress.stop()
    assert {target.split(" ")[1] for target in proxy.targets} == {f"127.0.0.1:{secure.port}"}


async def _connect(egress: Egress, target: str) -> bytes:
    login, _, address = egress.lease().removeprefix("http://").rpartition("@")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
    try:
        basic = base64.b64encode(login.encode()).decode()
        writer.write(f"CONNECT {target} HTTP/1.1\r\nProxy-Authorization: Basic {basic}\r\n\r\n".encode())
        return await reader.readline()
    finally:
        writer.close()


async def test_the_egress_proxy_chains_to_it_and_keeps_to_the_list(proxy: LittleProxy, via: Via, dns: FakeDns) -> None:
    egress = Egress(via(), proxy=proxy.url)
    await egress.start()
    try:
        assert (await _connect(egress, "www.good.test:443")).startswith(b"HTTP/1.1 200 ")
        for target in ("unlisted.test:443", "8.8.8.8:443", "good.test:22"):
            assert (await _connect(egress, target)).startswith(b"HTTP/1.1 403 ")
        proxy.refuse = True
        assert (await _connect(egress, "www.good.test:443")).startswith(b"HTTP/1.1 502 ")
    finally:
        await egress.stop()
    assert {target.split(" ")[1] for target in proxy.targets} == {"www.good.test:443"}
    assert set(proxy.logins) == {"us@er:pa:ss"} and dns.asked == []


async def test_a_proxy_that_refuses_is_a_passing_fault_in_public_words(proxy: LittleProxy, via: Via) -> None:
    proxy.refuse = True
    pages = Pages(via(), proxy=proxy.url)
    try:
        with pytest.raises(DownloadFailed) as caught:
            await pages.page("https://good.test/")
        assert caught.value.transient and "pa" not in str(caught.value).replace("passing", "")
        assert "the outgoing proxy refused" in str(caught.value)  # and not that the site could not be reached
    finally:
        await pages.close()


async def test_a_dead_proxy_is_never_gone_round(origin: Origin, dns: FakeDns) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        dns.answers["good.test"] = [["127.0.0.1"]]
        guard = Guard(proxy=url, proxy_hosts=["good.test"], allow=["127.0.0.1"], lookup=dns)
        pages = Pages(guard, proxy=url)
        try:
            with pytest.raises(DownloadFailed):
                await pages.page("http://good.test/")
        finally:
            await pages.close()
    assert origin.requests == [] and dns.asked == []


def test_a_proxy_is_read_once_and_strictly() -> None:
    assert parse_proxy("") is None
    assert parse_proxy("socks5h://u:p%40@Proxy.Internal:1080/") == OutgoingProxy(
        "socks5", "proxy.internal", 1080, "u", "p@"
    )
    found = parse_proxy("http://u%40:p%3A%2F@[::1]:3128")
    assert found is not None and found.url == "http://u%40:p%3A%2F@[::1]:3128" and "p:/" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128",
        "http://proxy",
        "https://proxy:1",
        "socks4://proxy:1",
        "http://:1",
        "http://p:99999",
        "ftp://p:1",
        "http://u:secret@p:1/path",
        "http://u:secret@127.1:1",
        "http://u:secret@p:x",
    ],
)
def test_a_wrong_proxy_is_one_clear_line_without_its_password(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_proxy(url)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)

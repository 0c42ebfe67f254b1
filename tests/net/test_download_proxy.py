"""Behind the operator's proxy everything goes through it, names are resolved over there, and only listed hosts pass."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard

from .conftest import Origin, TestAuthority

DATA = b"\0\0\0\x18ftyp" + bytes(300_000)


@dataclass
class Proxy:
    """Speaks CONNECT and SOCKS5 (by the first byte), connects every name to `target`, remembers what was asked."""

    target: int
    refuse: bool = False
    asked: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            first = await reader.readexactly(1)
            agreed = await (self._socks(reader, writer) if first == b"\5" else self._connect(reader, writer))
            if agreed:
                there = await asyncio.open_connection("127.0.0.1", self.target)
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.asked.append(lines[0].split()[1])
        for line in lines[1:]:
            if line.lower().startswith("proxy-authorization: basic "):
                self.logins.append(base64.b64decode(line.split()[2]).decode())
        writer.write(b"HTTP/1.1 403 No\r\n\r\n" if self.refuse else b"HTTP/1.1 200 Yes\r\n\r\n")
        return not self.refuse

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        if b"\2" in methods:
            writer.write(b"\5\2")
            await reader.readexactly(1)
            name = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            self.logins.append(f"{name.decode()}:{password.decode()}")
            writer.write(b"\1\0")
        else:
            writer.write(b"\5\0")
        kind = (await reader.readexactly(4))[3]
        assert kind == 3, "a name must be asked for, not an address"
        host = await reader.readexactly((await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(f"{host.decode()}:{port}")
        writer.write((b"\5\2" if self.refuse else b"\5\0") + b"\0\1\0\0\0\0\0\0")
        return not self.refuse


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@pytest.fixture
async def proxy(secure: Origin) -> AsyncIterator[Proxy]:
    """A proxy that leads to the https origin, whatever is asked for."""

    async def file(_: web.Request) -> web.Response:
        return web.Response(body=DATA)

    secure.routes["/v"] = file
    made = Proxy(secure.port)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=["http", "socks5", "socks5h"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Every sort of proxy."""
    return str(request.param)


def behind(proxy: Proxy, scheme: str, ca_file: Path, connect_to: tuple[str, ...] = ()) -> Fetcher:
    url = f"{scheme}://us%40er:pa%3Ass@127.0.0.1:{proxy.port}"
    guard = Guard(proxy=url, proxy_hosts=["good.test"], connect_to=connect_to)
    return Fetcher(guard, ca_file=str(ca_file), proxy=url, stall_timeout=2)


async def test_a_file_comes_through_the_proxy_which_is_asked_for_the_name(
    proxy: Proxy,
    scheme: str,
    secure: Origin,
    authority: TestAuthority,
    tmp_path: Path,
) -> None:
    fetcher = behind(proxy, scheme, authority.ca_file)
    fetched = await fetcher.to_file("https://cdn.good.test/v", tmp_path / "x", max_bytes=10**6)
    await fetcher.close()
    assert fetched.part.path.read_bytes() == DATA
    assert proxy.asked == ["cdn.good.test:443"]
    assert proxy.logins == ["us@er:pa:ss"]
    fetched.part.discard()


async def test_connect_to_says_what_the_proxy_is_asked_for_and_not_whom_we_trust(
    proxy: Proxy,
    scheme: str,
    secure: Origin,
    authority: TestAuthority,
    tmp_path: Path,
) -> None:
    fetcher = behind(proxy, scheme, authority.ca_file, ("cdn.good.test:443:inner.test:8443",))
    fetched = await fetcher.to_file("https://cdn.good.test/v", tmp_path / "x", max_bytes=10**6)
    await fetcher.close()
    fetched.part.discard()
    assert proxy.asked == ["inner.test:8443"]
    assert secure.requests[0].host == "cdn.good.test"


async def test_hosts_that_are_not_on_the_list_are_never_asked_for(
    proxy: Proxy,
    scheme: str,
    secure: Origin,
    authority: TestAuthority,
    tmp_path: Path,
) -> None:
    secure.redirect("/away", "https://evil.test/v")
    fetcher = behind(proxy, scheme, authority.ca_file)
    for url in ("https://evil.test/v", "https://10.0.0.1/v", "https://cdn.good.test/away"):
        with pytest.raises(AddressRefused):
            await fetcher.to_file(url, tmp_path / "x", max_bytes=10**6)
    await fetcher.close()
    assert proxy.asked == ["cdn.good.test:443"]


async def test_a_proxy_that_refuses_or_is_not_there_is_transient(
    proxy: Proxy,
    scheme: str,
    authority: TestAuthority,
    tmp_path: Path,
) -> None:
    proxy.refuse = True
    fetcher = behind(proxy, scheme, authority.ca_file)
    for _ in range(2):
        with pytest.raises(DownloadFailed) as caught:
            await fetcher.to_file("https://cdn.good.test/v", tmp_path / "x", max_bytes=10**6)
        assert caught.value.transient and "pa:ss" not in str(caught.value)
        await proxy.stop()
    await fetcher.close()


async def test_a_stranger_s_certificate_is_refused_through_the_proxy_too(
    proxy: Proxy,
    scheme: str,
    tmp_path: Path,
    authority: TestAuthority,
) -> None:
    url = f"{scheme}://127.0.0.1:{proxy.port}"
    fetcher = Fetcher(Guard(proxy=url, proxy_hosts=["nobody.test"]), ca_file=str(authority.ca_file), proxy=url)
    try:
        with pytest.raises(DownloadFailed, match="certificate"):
            await fetcher.to_file("https://nobody.test/v", tmp_path / "x", max_bytes=10**6)
    finally:
        await fetcher.close()

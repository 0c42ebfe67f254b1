"""From hop to hop: every address judged, headers and cookies only for the family they were meant for."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.download import Fetched, Fetcher
from clipstead.net.guard import Guard
from clipstead.net.hops import family

from .conftest import FakeDns, Origin, Sentinel, TestAuthority

DATA = b"\0\0\0\x18ftyp" + os.urandom(10_000)
Fetch = Callable[..., Awaitable[Fetched]]


def serve(data: bytes = DATA, *, status: int = 200, **headers: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A route that always answers with these bytes."""

    async def handler(_: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=data, status=status, headers=named)

    return handler


@pytest.fixture
async def fetcher(secure: Origin, origin: Origin, authority: TestAuthority) -> AsyncIterator[Fetcher]:
    """Reaches the https origin as *.good.test and *.other.test, the plain one at port 80 of the same names."""
    names = [f"*.{name}:{port}" for name in ("good.test", "other.test") for port in (443, 80)]
    ports = {"443": secure.port, "80": origin.port}
    guard = Guard(connect_to=[f"{entry}:127.0.0.1:{ports[entry.rpartition(':')[2]]}" for entry in names])
    made = Fetcher(guard, ca_file=str(authority.ca_file), connect_timeout=5, stall_timeout=5)
    yield made
    await made.close()


@pytest.fixture
def fetch(fetcher: Fetcher, tmp_path: Path) -> Fetch:
    """Download an address into tmp_path/out.mp4's part file."""

    def run(url: str, **options: object) -> Awaitable[Fetched]:
        return fetcher.to_file(url, tmp_path / "out.mp4", **{"max_bytes": 10_000_000, **options})  # type: ignore[arg-type]

    return run


REFUSED = [
    "http://127.0.0.1/v", "http://10.0.0.1/v", "http://169.254.169.254/latest", "https://[::1]/v", "http://0/v",
    "http://[::ffff:127.0.0.1]/", "http://2130706433/", "file:///etc/hostname", "ftp://cdn.good.test/v",
    "https://cdn.good.test:8443/v", "https://user@cdn.good.test/v", "http://private.test/v", "javascript:1",
]  # fmt: skip


async def test_headers_and_cookies_stay_in_the_family_they_were_meant_for(secure: Origin, fetch: Fetch) -> None:
    """Another host of the same owner gets them, a stranger's host gets neither Referer nor cookie nor key."""
    secure.redirect("/a", "https://v2.good.test/b")
    secure.redirect("/b", "https://cdn.other.test/c")
    secure.redirect("/c", "https://v3.good.test/d")
    secure.routes["/d"] = serve()
    fetched = await fetch(
        "https://v1.good.test/a", headers={"Referer": "https://www.tiktok.com/", "X-Api-Key": "s"}, cookies={"t": "1"}
    )
    fetched.part.discard()
    own, family, stranger, back = secure.requests
    for request in (own, family):
        assert (request.headers["Referer"], request.headers["X-Api-Key"]) == ("https://www.tiktok.com/", "s")
        assert request.headers["Cookie"] == "t=1"
    for request in (stranger, back):
        assert not {"Referer", "X-Api-Key", "Cookie"}.intersection(request.headers)
    assert [request.host for request in secure.requests] == [
        "v1.good.test", "v2.good.test", "cdn.other.test", "v3.good.test",
    ]  # fmt: skip


async def test_nothing_private_follows_a_step_down_to_http(secure: Origin, origin: Origin, fetch: Fetch) -> None:
    secure.redirect("/a", "http://v1.good.test/b")
    origin.routes["/b"] = serve()
    fetched = await fetch("https://v1.good.test/a", headers={"Referer": "https://w.test/"}, cookies={"t": "1"})
    fetched.part.discard()
    assert not {"Referer", "Cookie"}.intersection(origin.requests[0].headers)


async def test_cookies_set_on_the_way_are_not_kept(secure: Origin, fetch: Fetch) -> None:
    secure.redirect("/a", "/b", cookies=("spy=1; Path=/",))
    secure.routes["/b"] = serve()
    (await fetch("https://v1.good.test/a")).part.discard()
    assert "Cookie" not in secure.requests[1].headers


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "a\nb", "a\0b"])
async def test_a_header_or_cookie_that_breaks_out_is_never_sent(secure: Origin, fetch: Fetch, bad: str) -> None:
    for options in ({"headers": {"Referer": bad}}, {"cookies": {"t": bad}}):
        with pytest.raises(DownloadFailed, match="cannot be sent"):
            await fetch("https://cdn.good.test/v", **options)
    assert not secure.requests


@pytest.mark.parametrize("url", REFUSED)
async def test_no_packet_goes_to_an_address_that_may_not_be_dialled(
    url: str,
    secure: Origin,
    origin: Origin,
    sentinel: Sentinel,
    dns: FakeDns,
    authority: TestAuthority,
    tmp_path: Path,
) -> None:
    """Named at once or by a redirect, by address, by an odd form of one, or by a name that leads there."""
    dns.answers = {"private.test": [["127.0.0.2"]]}
    guard = Guard(connect_to=[f"*.good.test:443:127.0.0.1:{secure.port}"], lookup=dns)
    fetcher = Fetcher(guard, ca_file=str(authority.ca_file))
    secure.redirect("/away", url)
    try:
        for start in (url, "https://cdn.good.test/away"):
            with pytest.raises(AddressRefused):
                await fetcher.to_file(start, tmp_path / "x", max_bytes=10)
    finally:
        await fetcher.close()
    assert (sentinel.connections, len(origin.peers), len(secure.requests)) == (0, 0, 1)
    assert not list(tmp_path.iterdir())


async def test_a_name_that_turns_bad_between_two_connections_is_caught(
    origin: Origin,
    sentinel: Sentinel,
    dns: FakeDns,
    tmp_path: Path,
) -> None:
    """Each new connection asks and judges again: what was good a moment ago opens no door."""
    dns.answers = {"turning.test": [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]]}
    guard = Guard(allow=["127.0.0.1/32"], connect_to=[f"turning.test:80::{origin.port}"], lookup=dns)
    fetcher = Fetcher(guard)
    origin.routes["/v"] = serve(Connection="close")
    try:
        (await fetcher.to_file("http://turning.test/v", tmp_path / "x", max_bytes=10**7)).part.discard()
        with pytest.raises(AddressRefused):
            await fetcher.to_file("http://turning.test/v", tmp_path / "x", max_bytes=10**7)
    finally:
        await fetcher.close()
    assert sentinel.connections == 0


@pytest.mark.parametrize(
    ("host", "kin"),
    [
        ("v16-webapp.tiktokcdn.com", "tiktokcdn.com"),
        ("tiktok.com", "tiktok.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.com.br", "example.com.br"),
        ("cdn.example.ly", "example.ly"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("2606:4700::1111", "2606:4700::1111"),
    ],
)
def test_a_family_is_what_one_owner_holds(host: str, kin: str) -> None:
    assert family(host) == kin

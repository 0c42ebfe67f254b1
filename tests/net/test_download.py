"""Bulk files come whole, over the hosts and with the headers they were meant for, and land in part files."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from clipstead.errors import DownloadFailed
from clipstead.net.download import Fetched, Fetcher, Throttled
from clipstead.net.guard import Guard

from .conftest import Origin, TestAuthority

DATA = b"\0\0\0\x18ftyp" + os.urandom(700_000)
Fetch = Callable[..., Awaitable[Fetched]]


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


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


async def test_a_body_comes_whole_and_is_hashed_only_when_asked(secure: Origin, fetch: Fetch) -> None:
    secure.routes["/v"] = serve(Content_Type="video/mp4")
    plain = await fetch("https://cdn.good.test/v")
    hashed = await fetch("https://cdn.good.test/v", hashing=True)
    assert plain.part.path.read_bytes() == DATA
    assert (plain.bytes, plain.sha256, plain.content_type) == (len(DATA), "", "video/mp4")
    assert hashed.sha256 == hashlib.sha256(DATA).hexdigest()
    for fetched in (plain, hashed):
        fetched.part.discard()


async def test_the_part_file_lies_beside_its_target_and_every_one_is_another(
    secure: Origin,
    fetch: Fetch,
    tmp_path: Path,
) -> None:
    secure.routes["/v"] = serve()
    first, second = await fetch("https://cdn.good.test/v"), await fetch("https://cdn.good.test/v")
    assert first.part.path != second.part.path
    for fetched in (first, second):
        assert fetched.part.path.parent == tmp_path
        assert fetched.part.path.name.startswith(".out.mp4.") and fetched.part.path.suffix == ".part"
    first.part.discard()
    assert await second.part.commit(tmp_path / "out.mp4")
    assert names(tmp_path) == ["out.mp4"]


async def test_the_request_is_plain_and_carries_the_cookie_unquoted(secure: Origin, fetch: Fetch) -> None:
    """A signed path stays byte for byte, the cookie value is not put in quotes, nothing packed is asked for."""
    secure.routes["/v"] = serve()
    value = 'a/b+c==,"d"'
    fetched = await fetch(
        "https://cdn.good.test/v?sig=%7e%2F&x=a b",
        headers={"Referer": "https://www.tiktok.com/", "Range": "bytes=5-", "Cookie": "no=1", "Host": "evil.test"},
        cookies={"tt_chain_token": value},
    )
    fetched.part.discard()
    (request,) = secure.requests
    assert request.raw_path == "/v?sig=%7e%2F&x=a%20b"
    assert request.headers["Cookie"] == f"tt_chain_token={value}"
    assert request.headers["Referer"] == "https://www.tiktok.com/"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["Host"] == "cdn.good.test"
    assert "Range" not in request.headers


async def test_connections_are_used_again(secure: Origin, fetch: Fetch) -> None:
    secure.routes["/v"] = serve()
    for _ in range(3):
        (await fetch("https://cdn.good.test/v")).part.discard()
    assert len(secure.requests) == 3 and len(secure.peers) == 1


async def test_progress_is_told_up_to_the_end(secure: Origin, fetch: Fetch) -> None:
    secure.routes["/v"] = serve()
    told: list[tuple[int, int | None]] = []
    fetched = await fetch("https://cdn.good.test/v", progress=lambda done, total: told.append((done, total)))
    fetched.part.discard()
    assert told[-1] == (len(DATA), len(DATA)) and told == sorted(told)


async def test_a_range_is_streamed_as_asked(secure: Origin, fetcher: Fetcher) -> None:
    async def ranged(request: web.Request) -> web.Response:
        first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
        end = int(last) if last else len(DATA) - 1
        told = {"Content-Range": f"bytes {first}-{end}/{len(DATA)}"}
        return web.Response(status=206, body=DATA[int(first) : end + 1], headers=told)

    secure.routes["/v"] = ranged
    for wanted in ((10, 500_009), (699_000, None), (0, 0)):
        async with fetcher.open("https://cdn.good.test/v", byte_range=wanted) as incoming:
            body = b"".join([chunk async for chunk in incoming.chunks(1000)])
        last = len(DATA) - 1 if wanted[1] is None else wanted[1]
        assert (incoming.status, body) == (206, DATA[wanted[0] : last + 1])
        assert incoming.headers["content-range"].endswith(f"/{len(DATA)}")


@pytest.mark.parametrize("told", ["bytes 0-99/700008", "bytes */700008", "", "bytes 10-200/700008"])
async def test_another_range_than_the_one_asked_for_is_no_answer(secure: Origin, fetcher: Fetcher, told: str) -> None:
    secure.routes["/v"] = serve(DATA[:100], status=206, Content_Range=told)
    with pytest.raises(DownloadFailed, match="another range"):
        async with fetcher.open("https://cdn.good.test/v", byte_range=(10, 109)):
            pass


async def test_a_slow_reader_leaves_the_rest_in_the_network(secure: Origin, fetcher: Fetcher) -> None:
    """What nobody reads is not taken from the server either: it gets stuck long before the body's end."""
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)
            sent += 65536

    secure.routes["/v"] = endless
    async with fetcher.open("https://cdn.good.test/v") as incoming:
        chunks = incoming.chunks()
        await anext(chunks)
        before = -1
        while before != sent:  # until the server has not got rid of anything for a while
            before = sent
            await asyncio.sleep(0.3)
        assert sent < 16 * 1024 * 1024
        await chunks.aclose()  # type: ignore[attr-defined]


async def test_a_certificate_of_another_name_is_refused(
    secure: Origin, origin: Origin, authority: TestAuthority, tmp_path: Path
) -> None:
    """CONNECT_TO changes where we dial, not whose certificate we want to see."""
    guard = Guard(connect_to=[f"nobody.test:443:127.0.0.1:{secure.port}"])
    fetcher = Fetcher(guard, ca_file=str(authority.ca_file))
    try:
        with pytest.raises(DownloadFailed, match="certificate") as caught:
            await fetcher.to_file("https://nobody.test/v", tmp_path / "x", max_bytes=10)
    finally:
        await fetcher.close()
    assert not caught.value.transient and not secure.requests


async def test_environment_proxies_are_not_looked_at(
    secure: Origin, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    secure.routes["/v"] = serve()
    (await fetch("https://cdn.good.test/v")).part.discard()
    assert len(secure.requests) == 1


async def test_after_close_downloads_fail_in_words(fetcher: Fetcher, tmp_path: Path) -> None:
    await fetcher.close()
    with pytest.raises(DownloadFailed, match="shutting down"):
        await fetcher.to_file("https://cdn.good.test/v", tmp_path / "x", max_bytes=10)


async def test_close_ends_what_is_under_way(secure: Origin, fetcher: Fetcher, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def hanging(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(DATA)
        begun.set()
        await asyncio.sleep(60)
        return response

    secure.routes["/v"] = hanging
    task = asyncio.create_task(fetcher.to_file("https://cdn.good.test/v", tmp_path / "x", max_bytes=10_000_000))
    await begun.wait()
    await asyncio.sleep(0.05)
    await fetcher.close()
    with pytest.raises(DownloadFailed):
        await task
    assert not names(tmp_path)


@pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), ("0", 0.0), ("Thu, 01 Jan 2015 00:00:00 GMT", 0.0)])
async def test_a_busy_site_says_how_long_to_wait(secure: Origin, fetch: Fetch, told: str, seconds: float) -> None:
    secure.routes["/v"] = serve(b"slow down", status=429, Retry_After=told)
    with pytest.raises(Throttled) as caught:
        await fetch("https://cdn.good.test/v")
    assert (caught.value.retry_after, caught.value.status, caught.value.transient) == (seconds, 429, True)


async def test_no_more_files_at_once_than_allowed(secure: Origin, authority: TestAuthority, tmp_path: Path) -> None:
    open_now = most = 0

    async def counting(_: web.Request) -> web.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.02)
        open_now -= 1
        return web.Response(body=DATA[:1000])

    secure.routes["/v"] = counting
    guard = Guard(connect_to=[f"*.good.test:443:127.0.0.1:{secure.port}"])
    fetcher = Fetcher(guard, ca_file=str(authority.ca_file), limit=3)
    jobs = (fetcher.to_file("https://cdn.good.test/v", tmp_path / "x", max_bytes=10**6) for _ in range(9))
    for fetched in await asyncio.gather(*jobs):
        fetched.part.discard()
    await fetcher.close()
    assert most == 3

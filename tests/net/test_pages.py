"""Pages over real sockets: redirects, headers, cookies, bounds, faults, reuse of connections."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookiejar import MozillaCookieJar
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.cookie_file import read_cookie_file
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages

from .conftest import FakeDns, Origin, TestAuthority

Open = Callable[..., Any]


@pytest.fixture
def open_pages(origin: Origin, secure: Origin, authority: TestAuthority) -> Open:
    """Pages on a guard that leads every name on port 80 to `origin` and on 443 to `secure`."""

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[Pages]:
        guard = options.pop("guard", None) or Guard(
            connect_to=[f":80:127.0.0.1:{origin.port}", f":443:127.0.0.1:{secure.port}"]
        )
        pages = Pages(guard, **({"ca_file": str(authority.ca_file)} | options))
        try:
            yield pages
        finally:
            await pages.close()

    return opened


async def test_a_page_comes_whole_with_headers_cookies_and_a_browsers_face(secure: Origin, open_pages: Open) -> None:
    async def page(request: web.Request) -> web.Response:
        response = web.Response(status=429, text="hällo", headers={"Retry-After": "7", "X-Two": "a"})
        response.headers.add("X-Two", "b")
        response.headers.add("Set-Cookie", "tt_chain_token=a/b==; Path=/; Domain=.good.test; Secure; HttpOnly")
        response.headers.add("Set-Cookie", "deep=1; Path=/elsewhere")
        return response

    secure.routes["/p"] = page
    async with open_pages() as pages:
        reply = await pages.page("https://www.good.test/p?q=%C3%BC#top", headers={"Accept-Language": "de"})
    assert (reply.status, reply.body.decode(), reply.hops) == (429, "hällo", 0)
    assert reply.url == "https://www.good.test/p?q=%C3%BC"
    assert reply.headers["retry-after"] == "7" and reply.headers["x-two"] == "a, b"
    assert "set-cookie" not in reply.headers
    assert reply.cookies == {"tt_chain_token": "a/b==", "deep": "1"}
    assert "a/b==" not in repr(reply)
    sent = secure.requests[0].headers
    assert "Chrome/" in sent["User-Agent"] and sent["Accept-Language"] == "de" and "Cookie" not in sent
    assert sent["Host"] == "www.good.test"


async def test_odd_but_real_addresses_are_sent_as_a_browser_would(origin: Origin, open_pages: Open) -> None:
    async with open_pages() as pages:
        for url, path in [
            ("http://good.test", "/"),
            ("http://good.test?x=1", "/?x=1"),
            ("http://good.test/a b/ü?ü", "/a%20b/%C3%BC?%C3%BC"),
            ("http://good.test/a/../b//c", "/a/../b//c"),
            ("http://GOOD.test./%7Ex", "/%7Ex"),
        ]:
            await pages.page(url)
            assert origin.requests[-1].raw_path == path
            assert origin.requests[-1].headers["Host"] == "good.test"


@pytest.mark.parametrize("elsewhere", ["other.test", "m.good.test"])
async def test_a_redirect_to_another_host_takes_nothing_of_the_first_along(
    elsewhere: str, secure: Origin, open_pages: Open
) -> None:
    secure.redirect("/start", f"https://{elsewhere}/next", cookies=("first=1; Path=/", "wide=1; Domain=good.test"))
    wide = elsewhere.endswith(".good.test")
    given = {"X-Api-Key": "k", "Authorization": "Bearer t", "Referer": "https://good.test/", "Accept-Language": "ja"}
    async with open_pages() as pages:
        reply = await pages.page("https://good.test/start", headers=given, cookies={"sid": "s"})
    first, second = secure.requests
    assert first.headers["X-Api-Key"] == "k" and first.headers["Cookie"] == "sid=s"
    for name in ("X-Api-Key", "Authorization", "Referer"):
        assert name not in second.headers
    assert second.headers.get("Cookie") == ("wide=1" if wide else None)  # set on the way, for the whole domain
    assert second.headers["Accept-Language"] == "ja" and second.headers["Host"] == elsewhere
    assert reply.url == f"https://{elsewhere}/next" and reply.hops == 1
    assert reply.cookies == ({"wide": "1"} if wide else {})


async def test_the_way_back_does_not_bring_the_callers_headers_back(secure: Origin, open_pages: Open) -> None:
    secure.redirect("/start", "https://other.test/bounce", cookies=("own=1; Path=/",))
    secure.redirect("/bounce", "https://good.test/end")
    async with open_pages() as pages:
        reply = await pages.page("https://good.test/start", headers={"X-Api-Key": "k"}, cookies={"sid": "s"})
    last = secure.requests[-1]
    assert "X-Api-Key" not in last.headers and last.headers["Cookie"] == "own=1"
    assert reply.cookies == {"own": "1"} and reply.hops == 2


async def test_within_one_host_headers_stay_and_cookies_set_on_the_way_win(secure: Origin, open_pages: Open) -> None:
    secure.redirect("/start", "/end?x=1", cookies=("sid=new; Path=/", "extra=1"))
    async with open_pages() as pages:
        await pages.page("https://good.test/start", headers={"X-Api-Key": "k"}, cookies={"sid": "old", "keep": "1"})
    last = secure.requests[-1]
    assert last.headers["X-Api-Key"] == "k"
    assert dict(pair.split("=") for pair in last.headers["Cookie"].split("; ")) == {
        "sid": "new",
        "keep": "1",
        "extra": "1",
    }


async def test_cookies_of_any_bytes_come_back_as_they_were_set(origin: Origin, open_pages: Open) -> None:
    async def first(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(
            b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 0\r\n"
            b"Set-Cookie: raw=\xff\xe4; Path=/\r\nSet-Cookie: json={%22a%22:1}; Path=/\r\n\r\n"
        )
        request.transport.close()
        return web.StreamResponse()

    origin.routes["/start"] = first
    async with open_pages() as pages:
        await pages.page("http://good.test/start", headers={"Cookie": "smuggled=1", "Host": "other.test"})
    last = dict(origin.requests[-1].raw_headers)
    assert last[b"Cookie"] == b"raw=\xff\xe4; json={%22a%22:1}"
    assert {dict(request.raw_headers)[b"Host"] for request in origin.requests} == {b"good.test"}


async def test_from_https_to_http_of_the_same_host_nothing_secret_goes_along(
    origin: Origin, secure: Origin, open_pages: Open
) -> None:
    secure.redirect("/start", "http://good.test/end", cookies=("s=1; Secure; Path=/", "plain=1; Path=/"))
    async with open_pages() as pages:
        await pages.page("https://good.test/start", headers={"X-Api-Key": "k"}, cookies={"sid": "s"})
    last = origin.requests[-1]
    assert "X-Api-Key" not in last.headers and last.headers["Cookie"] == "plain=1"


async def test_a_host_cannot_set_cookies_for_others(secure: Origin, open_pages: Open) -> None:
    secure.redirect("/start", "https://other.test/end", cookies=("a=1; Domain=other.test", "b=1; Domain=test"))
    async with open_pages() as pages:
        reply = await pages.page("https://good.test/start")
    assert "Cookie" not in secure.requests[-1].headers and reply.cookies == {}


async def test_the_operators_cookies_go_to_their_host_path_and_scheme_only_at_every_hop(
    origin: Origin, secure: Origin, open_pages: Open, tmp_path: Path
) -> None:
    file = tmp_path / "cookies.txt"
    rows = [
        (".good.test", "TRUE", "/", "TRUE", "0", "session", "secret"),
        ("good.test", "FALSE", "/deep", "FALSE", "0", "deep", "1"),
        ("#HttpOnly_other.test", "FALSE", "/", "FALSE", "2000000000", "foreign", "1"),
        ("other.test", "FALSE", "/", "FALSE", "1000000000", "expired", "1"),
        (".www.good.test", "FALSE", "/", "TRUE", "", "disagreeing", "1"),
    ]
    file.write_text("# Netscape HTTP Cookie File\n" + "".join("\t".join(row) + "\n" for row in rows))
    jar = read_cookie_file(str(file))
    secure.redirect("/start", "https://other.test/hop", cookies=("set=1; Path=/",))
    secure.redirect("/hop", "http://good.test/deep/x")
    async with open_pages(cookie_jar=jar) as pages:
        await pages.page("https://www.good.test/start", cookies={"given": "1"})
    assert sorted(secure.requests[0].headers["Cookie"].split("; ")) == ["disagreeing=1", "given=1", "session=secret"]
    assert secure.requests[1].headers["Cookie"] == "foreign=1"
    assert origin.requests[0].headers["Cookie"] == "deep=1"
    assert len(jar) == 5


async def test_a_jar_read_by_the_standard_library_serves_too_and_is_left_as_it_was(
    origin: Origin, open_pages: Open, tmp_path: Path
) -> None:
    file = tmp_path / "cookies.txt"
    rows = ["good.test\tFALSE\t/\tFALSE\t0\tsession\t1", "good.test\tFALSE\t/\tFALSE\t1000000000\texpired\t1"]
    file.write_text("\n".join(["# Netscape HTTP Cookie File", *rows, ""]))
    jar = MozillaCookieJar(str(file))
    jar.load(ignore_discard=True, ignore_expires=True)
    async with open_pages(cookie_jar=jar) as pages:
        await pages.page("http://good.test/")
    assert origin.requests[0].headers["Cookie"] == "session=1"
    assert sorted(cookie.name for cookie in jar) == ["expired", "session"]


@pytest.mark.parametrize(
    "content", [None, b"", b"# Netscape HTTP Cookie File\n", b"a=b; secret=d", b"\xff\xfe", b"a\tX\t/\tX\t0\tsecret\td"]
)
def test_a_cookie_file_of_another_kind_is_one_clear_line(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "cookies.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"cookies\.txt") as caught:
        read_cookie_file(str(file))
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


@pytest.mark.parametrize("bad", [{"a": "b; c=d"}, {"a": "b\r\nX: y"}, {"a;b": "c"}, {"a=b": "c"}])
async def test_a_cookie_that_would_break_out_of_its_header_is_not_sent(
    bad: dict[str, str], origin: Origin, open_pages: Open
) -> None:
    async with open_pages() as pages:
        with pytest.raises(ValueError):
            await pages.page("http://good.test/", cookies=bad)
        with pytest.raises(ValueError):
            await pages.page("http://good.test/", headers={"X-A": "b\r\nHost: evil"})
    assert origin.requests == []


async def test_a_redirect_loop_ends_with_its_own_name(origin: Origin, open_pages: Open) -> None:
    origin.redirect("/loop", "/loop")
    async with open_pages() as pages:
        with pytest.raises(DownloadFailed, match="redirect loop") as caught:
            await pages.page("http://good.test/loop?secret=1", max_hops=3)
    assert not caught.value.transient and "secret" not in str(caught.value)
    assert len(origin.requests) == 4


async def test_with_no_hops_allowed_a_redirect_is_an_answer(origin: Origin, open_pages: Open) -> None:
    origin.redirect("/short", "https://www.tiktok.com/@a/video/1", status=301)
    async with open_pages() as pages:
        reply = await pages.page("http://good.test/short", method="HEAD", max_hops=0)
    assert reply.status == 301 and reply.headers["location"] == "https://www.tiktok.com/@a/video/1"
    assert origin.requests[0].method == "HEAD" and reply.body == b""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_head_is_followed_as_head(status: int, origin: Origin, open_pages: Open) -> None:
    origin.redirect("/short", "/end", status=status)
    async with open_pages() as pages:
        reply = await pages.page("http://good.test/short", method="HEAD", max_bytes=10)
    assert reply.status == 200 and [request.method for request in origin.requests] == ["HEAD", "HEAD"]
    assert int(reply.headers["content-length"]) > 10


@pytest.mark.parametrize(
    "location",
    ["file:///etc/hostname", "ftp://good.test/", "http://[::1", "http://a@good.test/", "//good.test:22/", "\\\\x\\y:z"],
)
async def test_a_redirect_to_something_that_is_no_web_address_is_refused(
    location: str, origin: Origin, open_pages: Open
) -> None:
    origin.redirect("/go", location)
    async with open_pages() as pages:
        if location.startswith("\\"):
            assert (await pages.page("http://good.test/go")).status == 200  # a path, as in curl; never a host
        else:
            with pytest.raises(AddressRefused):
                await pages.page("http://good.test/go")


async def test_a_redirect_written_with_spaces_and_raw_utf8_is_followed(origin: Origin, open_pages: Open) -> None:
    origin.redirect("/go", " /a b/ü ")
    async with open_pages() as pages:
        reply = await pages.page("http://good.test/go")
    assert reply.url == "http://good.test/a%20b/%C3%BC"


async def test_a_declared_length_over_the_bound_ends_before_the_body(origin: Origin, open_pages: Open) -> None:
    async def big(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100_001)

    origin.routes["/big"] = big
    async with open_pages() as pages:
        assert len((await pages.page("http://good.test/big", max_bytes=100_001)).body) == 100_001
        with pytest.raises(DownloadFailed, match="larger than allowed") as caught:
            await pages.page("http://good.test/big", max_bytes=100_000)
    assert not caught.value.transient


async def test_an_endless_body_is_cut_off_at_the_bound(origin: Origin, open_pages: Open) -> None:
    sent = 0
    stopped = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
                sent += 65536
        except (ConnectionError, asyncio.CancelledError):
            stopped.set()
            raise

    origin.routes["/endless"] = endless
    async with open_pages() as pages:
        with pytest.raises(DownloadFailed, match="larger than allowed"):
            await pages.page("http://good.test/endless", max_bytes=1_000_000)
        await asyncio.wait_for(stopped.wait(), 10)
    assert sent < 20_000_000


@pytest.mark.parametrize("layers", [1, 2])
async def test_a_decompression_bomb_is_bounded_by_what_it_inflates_to(
    layers: int, origin: Origin, open_pages: Open
) -> None:
    body = b"\0" * 50_000_000
    for _ in range(layers):
        body = gzip.compress(body)

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": ", ".join(["gzip"] * layers)})

    origin.routes["/bomb"] = bomb
    async with open_pages() as pages:
        with pytest.raises(DownloadFailed, match="larger than allowed") as caught:
            await pages.page("http://good.test/bomb", max_bytes=1_000_000)
    assert not caught.value.transient


async def test_compressed_pages_come_inflated(origin: Origin, open_pages: Open) -> None:
    async def packed(request: web.Request) -> web.Response:
        assert "gzip" in request.headers["Accept-Encoding"]
        return web.Response(body=gzip.compress(b"hello" * 1000), headers={"Content-Encoding": "gzip"})

    origin.routes["/packed"] = packed
    async with open_pages() as pages:
        assert (await pages.page("http://good.test/packed")).body == b"hello" * 1000


@pytest.mark.parametrize("fault", ["truncated", "reset", "garbage", "bad encoding", "nothing"])
async def test_a_broken_answer_is_a_passing_fault_with_public_words(
    fault: str, origin: Origin, open_pages: Open
) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        headers = {"Content-Length": "1000"} | ({"Content-Encoding": "gzip"} if fault == "bad encoding" else {})
        response = web.StreamResponse(headers=headers)
        if fault in ("truncated", "bad encoding"):
            await response.prepare(request)
            await response.write(b"x" * 100)
        if fault == "garbage":
            request.transport.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        request.transport.abort() if fault == "reset" else request.transport.close()
        return response

    origin.routes["/broken"] = broken
    async with open_pages() as pages:
        with pytest.raises(DownloadFailed) as caught:
            await pages.page("http://good.test/broken?sig=secret")
    assert caught.value.transient and str(caught.value).startswith("good.test: ")
    assert "secret" not in str(caught.value) and "curl" not in str(caught.value)


async def test_a_silent_site_ends_at_the_timeout_and_the_transfer_with_it(origin: Origin, open_pages: Open) -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    origin.routes["/silent"] = silent
    async with open_pages(timeout=0.2) as pages:
        with pytest.raises(DownloadFailed, match="in time") as caught:
            await pages.page("http://good.test/silent")
        assert caught.value.transient
        await asyncio.wait_for(_closed(origin), 3)  # a handle merely forgotten holds on for 5 s


async def _closed(origin: Origin) -> None:
    """Until the last request's connection is gone on the server's side."""
    transport = origin.requests[-1].transport
    while transport is not None and not transport.is_closing():
        await asyncio.sleep(0.01)


async def test_a_cancelled_call_stops_its_transfer_and_leaves_the_pool_usable(origin: Origin, open_pages: Open) -> None:
    started = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        started.set()
        await asyncio.sleep(60)
        return response

    origin.routes["/slow"] = slow
    async with open_pages() as pages:
        call = asyncio.create_task(pages.page("http://good.test/slow"))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(_closed(origin), 3)  # a handle merely forgotten holds on for 5 s
        assert (await pages.page("http://good.test/after")).status == 200


async def test_closing_ends_calls_under_way_with_a_typed_error(origin: Origin, open_pages: Open) -> None:
    started = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        started.set()
        await asyncio.sleep(60)
        return web.Response()

    origin.routes["/slow"] = slow
    async with open_pages() as pages:
        call = asyncio.create_task(pages.page("http://good.test/slow"))
        await started.wait()
        await pages.close()
        with pytest.raises(DownloadFailed):
            await call
        with pytest.raises(DownloadFailed):
            await pages.page("http://good.test/")


async def test_connections_are_used_again_and_a_pin_never_serves_another_request(
    authority: TestAuthority, dns: FakeDns
) -> None:
    """The same name with another judged address gets its own connection; back again, the first one is still warm."""
    one = Origin(tls=authority.server)
    await one.start()
    two = Origin(tls=authority.server, address="127.0.0.3", port=one.port)
    await two.start()
    guard = Guard(allow=["127.0.0.0/8"], connect_to=[f":::{one.port}"], lookup=dns)
    pages = Pages(guard, ca_file=str(authority.ca_file))
    try:
        for address in ("127.0.0.1", "127.0.0.1", "127.0.0.3", "127.0.0.1", "127.0.0.3"):
            dns.answers["good.test"] = [[address]]
            await pages.page("https://good.test/")
        assert (len(one.requests), len(two.requests)) == (3, 2)
        assert (len(one.peers), len(two.peers)) == (1, 1)
    finally:
        await pages.close()
        await one.stop()
        await two.stop()


async def test_a_quiet_moment_does_not_throw_warm_connections_away(secure: Origin, open_pages: Open) -> None:
    together = asyncio.Barrier(8)

    async def wait(_: web.Request) -> web.Response:
        await together.wait()
        return web.Response(text="ok")

    secure.routes["/together"] = wait
    async with open_pages() as pages:
        for _ in range(3):
            await asyncio.gather(*(pages.page("https://good.test/together") for _ in range(8)))
            await pages.page("https://good.test/alone")
    assert len(secure.peers) == 8


async def test_a_dead_address_is_passed_over_for_the_next_and_the_live_one_remembered(
    origin: Origin, dns: FakeDns
) -> None:
    dns.answers["good.test"] = [["127.0.0.9", "127.0.0.1"]]
    pages = Pages(Guard(allow=["127.0.0.0/8"], connect_to=[f":::{origin.port}"], lookup=dns))
    try:
        for _ in range(3):
            assert (await pages.page("http://good.test/")).status == 200
        assert len(origin.peers) == 1
        dns.answers["good.test"] = [["127.0.0.9"]]
        with pytest.raises(DownloadFailed, match="could not be reached") as caught:
            await pages.page("http://good.test/")
        assert caught.value.transient and "127.0.0.9" not in str(caught.value)
    finally:
        await pages.close()


async def test_many_calls_at_once_stay_apart(secure: Origin, open_pages: Open) -> None:
    async with open_pages() as pages:
        urls = [f"https://{'a' if i % 2 else 'b'}.good.test/{i}" for i in range(100)]
        replies = await asyncio.gather(*(pages.page(url) for url in urls))
    assert [f"https://{reply.body.decode()}" for reply in replies] == urls


async def test_environment_proxies_and_netrc_are_ignored(
    origin: Origin, open_pages: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("machine good.test login u password p\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    async with open_pages() as pages:
        assert (await pages.page("http://good.test/")).status == 200
        assert (await pages.page("https://good.test/")).status == 200
    assert "Authorization" not in origin.requests[0].headers


async def test_a_certificate_nobody_vouches_for_or_for_another_name_is_refused(
    secure: Origin, open_pages: Open
) -> None:
    async with open_pages(ca_file="") as pages:
        with pytest.raises(DownloadFailed, match="TLS"):
            await pages.page("https://good.test/")
    async with open_pages() as pages:
        with pytest.raises(DownloadFailed, match="TLS"):
            await pages.page("https://unnamed.test/")
    assert secure.requests == []


def test_the_operators_roots_come_on_top_of_the_systems_in_a_file_that_nobody_finds(
    authority: TestAuthority,
) -> None:
    from clipstead.net.trust import RootBundle

    plain, combined = RootBundle(), RootBundle(str(authority.ca_file))
    contexts = []
    for bundle in (plain, combined):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(bundle.path)
        contexts.append(len(context.get_ca_certs()))
    assert contexts[1] == contexts[0] + 1 and contexts[0] > 50
    path = Path(combined.path)
    assert path.parent == Path("/proc/self/fd") and path.stat().st_nlink == 0  # what is killed leaves none behind
    combined.close()
    plain.close()
    assert not path.exists() and Path(plain.path).exists()


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_a_ca_file_without_certificates_is_one_clear_line(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"ca\.pem") as caught:
        Pages(Guard(), ca_file=str(file))
    assert "\n" not in str(caught.value)


async def test_only_get_and_head_are_sent(open_pages: Open) -> None:
    async with open_pages() as pages:
        with pytest.raises(ValueError):
            await pages.page("http://good.test/", method="DELETE")


async def test_informational_answers_and_trailers_do_not_mix_into_the_headers(origin: Origin, open_pages: Open) -> None:
    async def talkative(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(
            b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Real: 1\r\n"
            b"Transfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n"
        )
        request.transport.close()
        return web.StreamResponse()

    origin.routes["/talk"] = talkative
    async with open_pages() as pages:
        reply = await pages.page("http://good.test/talk")
    assert (reply.status, reply.body) == (200, b"ok")
    assert reply.headers["x-real"] == "1" and "x-early" not in reply.headers and "x-late" not in reply.headers

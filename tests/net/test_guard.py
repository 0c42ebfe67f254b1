"""Links, names and CONNECT_TO: what the guard lets through, and what it tells to dial."""

import asyncio
import socket
import threading

import pytest

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net.guard import Guard, Route

from .conftest import FakeDns

REFUSED_URLS = [
    "",
    "example.com",
    "//example.com/",
    "https:/example.com/",
    "https:example.com",
    "https:///example.com",
    "https://",
    "https:///",
    "ftp://example.com/",
    "file:///etc/hostname",
    "gopher://example.com/",
    "httpſ://example.com/",
    "data:text/html,x",
    "javascript:alert(1)",
    "https://user@example.com/",
    "https://user:word@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com:22/",
    "https://example.com:8080/",
    "https://example.com:0/",
    "https://example.com:/",
    "https://example.com:443x/",
    "https://example.com:65536/",
    "https://example.com:٤٤٣/",
    "https://example.com:+443/",
    "https://exa mple.com/",
    "https://example.com/a b",
    "https://example.com/\r\nX: y",
    "https://example.com\t/",
    " https://example.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com\\.other.test/",
    "https://ex%61mple.com/",
    "https://exämple.com/",
    "https://example。com/",
    "https://１２７.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://example..com/",
    "https://.example.com/",
    "https://-example.com/",
    "https://example-.com/",
    "https://" + "a" * 64 + ".com/",
    "https://" + "a." * 127 + "com/",
    "https://[::1/",
    "https://::1/",
    "https://[::1]x/",
    "https://[fe80::1%25lo]/",
    "https://[fe80::1%lo]/",
    "https://[v1.x]/",
    "https://[]/",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0X7F.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.01/",
    "https://0/",
    "https://0x/",
    "https://example.0x7f/",
    "https://example.1/",
    "https://08.8.8.8/",
    "https://8.8.8/",
    "https://134744072/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::127.0.0.1]/",
    "https://[2606:4700:0::1111]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_link_that_is_not_plain_http_to_a_plain_public_host_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().check_url(url)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://www.tiktok.com/@a/video/1?x=1#y", ("https", "www.tiktok.com", 443)),
        ("HTTPS://WWW.TikTok.COM", ("https", "www.tiktok.com", 443)),
        ("https://www.tiktok.com./x", ("https", "www.tiktok.com", 443)),
        ("http://www.tiktok.com:443/", ("http", "www.tiktok.com", 443)),
        (
            "https://v16-webapp_x.tiktokcdn.com:443/a%20b?u=https://a@b:22/",
            ("https", "v16-webapp_x.tiktokcdn.com", 443),
        ),
        ("https://xn--exmple-cua.com/", ("https", "xn--exmple-cua.com", 443)),
        ("http://8.8.8.8/", ("http", "8.8.8.8", 80)),
        ("http://[2606:4700:4700::1111]:80/", ("http", "2606:4700:4700::1111", 80)),
        ("https://example.com?x=@", ("https", "example.com", 443)),
    ],
)
def test_ordinary_links_pass_and_their_host_comes_out_canonical(url: str, found: tuple[str, str, int]) -> None:
    assert Guard().check_url(url) == found


async def test_every_answer_of_the_dns_is_judged_and_one_bad_one_refuses_all(dns: FakeDns) -> None:
    dns.answers = {"mixed.test": [["8.8.8.8", "10.0.0.1"]], "good.test": [["8.8.8.8", "2606:4700::1", "8.8.8.8"]]}
    guard = Guard(lookup=dns)
    with pytest.raises(AddressRefused) as caught:
        await guard.route("mixed.test", 443)
    assert "10.0.0.1" not in str(caught.value)
    routes = await guard.route("good.test", 443)
    assert routes == [Route("good.test", "8.8.8.8", 443), Route("good.test", "2606:4700::1", 443)]


async def test_an_address_is_not_looked_up_and_a_refused_one_neither(dns: FakeDns) -> None:
    guard = Guard(lookup=dns)
    assert await guard.route("8.8.8.8", 80) == [Route("8.8.8.8", "8.8.8.8", 80)]
    for host in ("127.0.0.1", "127.1", "::1", "user@good.test", "good.test:443"):
        with pytest.raises(AddressRefused):
            await guard.route(host, 80)
    assert dns.asked == []


async def test_a_name_without_an_address_is_a_passing_fault(dns: FakeDns) -> None:
    dns.answers = {"empty.test": [[]]}
    for host in ("unknown.test", "empty.test"):
        with pytest.raises(DownloadFailed) as caught:
            await Guard(lookup=dns).route(host, 443)
        assert caught.value.transient


async def test_the_systems_own_resolver_serves_by_default() -> None:
    guard = Guard(allow=["127.0.0.0/8", "::1"])
    assert {route.address for route in await guard.route("localhost", 80)} <= {"127.0.0.1", "::1"}
    with pytest.raises(AddressRefused):
        await Guard().route("localhost", 80)


async def test_connect_to_redirects_the_dial_first_match_first_and_keeps_what_is_left_empty(dns: FakeDns) -> None:
    dns.answers = {"keep.test": [["9.9.9.9"]], "world.internal": [["10.9.9.9"]], "any.test": [["8.8.4.4"]]}
    guard = Guard(
        connect_to=[
            "www.tiktok.com:443:127.0.0.1:8443",
            "*.tiktok.com:443:[::1]:9443",
            "keep.test:443::8444",
            "named.test:80:world.internal:",
            "[2606:4700::1]:443:127.0.0.5:1",
            ":::8080",
        ],
        lookup=dns,
    )
    assert await guard.route("www.tiktok.com", 443) == [Route("www.tiktok.com", "127.0.0.1", 8443)]
    assert await guard.route("m.tiktok.com", 443) == [Route("m.tiktok.com", "::1", 9443)]
    assert await guard.route("tiktok.com", 443) == [Route("tiktok.com", "::1", 9443)]
    assert await guard.route("keep.test", 443) == [Route("keep.test", "9.9.9.9", 8444)]
    assert await guard.route("named.test", 80) == [Route("named.test", "10.9.9.9", 80)]
    assert await guard.route("2606:4700::1", 443) == [Route("2606:4700::1", "127.0.0.5", 1)]
    assert await guard.route("any.test", 80) == [Route("any.test", "8.8.4.4", 8080)]


async def test_a_look_alike_of_a_wildcard_is_not_mapped(dns: FakeDns) -> None:
    dns.answers = {"eviltiktok.com": [["8.8.8.8"]], "tiktok.com.evil.test": [["8.8.8.8"]]}
    guard = Guard(connect_to=["*.tiktok.com:443:127.0.0.1:8443"], lookup=dns)
    for host in dns.answers:
        assert await guard.route(host, 443) == [Route(host, "8.8.8.8", 443)]


@pytest.mark.parametrize("entry", ["*.good.test:443:127.0.0.1:8443", "::127.0.0.1:8443", ":443:127.0.0.1:8443"])
async def test_the_target_of_a_mapping_stays_refused_when_named_directly(entry: str, dns: FakeDns) -> None:
    dns.answers = {"rebound.test": [["127.0.0.1"]]}
    guard = Guard(connect_to=[entry], lookup=dns)
    assert await guard.route("good.test", 443) == [Route("good.test", "127.0.0.1", 8443)]
    for url in ("https://127.0.0.1:8443/", "https://127.0.0.1/", "http://127.0.0.1:443/", "https://[::1]:8443/"):
        with pytest.raises(AddressRefused):
            guard.check_url(url)
    if entry.startswith("*"):
        with pytest.raises(AddressRefused):
            await guard.route("rebound.test", 443)


def test_a_port_is_open_only_where_the_operator_not_the_link_decides_it() -> None:
    guard = Guard(connect_to=["a.test:8443:127.0.0.1:", "b.test::127.0.0.1:", "c.test::127.0.0.1:9"])
    assert guard.check_url("https://a.test:8443/") == ("https", "a.test", 8443)
    assert guard.check_url("https://c.test:22/") == ("https", "c.test", 22)
    assert guard.check_url("https://b.test/") == ("https", "b.test", 443)
    for url in ("https://b.test:22/", "https://a.test:8444/", "https://other.test:8443/"):
        with pytest.raises(AddressRefused):
            guard.check_url(url)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "a.test",
        "a.test:443",
        "a.test:443:127.0.0.1",
        "a.test:443:127.0.0.1:1:2",
        "a.test:x:127.0.0.1:1",
        "a.test:443:127.0.0.1:70000",
        "a.test:443:127.1:80",
        "*:443:127.0.0.1:1",
        "::1:443:127.0.0.1:1",
        "a b:1:c:2",
        "*.*.test:443:127.0.0.1:1",
        "[zz]:443:127.0.0.1:1",
        "a.test:0:b.test:1",
    ],
)
def test_a_wrong_connect_to_entry_is_one_clear_line_that_names_it(entry: str) -> None:
    with pytest.raises(ValueError) as caught:
        Guard(connect_to=[entry])
    assert repr(entry) in str(caught.value) and "\n" not in str(caught.value)


async def test_with_a_proxy_hosts_are_judged_by_the_list_and_nothing_is_looked_up(dns: FakeDns) -> None:
    guard = Guard(
        proxy="socks5://127.0.0.1:1",
        proxy_hosts=["tiktok.com", "*.tiktokcdn.com"],
        connect_to=["mapped.test:443:127.0.0.1:9"],
        lookup=dns,
    )
    assert await guard.route("www.tiktok.com", 443) == [Route("www.tiktok.com", "www.tiktok.com", 443)]
    assert await guard.route("tiktokcdn.com", 80) == [Route("tiktokcdn.com", "tiktokcdn.com", 80)]
    assert await guard.route("mapped.test", 443) == [Route("mapped.test", "127.0.0.1", 9)]
    for host in ("eviltiktok.com", "tiktok.com.evil.test", "8.8.8.8", "127.0.0.1", "localhost"):
        with pytest.raises(AddressRefused):
            await guard.route(host, 443)
    assert dns.asked == []


def test_with_a_proxy_and_no_list_nothing_passes() -> None:
    with pytest.raises(AddressRefused):
        Guard(proxy="http://127.0.0.1:1").check_url("https://www.tiktok.com/")


def test_the_last_look_at_a_socket_address_knows_routes_and_public_web_ports_only() -> None:
    guard = Guard(allow=["10.0.0.0/8"])
    guard.judge_sockaddr(("8.8.8.8", 443))
    guard.judge_sockaddr(("10.0.0.1", 80))
    guard.judge_sockaddr(("2606:4700::1", 443, 0, 0))
    guard.judge_sockaddr(("127.0.0.1", 8443), [Route("a.test", "127.0.0.1", 8443)])
    for sockaddr in [("127.0.0.1", 443), ("8.8.8.8", 22), ("::1", 80, 0, 0), ("localhost", 80), ("127.0.0.1", 8444)]:
        with pytest.raises(AddressRefused):
            guard.judge_sockaddr(sockaddr, [Route("a.test", "127.0.0.1", 8443)])


async def test_a_resolver_that_fails_in_any_way_of_its_own_is_a_passing_fault() -> None:
    async def broken(host: str, port: int) -> list[str]:
        raise socket.timeout("slow")  # noqa: UP041 - the name old resolvers raise

    with pytest.raises(DownloadFailed):
        await Guard(lookup=broken).route("good.test", 443)


def test_a_look_up_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a cancellation, nor the end of the loop, nor other work in threads, however many of them hang."""
    hanging, released = threading.Semaphore(0), threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        hanging.release()
        released.wait(60)
        return []

    async def run() -> int:
        tasks = [asyncio.ensure_future(Guard().route(f"host{n}.example", 443)) for n in range(40)]
        await asyncio.sleep(0)
        while not hanging.acquire(blocking=False):
            await asyncio.sleep(0.01)
        seven = await asyncio.to_thread(int, "7")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return seven

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        assert asyncio.run(run()) == 7
        assert not released.is_set()
    finally:
        released.set()

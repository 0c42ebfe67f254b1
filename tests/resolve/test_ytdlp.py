"""yt-dlp as a provider: what comes in as a post, what is refused, and what an error means."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from clipstead.errors import AddressRefused, Blocked, ProviderFailed, UnsupportedLink, UpstreamError
from clipstead.model import Link, LinkKind, MediaKind
from clipstead.resolve.links import parse as parse_link
from clipstead.resolve.providers import tiktok_web
from clipstead.resolve.providers.ytdlp import YtDlp

if TYPE_CHECKING:
    from tests.resolve.conftest import NoNet, Site, Workers

PAGE = '<html><head><title>A film</title></head><video src="/film.mp4" poster="/film.jpg"></video></html>'

Open = Callable[..., Awaitable[YtDlp]]


def link(path: str = "/post") -> Link:
    return Link("web", f"http://site.example{path}")


def html(cookie: str = "") -> web.Response:
    return web.Response(text=PAGE, content_type="text/html", headers={"Set-Cookie": cookie} if cookie else {})


async def test_a_page_becomes_a_post_and_the_worker_stays_warm(
    opened: Open, site: Site, no_net: NoNet, workers: Workers
) -> None:
    """One process for one request after another; the language reaches the site."""
    site.pages["/post"] = html()
    ytdlp = await opened()
    post = await ytdlp.fetch(link(), no_net, language="de-at")
    first = workers.pids()
    assert post.title.startswith("A film")
    assert [(media.kind, media.url) for media in post.media] == [
        (MediaKind.VIDEO, "http://site.example/film.mp4"),
        (MediaKind.COVER, "http://site.example/film.jpg"),
    ]
    assert post.media[0].headers["Referer"] == "http://site.example/post"
    await ytdlp.fetch(link(), no_net, language="fr")
    assert (workers.pids(), len(first)) == (first, 1)
    assert [request.headers["Accept-Language"] for request in site.requests] == ["de-at", "fr"]


async def test_yt_dlp_is_never_imported_here(
    opened: Open, site: Site, no_net: NoNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the provider nor by a request: the 80 MB belong to the child alone."""

    def imported() -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] in ("yt_dlp", "yt_dlp_ejs")]

    for name in imported():
        monkeypatch.delitem(sys.modules, name)  # another test's: `doctor` asks it for its version
    site.pages["/post"] = html()
    await (await opened()).fetch(link(), no_net)
    assert imported() == []


async def test_what_one_post_left_behind_is_not_shown_to_the_next(opened: Open, site: Site, no_net: NoNet) -> None:
    """No cookie of one request is sent with another, though the process is the same."""
    site.pages["/post"] = html("visitor=1; Path=/")
    ytdlp = await opened()
    post = await ytdlp.fetch(link(), no_net)
    await ytdlp.fetch(link(), no_net)
    assert dict(post.media[0].cookies) == {"visitor": "1"}
    assert [request.cookies.get("visitor") for request in site.requests] == [None, None]


async def test_the_operators_cookies_are_sent_and_never_written(
    opened: Open, site: Site, no_net: NoNet, tmp_path: Path
) -> None:
    """Nor do they leave the process in `raw`."""
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\n\n.site.example\tTRUE\t/\tFALSE\t4102444800\tsession\tsecret\n")
    before = (jar.read_bytes(), jar.stat().st_mtime_ns)
    site.pages["/post"] = html("session=changed; Domain=.site.example; Path=/")
    ytdlp = await opened(cookies_file=str(jar))
    post = await ytdlp.fetch(link(), no_net)
    assert site.requests[0].cookies["session"] == "secret"
    assert post.media[0].cookies["session"] == "changed"
    assert b"changed" not in post.raw
    await ytdlp.close()
    assert (jar.read_bytes(), jar.stat().st_mtime_ns) == before


async def test_the_generic_extractor_is_off_unless_asked_for(opened: Open, site: Site, no_net: NoNet) -> None:
    site.pages["/post"] = html()
    with pytest.raises(UnsupportedLink):
        await (await opened(generic=False)).fetch(link(), no_net)
    assert site.requests == []


@pytest.mark.parametrize(
    "url",
    ["http://u:p@site.example/post", "http://site.example:8080/post", "ftp://site.example/", "file:///etc/passwd"],
)
async def test_odd_addresses_do_not_reach_a_worker(opened: Open, no_net: NoNet, workers: Workers, url: str) -> None:
    with pytest.raises(UnsupportedLink):
        await (await opened()).fetch(Link("web", url), no_net)
    assert workers.pids() == set()


async def test_it_accepts_posts_of_any_platform_and_nothing_else(opened: Open) -> None:
    ytdlp = await opened()
    assert ytdlp.accepts(link()) and ytdlp.accepts(Link("tiktok", "https://www.tiktok.com/@_/video/1", "1"))
    assert not any(ytdlp.accepts(Link("tiktok", "x", kind=kind)) for kind in LinkKind if kind is not LinkKind.POST)


@pytest.mark.parametrize(
    "location", ["http://127.0.0.2:{port}/", "http://10.0.0.1/", "http://[::1]:{port}/", "http://0/"]
)
async def test_a_redirect_to_a_private_address_is_refused_and_not_followed(
    opened: Open, site: Site, no_net: NoNet, location: str
) -> None:
    reached: list[object] = []
    trap = await asyncio.start_server(lambda reader, writer: reached.append(writer), "127.0.0.2", 0)
    port = trap.sockets[0].getsockname()[1]
    site.pages["/post"] = web.Response(status=302, headers={"Location": location.format(port=port)})
    ytdlp = await opened()
    with pytest.raises(AddressRefused):
        await ytdlp.fetch(link(), no_net)
    site.pages["/post"] = html()
    assert (await ytdlp.fetch(link(), no_net)).media, "and the next request is served"
    trap.close()
    await trap.wait_closed()
    assert reached == []


async def test_a_refusing_site_is_blocked_and_a_missing_page_is_not_a_missing_post(
    opened: Open, site: Site, no_net: NoNet
) -> None:
    ytdlp = await opened()
    site.pages["/post"] = web.Response(status=429, headers={"Retry-After": "17"})
    with pytest.raises(Blocked) as caught:
        await ytdlp.fetch(link(), no_net)
    assert caught.value.retry_after == 17
    with pytest.raises(ProviderFailed, match="404"):
        await ytdlp.fetch(link("/nowhere"), no_net)


async def test_yt_dlps_own_tiktok_extractor_reads_a_recorded_page(
    opened: Open, tiktok: Site, no_net: NoNet, samples: Path
) -> None:
    """Through TLS with the operator's CA and curl_cffi; it agrees with our own parser on what a post is."""
    page = (samples / "tiktok" / "video_mysticaquarium_7660566211100511518.html").read_bytes()
    post_link = parse_link("https://www.tiktok.com/@mysticaquarium/video/7660566211100511518")
    handed_out = web.Response(
        body=page, content_type="text/html", headers={"Set-Cookie": "tt_chain_token=abc=; Domain=.tiktok.com"}
    )
    path = post_link.url.removeprefix("https://www.tiktok.com")
    tiktok.pages[path] = handed_out
    post = await (await opened(generic=False)).fetch(post_link, no_net)
    ours = tiktok_web.parse(page, post_link)
    assert (post.id, post.title, post.created_at) == (ours.id, ours.title, ours.created_at)
    assert (post.author.username, post.author.nickname) == (ours.author.username, ours.author.nickname)
    assert (post.stats.likes, post.stats.views, post.stats.shares) == (
        ours.stats.likes,
        ours.stats.views,
        ours.stats.shares,
    )
    theirs = {media.url for media in post.of_kind(MediaKind.VIDEO)}
    assert theirs & {url for media in ours.of_kind(MediaKind.VIDEO) for url in (media.url, *media.mirrors)}
    assert {media.headers["Referer"] for media in post.of_kind(MediaKind.VIDEO)} == {post_link.url}


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    opened: Open, tiktok: Site, no_net: NoNet, samples: Path
) -> None:
    post_link = parse_link("https://www.tiktok.com/@mysticaquarium/video/7660566211100511518")
    with pytest.raises(UpstreamError):
        await (await opened(generic=False, ca_file="")).fetch(post_link, no_net)
    assert tiktok.requests == []

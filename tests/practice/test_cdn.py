"""The CDN serves what a page named, to whoever comes from that page, for as long as the address says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from clipstead.practice import PracticePost, World

_SCRIPT = re.compile(rb'REHYDRATION__" type="application/json">(.*?)</script>', re.DOTALL)
_FROM_SITE = "https://www.tiktok.com/"


async def visit(browser: Any, post: PracticePost) -> tuple[dict[str, Any], dict[str, str]]:
    """The item on a post's page, and the headers that its addresses want."""
    page = await browser.get(f"https://www.tiktok.com/@_/video/{post.id}")
    found = _SCRIPT.search(page.body)
    assert found
    item = orjson.loads(found[1])["__DEFAULT_SCOPE__"]["webapp.video-detail"]["itemInfo"]["itemStruct"]
    return item, {"Referer": _FROM_SITE, "Cookie": f"tt_chain_token={page.cookies['tt_chain_token']}"}


def quoted(cookie: str) -> str:
    """The cookie as careless clients send it."""
    name, _, value = cookie.partition("=")
    return f'{name}="{value}"'


async def test_every_variant_has_the_size_that_the_page_declares(world: World, browser: Any) -> None:
    """Each bitrateInfo entry, from either mirror, is a video/mp4 of exactly DataSize bytes."""
    item, headers = await visit(browser, world.post("video"))
    for entry in item["video"]["bitrateInfo"]:
        for url in entry["PlayAddr"]["UrlList"][:2]:
            file = await browser.get(url, headers=headers)
            assert (file.status, file.headers["Content-Type"]) == (200, "video/mp4")
            assert len(file.body) == int(entry["PlayAddr"]["DataSize"])
    assert item["video"]["size"] == str(len((await browser.get(item["video"]["playAddr"], headers=headers)).body))
    assert (await browser.get(item["video"]["downloadAddr"], headers=headers)).status == 200


async def test_other_files_need_no_cookie(world: World, browser: Any) -> None:
    """Covers, avatars, sounds, subtitles and pictures come to anybody with the address, under the right type."""
    post = next(post for post in world.posts.of_kind("video") if post.number % 3 == 2)
    item, _ = await visit(browser, post)
    video = item["video"]
    for url in (video["cover"], video["originCover"], video["zoomCover"]["480"], item["author"]["avatarLarger"]):
        picture = await browser.get(url)
        assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
        assert picture.body[:3] == b"\xff\xd8\xff"
    for entry in video["subtitleInfos"]:
        captions = await browser.get(entry["Url"])
        assert captions.text.startswith("WEBVTT")
        assert len(captions.body) == int(entry["Size"])
    sounds = set()
    for post in world.posts[:3]:
        sound = await browser.get((await visit(browser, post))[0]["music"]["playUrl"])
        sounds.add((sound.headers["Content-Type"], sound.body[:3]))
    assert ("audio/mpeg", b"ID3") in sounds
    assert any(kind == "audio/mp4" for kind, _ in sounds)
    photo = world.post("photo")
    images = (await visit(browser, photo))[0]["imagePost"]["images"]
    for image in images:
        assert (await browser.get(image["imageURL"]["urlList"][1])).body[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("no cookie", lambda url, headers: (url, {"Referer": _FROM_SITE})),
        ("no referer", lambda url, headers: (url, {"Cookie": headers["Cookie"]})),
        ("foreign referer", lambda url, headers: (url, {**headers, "Referer": "https://tiktok.com.evil.test/"})),
        ("another cookie", lambda url, headers: (url, {**headers, "Cookie": "tt_chain_token=AAAAAAAAAAAAAAAA=="})),
        ("quoted cookie", lambda url, headers: (url, {**headers, "Cookie": quoted(headers["Cookie"])})),
        ("longer life", lambda url, headers: (re.sub(r"expire=\d", "expire=9", url), headers)),
        ("nonsense", lambda url, headers: (re.sub(r"expire=\d+", "expire=x", url), headers)),
        ("no signature", lambda url, headers: (re.sub(r"&signature=\w+", "", url), headers)),
        ("no file", lambda url, headers: ("https://v16-webapp-prime.tiktok.com/video/", headers)),
    ],
)  # fmt: skip
async def test_the_cdn_refuses(
    world: World, browser: Any, name: str, change: Callable[[str, dict[str, str]], tuple[str, dict[str, str]]]
) -> None:
    """Without the page's own cookie, a Referer on tiktok.com and the unchanged address there is only a 403."""
    item, headers = await visit(browser, world.post("video"))
    url, headers = change(item["video"]["playAddr"], headers)
    assert (await browser.get(url, headers=headers)).status == 403


async def test_addresses_expire(browser: Any, world: World) -> None:
    """An address is refused once its time is over, by the world's clock, and a new page gives a living one."""
    item, headers = await visit(browser, world.post("video"))
    url = item["video"]["playAddr"]
    assert (await browser.get(url, headers=headers)).status == 200
    world.address_seconds = -1
    item, headers = await visit(browser, world.post("video"))
    assert (await browser.get(item["video"]["playAddr"], headers=headers)).status == 403
    assert world.requests["cdn refused: expired"] == 1


async def test_a_visitor_keeps_the_cookie_that_was_given(world: World, browser: Any) -> None:
    """Who comes with the cookie gets addresses for it, on pages and in lists alike."""
    post = world.post("video")
    _, headers = await visit(browser, post)
    again = await browser.get(post.url, headers=headers)
    assert f"tt_chain_token={again.cookies['tt_chain_token']}" == headers["Cookie"]
    address = f"https://www.tiktok.com/api/post/item_list/?secUid={post.author.sec_uid}&count=1"
    listed = orjson.loads((await browser.get(address, headers=headers)).body)
    url = listed["itemList"][0]["video"]["bitrateInfo"][1]["PlayAddr"]["UrlList"][0]
    assert (await browser.get(url, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        ("bytes=0-0", 206, (0, 1)),
        ("bytes=100-199", 206, (100, 200)),
        ("bytes=171990-", 206, (171_990, 172_000)),
        ("bytes=-10", 206, (171_990, 172_000)),
        ("bytes=171990-999999999", 206, (171_990, 172_000)),
        ("bytes=172000-", 416, (0, 0)),
        ("bytes=0-1,5-6", 200, (0, 172_000)),
        ("nonsense", 200, (0, 172_000)),
    ],
)
async def test_ranges(world: World, browser: Any, wanted: str, status: int, span: tuple[int, int]) -> None:
    """One range is honoured; several or none that make sense give the whole file; past the end is 416."""
    item, headers = await visit(browser, world.post("video"))
    whole = (await browser.get(item["video"]["playAddr"], headers=headers)).body
    part = await browser.get(item["video"]["playAddr"], headers={**headers, "Range": wanted})
    assert part.status == status
    assert part.body == whole[span[0] : span[1]]
    if status == 206:
        assert part.headers["Content-Range"] == f"bytes {span[0]}-{span[1] - 1}/{len(whole)}"


@pytest.mark.parametrize("video_bytes", [5_000_001])
async def test_big_files_are_served_whole(world: World, browser: Any) -> None:
    """A world may hold files of megabytes, exact to the byte, and sends them in pieces."""
    item, headers = await visit(browser, world.post("video"))
    best = item["video"]["bitrateInfo"][0]["PlayAddr"]
    file = await browser.get(best["UrlList"][0], headers=headers)
    assert len(file.body) == int(best["DataSize"]) == 5_000_001

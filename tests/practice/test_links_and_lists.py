"""Short links lead to posts; lists page by cursor to the end, without holes and without repeats."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from clipstead.practice import World

_API = "https://www.tiktok.com/api/"


async def ask(browser: Any, path: str, **query: object) -> Any:
    return orjson.loads((await browser.get(f"{_API}{path}/?{urlencode(query)}")).body)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_short_links_redirect(world: World, browser: Any, method: str) -> None:
    """vm and /t/ point straight at the post, vt by way of m.tiktok.com; a GET's body begins with the anchor."""
    post = world.post("video", 2)
    for link in (post.short_url, post.share_url, post.share_url.replace("www", "lite"), post.short_url.rstrip("/")):
        reply = await browser.get(link, method=method)
        assert reply.status == 301
        assert reply.headers["Location"].startswith(post.url + "?")
        assert reply.body.startswith(b'<a href="https://') or method == "HEAD"
    first = await browser.get(post.short_url.replace("vm.", "vt."), method=method)
    assert (first.status, first.headers["Location"].split("?")[0]) == (302, f"https://m.tiktok.com/v/{post.id}.html")
    second = await browser.get(first.headers["Location"], method=method)
    assert second.headers["Location"] == post.url
    assert world.asked(post.id, "short") == 6


async def test_unknown_codes_lead_home(browser: Any) -> None:
    """A code that nobody knows leads to the home page, as on the real site."""
    reply = await browser.get("https://vm.tiktok.com/ZZZZZZZZZ/")
    assert reply.headers["Location"] == "https://www.tiktok.com/?_r=1"


async def test_plain_http_leads_to_https(world: World, browser: Any) -> None:
    """Port 80 answers with the same address under https."""
    reply = await browser.get("http://www.tiktok.com/@x/video/1?a=b")
    assert (reply.status, reply.headers["Location"]) == (301, "https://www.tiktok.com/@x/video/1?a=b")


@pytest.mark.parametrize("path", ["creator/item_list", "post/item_list"])
async def test_user_lists_page_to_the_end(world: World, browser: Any, path: str) -> None:
    """Both user lists give every post of a user once, newest first; times are numbers here."""
    user = world.users[0]
    seen: list[str] = []
    cursor = 0 if path.startswith("post") else 4_000_000_000_000
    while True:
        page = await ask(browser, path, secUid=user.sec_uid, count=4, cursor=cursor, type=1)
        seen += [item["id"] for item in page["itemList"]]
        assert all(isinstance(item["createTime"], int) for item in page["itemList"])
        if not page.get("hasMorePrevious", page.get("hasMore")):
            break
        cursor = int(page.get("cursor") or page["itemList"][-1]["createTime"] * 1000)
    assert seen == [world.posts[number].id for number in world.posts.of_user(user)]
    assert world.asked(user.sec_uid, "list") == 3


async def test_user_lists_can_run_forwards(world: World, browser: Any) -> None:
    """post_item_list_request_type 2 is oldest first."""
    user = world.users[0]
    page = await ask(browser, "post/item_list", secUid=user.sec_uid, post_item_list_request_type=2, count=3, cursor=0)
    assert [item["id"] for item in page["itemList"]] == [world.posts[n].id for n in world.posts.of_user(user)[:-4:-1]]


async def test_tags_sounds_playlists_and_collections(world: World, browser: Any) -> None:
    """The other lists count their items, and the details tell the ids that they ask for."""
    tag, sound, user = world.tags[1], world.sounds[1], world.users[1]
    detail = await ask(browser, "challenge/detail", challengeName=tag.name)
    assert detail["challengeInfo"]["challenge"]["id"] == tag.id
    for path, query, numbers in (
        ("challenge/item_list", {"challengeID": tag.id}, world.posts.of_tag(tag)),
        ("music/item_list", {"musicID": sound.id}, world.posts.of_sound(sound)),
        ("mix/item_list", {"mixId": user.mix_id}, world.posts.of_user(user)[::3]),
        ("collection/item_list", {"collectionId": user.collection_id}, range(user.index, 60, 4)[::-1]),
    ):
        seen, cursor = [], "0"
        while True:
            page = await ask(browser, path, **query, count=2, cursor=cursor)
            seen += [item["id"] for item in page["itemList"]]
            cursor = page["cursor"]
            if not page["hasMore"]:
                break
        assert seen == [world.posts[number].id for number in numbers], path


async def test_search_finds_words(world: World, browser: Any) -> None:
    """Every hit holds the word; unknown words find nothing."""
    found = await ask(browser, "search/item/full", keyword="broth")
    assert found["item_list"]
    assert all("broth" in item["desc"] for item in found["item_list"])
    assert (await ask(browser, "search/item/full", keyword="zzz"))["item_list"] == []


async def test_strangers_and_unsigned_calls(world: World, browser: Any) -> None:
    """An unknown user is 10202; calls that want signatures get an empty body."""
    assert (await ask(browser, "post/item_list", secUid="nobody"))["statusCode"] == 10202
    assert (await browser.get(f"{_API}item/detail/?itemId=1")).body == b""


async def test_lists_have_their_own_captcha(world: World, browser: Any) -> None:
    """A list that is blocked answers with the verify JSON, once if told so."""
    world.fault(world.users[0].username, "list:captcha", times=1)
    query = {"secUid": world.users[0].sec_uid, "count": 1}
    assert (await ask(browser, "creator/item_list", **query))["type"] == "verify"
    assert (await ask(browser, "creator/item_list", **query))["statusCode"] == 0

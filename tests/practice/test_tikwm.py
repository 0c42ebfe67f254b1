"""The tikwm and TikLive shapes: details, lists, errors and limits in their own words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from clipstead.practice import World


async def tikwm(browser: Any, path: str = "", **query: object) -> Any:
    return orjson.loads((await browser.get(f"https://www.tikwm.com/api/{path}?{urlencode(query)}")).body)


async def tiklive(world: World, browser: Any, path: str, **query: object) -> tuple[int, Any]:
    url = f"https://api.tikliveapi.com/{path}/?{urlencode(query)}"
    reply = await browser.get(url, headers={"X-Api-Key": world.tiklive_key})
    return reply.status, orjson.loads(reply.body)


async def test_details_by_every_way_to_ask(world: World, browser: Any) -> None:
    """A link, a short link and a bare id, by GET and by form, give the post and files of the declared size."""
    post = world.post("video")
    for url in (
        post.url,
        post.short_url,
        post.share_url,
        post.id,
        f"https://www.tiktok.com/@placeholder/video/{post.id}",
    ):
        assert (await tikwm(browser, url=url, hd=1))["data"]["id"] == post.id
    form = await browser.get("https://www.tikwm.com/api/", method="POST", form={"url": post.url})
    data = orjson.loads(form.body)["data"]
    assert "hdplay" not in data
    for name, size in (("play", "size"), ("wmplay", "wm_size")):
        assert len((await browser.get(data[name])).body) == data[size]
    data = (await tikwm(browser, url=post.id, hd=1))["data"]
    assert len((await browser.get(data["hdplay"])).body) == data["hd_size"]
    assert world.asked(post.id, "tikwm") == 7
    assert world.asked(post.id, "page") == 0


async def test_photo_posts_play_their_sound(world: World, browser: Any) -> None:
    """On photo posts there are images, no duration, and `play` is the sound."""
    post = world.post("photo")
    data = (await tikwm(browser, url=post.url))["data"]
    assert (len(data["images"]), data["duration"], data["size"]) == (post.images, 0, 0)
    assert data["play"] == data["music"]
    assert (await browser.get(data["play"])).headers["Content-Type"] in ("audio/mpeg", "audio/mp4")


async def test_relative_addresses(world: World, browser: Any) -> None:
    """web=1 gives addresses on the site itself, which redirect to the CDN."""
    post = world.post("video")
    data = (await tikwm(browser, url=post.id, hd=1, web=1))["data"]
    for name in ("play", "hdplay", "wmplay", "music"):
        assert data[name].startswith("/video/")
        hop = await browser.get("https://www.tikwm.com" + data[name])
        assert (await browser.get(hop.headers["Location"])).status == 200


async def test_lists(world: World, browser: Any) -> None:
    """User lists page by time, the others by place, and all end."""
    user, tag, sound = world.users[0], world.tags[0], world.sounds[0]
    for path, query, numbers in (
        ("user/posts", {"unique_id": f"@{user.username}"}, world.posts.of_user(user)),
        ("user/posts", {"user_id": user.id}, world.posts.of_user(user)),
        ("challenge/posts", {"challenge_id": tag.id}, world.posts.of_tag(tag)),
        ("music/posts", {"music_id": sound.id}, world.posts.of_sound(sound)),
    ):
        seen, cursor = [], "0"
        while True:
            data = (await tikwm(browser, path, **query, count=4, cursor=cursor))["data"]
            seen += [video["video_id"] for video in data["videos"]]
            cursor = data["cursor"]
            if not data["hasMore"]:
                break
        assert seen == [world.posts[number].id for number in numbers], path
    found = (await tikwm(browser, "feed/search", keywords="broth"))["data"]["videos"]
    assert found
    assert all("broth" in video["title"] for video in found)
    assert (await tikwm(browser, "user/info", unique_id=user.username))["data"]["user"]["secUid"] == user.sec_uid
    assert (await tikwm(browser, "challenge/info", challenge_name=tag.name))["data"]["id"] == tag.id


async def test_errors_are_http_200_with_code_minus_one(world: World, browser: Any) -> None:
    """No url, a bad url, a post that is gone, one that is private: the same -1 in the service's words."""
    post = world.post("video")
    assert (await tikwm(browser))["msg"] == "'url' is required."
    assert await tikwm(browser, url="https://example.org/") == {
        "code": -1, "msg": "Url parsing is failed! Please check url.", "processed_time": 0,
    }  # fmt: skip
    for name in ("deleted", "private", "region", "unparsed"):
        world.clear()
        world.fault(post.id, name)
        assert (await tikwm(browser, url=post.id))["code"] == -1
    world.clear()
    world.fault(post.id, "age")
    assert (await tikwm(browser, url=post.id))["code"] == 0


async def test_limits_and_cloudflare(world: World, browser: Any) -> None:
    """Faster than allowed is code -1; the Cloudflare page is HTML with 403; a limit can be planned too."""
    post = world.post("video")
    world.fault(post.id, "limit", times=1)
    assert (await tikwm(browser, url=post.id))["msg"] == "Free Api Limit: 1 request/second."
    world.tikwm_per_second = 0.001
    assert (await tikwm(browser, url=post.id))["code"] == 0
    assert (await tikwm(browser, url=post.id))["msg"] == "Free Api Limit: 1 request/second."
    world.tikwm_per_second = 0
    world.fault(post.id, "cloudflare", times=1)
    page = await browser.get(f"https://www.tikwm.com/api/?url={post.id}")
    assert page.status == 403
    assert b"<title>Just a moment...</title>" in page.body


async def test_tiklive_wants_its_key(world: World, browser: Any) -> None:
    """Without a key or with a wrong one there is HTTP 200 and a message, as on the live service."""
    post = world.post("video")
    url = f"https://api.tikliveapi.com/post-detail/?url={post.id}"
    assert orjson.loads((await browser.get(url)).body) == {"message": "Please sign up to tikliveapi.com"}
    wrong = await browser.get(url, headers={"X-Api-Key": "0" * 32})
    assert (wrong.status, orjson.loads(wrong.body)) == (200, {"message": "Api-Key is not available"})
    assert (await tiklive(world, browser, "post-detail", url=post.id))[1]["id"] == post.id


async def test_tiklive_lists_and_errors(world: World, browser: Any) -> None:
    """Details and lists are flat; what is gone is a 404 with a message."""
    post, user, tag = world.post("video"), world.users[0], world.tags[0]
    assert (await tiklive(world, browser, "userid", username=user.username))[1] == {"userid": user.id}
    videos = (await tiklive(world, browser, "user-posts", userid=user.id, count=3))[1]
    assert [video["video_id"] for video in videos["videos"]] == [
        world.posts[n].id for n in world.posts.of_user(user)[:3]
    ]
    for path, query in (
        ("challenge-posts", {"challenge_id": tag.id}),
        ("music-posts", {"music_id": world.sounds[0].id}),
        ("search-video", {"keyword": "broth"}),
    ):
        assert (await tiklive(world, browser, path, **query))[1]["videos"]
    world.fault(post.id, "deleted")
    assert (await tiklive(world, browser, "post-detail", url=post.id))[0] == 404
    assert (await tiklive(world, browser, "post-detail"))[0] == 400


@pytest.mark.parametrize("name", ["tikwm_detail_video_a", "tikwm_detail_photo_7395933425804381473"])
async def test_details_have_every_key_of_the_recorded_ones(
    world: World, browser: Any, samples: Path, name: str
) -> None:
    """A detail of ours has each key of a recorded one, but for what the service's own trackers add."""
    recorded = orjson.loads((samples / "tikwm" / f"{name}.json").read_bytes())
    post = world.post("photo" if "photo" in name else "video")
    ours = await tikwm(browser, url=post.url)
    assert recorded.keys() <= ours.keys()
    own: Mapping[str, object] = ours["data"]
    assert recorded["data"].keys() <= own.keys()
    assert recorded["data"]["music_info"].keys() == ours["data"]["music_info"].keys()
    assert recorded["data"]["author"].keys() == ours["data"]["author"].keys()

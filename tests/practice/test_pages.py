"""Pages have the recorded ones' shape and weight, whatever they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from clipstead.practice import World

_SCRIPT = re.compile(
    rb'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">(.*?)</script>', re.DOTALL
)
_STATE = re.compile(rb'<script id="__FRONTITY_CONNECT_STATE__" type="application/json">(.*?)</script>', re.DOTALL)
_PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"}


def scope(page: bytes) -> dict[str, Any]:
    """The page's scope."""
    found = _SCRIPT.search(page)
    assert found
    members = orjson.loads(found[1])["__DEFAULT_SCOPE__"]
    assert isinstance(members, dict)
    return members


def lacking(recorded: object, ours: object, path: str = "") -> list[str]:
    """The keys that a recording has and our own object has not, with the type where it differs."""
    if isinstance(recorded, Mapping) and isinstance(ours, Mapping):
        gone = [f"{path}.{key}" for key in recorded if key not in ours]
        return gone + [
            at for key in recorded if key in ours for at in lacking(recorded[key], ours[key], f"{path}.{key}")
        ]
    if isinstance(recorded, list) and isinstance(ours, list):
        return lacking(recorded[0], ours[0], f"{path}[0]") if recorded and ours else []
    same = type(recorded) is type(ours) or {type(recorded), type(ours)} == {int, float} or recorded is None
    return [] if same else [f"{path}: {type(recorded).__name__}, not {type(ours).__name__}"]


async def test_a_video_page_has_the_real_weight_and_cookies(world: World, browser: Any) -> None:
    """A page weighs 250 to 400 KB, most of it not about the post, and sets the cookie that its addresses want."""
    post = world.post("video")
    page = await browser.get(post.url)
    assert page.status == 200
    assert 250_000 < len(page.body) < 400_000
    assert page.cookies.keys() == {"tt_chain_token", "ttwid", "msToken"}
    assert page.cookies["tt_chain_token"].endswith("==")
    members = scope(page.body)
    assert list(members)[:4] == [
        "webapp.app-context", "webapp.biz-context", "webapp.i18n-translation", "seo.abtest",
    ]  # fmt: skip
    item = members["webapp.video-detail"]["itemInfo"]["itemStruct"]
    assert (item["id"], item["desc"], item["createTime"]) == (post.id, post.title, str(post.created))
    assert b"@@" not in page.body
    assert world.asked(post.id) == 1


async def test_every_way_to_write_the_link_gives_the_post(world: World, browser: Any) -> None:
    """The handle in a link does not matter, and phones get the reflow scope."""
    post = world.post("video")
    for path in (f"/@_/video/{post.id}", f"/@i/video/{post.id}/", f"/@/video/{post.id}?lang=en"):
        members = scope((await browser.get("https://www.tiktok.com" + path)).body)
        assert members["webapp.video-detail"]["itemInfo"]["itemStruct"]["id"] == post.id
    for url, headers in ((post.url.replace("www.", "m."), {}), (post.url, _PHONE)):
        members = scope((await browser.get(url, headers=headers)).body)
        assert members["webapp.reflow.video.detail"]["itemInfo"]["itemStruct"]["id"] == post.id
        assert "webapp.video-detail" not in members


async def test_an_unknown_post_is_told_by_a_status_code(world: World, browser: Any) -> None:
    """As recorded: HTTP 200, a page of full weight, statusCode 10204 and nothing else."""
    page = await browser.get("https://www.tiktok.com/@i/video/7660566211100511519")
    assert page.status == 200
    assert scope(page.body)["webapp.video-detail"] == {"statusCode": 10204, "statusMsg": "item doesn't exist"}


async def test_photo_posts_have_their_pictures_behind_the_video_link_only(world: World, browser: Any) -> None:
    """A /photo/ link gives a scope without detail and a canonical link; the /video/ one has imagePost."""
    post = world.post("photo")
    blank = scope((await browser.get(post.url)).body)
    assert "webapp.video-detail" not in blank
    assert blank["seo.abtest"]["canonical"] == post.url
    members = scope((await browser.get(post.url.replace("/photo/", "/video/"))).body)
    images = members["webapp.video-detail"]["itemInfo"]["itemStruct"]["imagePost"]["images"]
    assert len(images) == post.images
    assert all(".jpeg?" in image["imageURL"]["urlList"][0] for image in images)
    assert members["webapp.browserRedirect-context"]["browserRedirectUrl"].endswith(f"/photo/{post.id}")


async def test_user_tag_and_sound_pages(world: World, browser: Any) -> None:
    """Profiles carry secUid and counters; tags and sounds their ids; strangers the site's own codes."""
    user, tag, sound = world.users[0], world.tags[0], world.sounds[0]
    detail = scope((await browser.get(user.url)).body)["webapp.user-detail"]
    assert detail["userInfo"]["user"]["secUid"] == user.sec_uid
    assert detail["userInfo"]["stats"]["videoCount"] == len(world.posts.of_user(user))
    assert re.fullmatch(r"MS4wLjABAAAA[\w-]{64}", user.sec_uid)
    challenge = scope((await browser.get(tag.url)).body)["webapp.challenge-detail"]
    assert challenge["challengeInfo"]["challenge"]["id"] == tag.id
    music = scope((await browser.get(sound.url)).body)["webapp.music-detail"]
    assert music["musicInfo"]["music"]["id"] == sound.id
    for path, name, code in (
        ("/@nobody.here", "webapp.user-detail", 10221),
        ("/tag/nothing", "webapp.challenge-detail", 10205),
        ("/music/none-123", "webapp.music-detail", 10203),
    ):
        assert scope((await browser.get("https://www.tiktok.com" + path)).body)[name]["statusCode"] == code


async def test_embeds_tell_of_posts_and_users(world: World, browser: Any) -> None:
    """Embed pages carry the frontity state; oEmbed the title, the author and a thumbnail."""
    post = world.post("video")

    async def state(path: str) -> Any:
        found = _STATE.search((await browser.get("https://www.tiktok.com" + path)).body)
        assert found
        return orjson.loads(found[1])["source"]["data"][path]

    data = (await state(f"/embed/v2/{post.id}"))["videoData"]
    assert data["itemInfos"]["id"] == post.id
    assert len(data["itemInfos"]["video"]["urls"]) == 1
    photo = (await state(f"/embed/v2/{world.post('photo').id}"))["videoData"]
    assert len(photo["imagePostInfo"]["displayImages"]) == world.post("photo").images
    listed = await state(f"/embed/@{post.author.username}")
    assert listed["videoList"][0]["id"] in {world.posts[n].id for n in world.posts.of_user(post.author)}
    assert (await state("/embed/v2/1"))["isError"] is True
    about = await browser.get(f"https://www.tiktok.com/oembed?url={post.url}")
    assert orjson.loads(about.body)["embed_product_id"] == post.id
    assert (await browser.get("https://www.tiktok.com/oembed?url=nonsense")).status == 400


@pytest.mark.parametrize(
    ("name", "kind"),
    [("video_mysticaquarium_7660566211100511518", "video"), ("photo_duolingo_7663591047909379341", "photo")],
)
async def test_an_item_has_every_key_of_the_recorded_one(
    world: World, browser: Any, samples: Path, name: str, kind: Any
) -> None:
    """Key for key and type for type an item of ours is a superset of a recorded page's, but for what few posts have."""
    recorded = scope((samples / "tiktok" / f"{name}.html").read_bytes())["webapp.video-detail"]
    page = await browser.get(world.post(kind).url.replace("/photo/", "/video/"))
    missing = lacking(recorded, scope(page.body)["webapp.video-detail"])
    rare = (
        "contentLocation",
        "poi",
        "shortDramaCreator",
        "titleLanguage",
        "titleTranslatable",
        "claInfo",
        "tt2dsp",
        "textExtra",
    )
    assert [at for at in missing if not any(word in at for word in rare)] == []


async def test_a_profile_has_every_key_of_the_recorded_one(world: World, browser: Any, samples: Path) -> None:
    """The same of user pages."""
    recorded = scope((samples / "tiktok" / "user_ttvauger_US.html").read_bytes())["webapp.user-detail"]
    ours = scope((await browser.get(world.users[0].url)).body)["webapp.user-detail"]
    assert lacking(recorded, ours) == []

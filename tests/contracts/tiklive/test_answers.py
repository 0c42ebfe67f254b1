"""What stays true whatever is asked: pages join up, addresses are tunnels that end, words fit each failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clipstead.app import open_app
from clipstead.model import MediaKind
from clipstead.practice.files import PLAIN, VARIANTS
from clipstead.resolve.links import parse as parse_link
from clipstead.resolve.providers.tiklive import parse
from clipstead.resolve.sources import parse_source
from clipstead.settings import load

Open = Callable[..., Any]


_LISTS: tuple[tuple[str, dict[str, str], int], ...] = (
    ("/user-posts/", {"userid": "{user.id}"}, 3),
    ("/user-posts/", {"username": "{user.username}"}, 4),
    ("/challenge-posts/", {"challenge_id": "{fyp.id}"}, 35),
    ("/challenge-posts/", {"challenge_id": "{tag.id}", "region": ""}, 2),
    ("/search-video/", {"keyword": "the"}, 5),
    ("/music-posts/", {"music_id": "{sound.id}"}, 1),
    ("/playlist-posts/", {"playlist_id": "{user.mix_id}"}, 2),
    ("/collection-posts/", {"collection_id": "{user.collection_id}"}, 7),
)


@pytest.mark.parametrize("providers", [(), ("tikwm",), ("tikwm", "tiktok_web")], ids=str)
async def test_pages_join_up(open_tiklive: Open, providers: tuple[str, ...]) -> None:
    """While `hasMore`, the cursor goes back unchanged: every post comes once, in order, and the last page ends it."""
    tiklive = await open_tiklive(providers)
    world, catalog = tiklive.world, tiklive.world.posts
    user, tag, sound = world.users[0], world.tags[0], world.sounds[0]
    named = {"user": user, "tag": tag, "sound": sound, "fyp": catalog.everything}
    for path, about, count in _LISTS:
        asked = {name: value.format(**named) for name, value in about.items()}
        if providers == ("tikwm",) and path in ("/playlist-posts/", "/collection-posts/"):
            await _nobody_lists(tiklive, path, asked)
            continue
        numbers = {
            "/user-posts/": catalog.of_user(user),
            "/challenge-posts/": catalog.of_tag(tag if "region" in about else catalog.everything),
            "/search-video/": [post.number for post in catalog.search("the")],
            "/music-posts/": catalog.of_sound(sound),
            "/playlist-posts/": catalog.gathered(user.mix_id),
            "/collection-posts/": catalog.gathered(user.collection_id),
        }[path]
        assert await _all_pages(tiklive, path, asked, count) == [catalog[number].id for number in numbers], path


async def _all_pages(tiklive: Any, path: str, asked: dict[str, str], count: int) -> list[str]:
    found: list[str] = []
    cursor: Any = 0
    for _ in range(100):
        body = await tiklive.get(path, **asked, count=count, cursor=cursor)
        assert isinstance(body["cursor"], str)
        assert 0 < len(body["videos"]) <= count
        found += [each["aweme_id"] for each in body["videos"]]
        cursor = body["cursor"]
        if not body["hasMore"]:
            break
    return found


async def _nobody_lists(tiklive: Any, path: str, asked: dict[str, str]) -> None:
    """Nobody that may be asked has such lists: that is said, and costs nothing."""
    before = await tiklive.left()
    status, body, headers = await tiklive.ask(path, params=asked)
    assert (status, body) == (404, {"message": "This is not available: nobody we can ask answers it"})
    assert headers["X-Credits-Used"] == "0"
    assert await tiklive.left() == before


async def test_comments_join_up(tiklive: Any) -> None:
    """By whole numbers, to the end."""
    post = min((post for post in tiklive.world.posts if post.kind == "video"), key=lambda post: post.views)
    found: list[str] = []
    cursor, more, total = 0, True, -1
    while more:
        body = await tiklive.get("/post-comments/", url=post.id, count=50, cursor=cursor)
        found += [each["id"] for each in body["comments"]]
        cursor, more, total = body["cursor"], body["hasMore"], body["total"]
        assert type(cursor) is int
        if len(found) > 150:
            break
    assert len(found) == len(set(found))
    assert more or len(found) == total


async def test_comments_are_found_by_any_link_of_a_post(tiklive: Any) -> None:
    """A short one, too."""
    post = min((post for post in tiklive.world.posts if post.kind == "video"), key=lambda post: post.views)
    plain = await tiklive.get("/post-comments/", url=post.url, count=1)
    assert (await tiklive.get("/post-comments/", url=post.short_url, count=1))["comments"][0]["id"] == (
        plain["comments"][0]["id"]
    )
    replies = {"comment_id": plain["comments"][0]["id"], "count": 1}
    by_id = await tiklive.get("/post-comment-replies/", video_id=post.id, **replies)
    assert (await tiklive.get("/post-comment-replies/", url=post.short_url, **replies))["total"] == by_id["total"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/challenge-posts/", {"challenge_id": "../x"}),
        ("/challenge-info-id/", {"id": "1" * 21}),
        ("/search-user/", {"keyword": "w" * 600}),
        ("/search-challenge/", {"keyword": "a\u0007b"}),
        ("/search-video/", {"keyword": "w" * 600}),
        ("/userinfo-by-username/", {"username": "a/b"}),
        ("/post-comment-replies/", {"video_id": "7542123392531439343", "comment_id": "x"}),
    ],
)
async def test_what_is_wrong_is_called_as_it_was_asked_for(tiklive: Any, path: str, params: dict[str, str]) -> None:
    """By the name of the parameter, and of no other."""
    status, body, _ = await tiklive.ask(path, params=params)
    assert (status, body["message"].split()[0]) == (400, list(params)[-1]), body


async def test_the_files_are_what_the_answer_says(tiklive: Any) -> None:
    """Every address is a plain GET, of the size that was told; HD is the best there is."""
    post = tiklive.world.post("video")
    body = await tiklive.get("/post-detail/", url=post.url)
    files = tiklive.world.stage.files
    assert (body["size"], body["hd_size"]) == (files.video_size(post, PLAIN), files.video_size(post, VARIANTS[0]))
    for name, size in (("play", body["size"]), ("hdplay", body["hd_size"]), ("wmplay", None), ("music", None)):
        status, content = await tiklive.fetch(body[name])
        assert status == 200
        assert size in (None, len(content))
    for name in ("cover", "ai_dynamic_cover", "origin_cover"):
        assert (await tiklive.fetch(body[name]))[1][:3] == b"\xff\xd8\xff"
    assert (await tiklive.fetch(body["author"]["avatar"]))[0] == 200
    assert (await tiklive.fetch(body["music_info"]["play"]))[0] == 200
    small = await tiklive.get("/download-video/", url=post.id)
    assert (await tiklive.fetch(small["video"]))[1] == (await tiklive.fetch(body["play"]))[1]
    assert (await tiklive.fetch(small["video_hd"]))[1] == (await tiklive.fetch(body["hdplay"]))[1]


async def test_the_files_of_photos(tiklive: Any) -> None:
    """Every picture, and the sound wherever a video would be."""
    post = tiklive.world.post("photo")
    body = await tiklive.get("/post-detail/", url=post.url)
    assert len(body["images"]) == post.images
    for image in body["images"]:
        assert (await tiklive.fetch(image))[1][:3] == b"\xff\xd8\xff"
    assert body["play"] == body["wmplay"] == body["hdplay"] == body["music"]
    assert (await tiklive.fetch(body["play"]))[1] == (await tiklive.fetch(body["music_info"]["play"]))[1] != b""


async def test_what_lists_name_can_be_fetched(tiklive: Any) -> None:
    """The addresses in a list are as good as those of a detail."""
    for path, about in (
        ("/user-posts/", {"userid": tiklive.world.users[1].id}),
        ("/music-posts/", {"music_id": tiklive.world.sounds[1].id}),
    ):
        body = await tiklive.get(path, **about, count=2)
        for each in body["videos"]:
            for address in (each["play"], each["wmplay"], each["cover"], each["author"]["avatar"]):
                status, content = await tiklive.fetch(address)
                assert (status, content != b"") == (200, True), address


async def test_what_is_no_post_has_tunnels_too(tiklive: Any) -> None:
    """A sound's file and cover, an account's pictures, a tag's: fetched again when they are asked for."""
    sound, user, tag = tiklive.world.sounds[0], tiklive.world.users[0], tiklive.world.tags[0]
    music = await tiklive.get("/music-info/", music_id=sound.id)
    assert music["id"] == sound.id
    assert len((await tiklive.fetch(music["play"]))[1]) > 10_000
    assert (await tiklive.fetch(music["cover"]))[0] == 200
    told = await tiklive.get("/userinfo-by-username/", username=user.username)
    sizes = [
        len((await tiklive.fetch(told["user"][name]))[1]) for name in ("avatarThumb", "avatarMedium", "avatarLarger")
    ]
    assert min(sizes) > 0
    cover = (await tiklive.get("/challenge-info-name/", name=tag.name))["cover"]
    assert (await tiklive.fetch(cover))[0] == 200
    comments = await tiklive.get("/post-comments/", url=tiklive.world.post("video").url, count=1)
    assert (await tiklive.fetch(comments["comments"][0]["user"]["avatar"]))[0] == 200


async def test_addresses_end_after_some_minutes(tiklive: Any) -> None:
    """Good for ten minutes at least, gone after an hour, for whoever asks; the post is asked for again then."""
    url = tiklive.world.post("video").url
    play = (await tiklive.get("/post-detail/", url=url))["play"]
    sound = (await tiklive.get("/music-info/", music_id=tiklive.world.sounds[0].id))["play"]
    tiklive.ahead[0] = 590
    assert [(await tiklive.fetch(each))[0] for each in (play, sound)] == [200, 200]
    tiklive.ahead[0] = 3600
    assert [(await tiklive.fetch(each))[0] for each in (play, sound)] == [410, 410]
    again = (await tiklive.get("/post-detail/", url=url))["play"]
    assert (await tiklive.fetch(again))[0] == 200


async def test_a_post_that_is_not_to_be_had(open_tiklive: Open) -> None:
    """The platform's own word is final, an answer, and paid for; what went wrong on the way is neither."""
    tiklive = await open_tiklive(("tiktok_web",))
    for number, (fault, status, used) in enumerate(
        (
            ("deleted", 404, "1"),
            ("private", 404, "1"),
            ("region", 404, "1"),
            ("removed", 404, "1"),
            ("500", 502, "0"),
            ("captcha", 502, "0"),
        )
    ):
        post = tiklive.world.post("video", number)
        before = await tiklive.left()
        tiklive.world.fault(post.id, fault)
        if status > 404:
            tiklive.world.fault(post.id, "embed:500")
        found, body, headers = await tiklive.ask("/post-detail/", params={"url": post.url})
        assert (found, list(body)) == (status, ["message"]), fault
        assert (body["message"] == "Video not found or private") == (status == 404)
        assert headers["X-Credits-Used"] == used
        assert await tiklive.left() == before - int(used)


async def test_a_private_account_lists_nothing(tiklive: Any) -> None:
    """No error, as the published service has it: the list is empty, and ends."""
    user = tiklive.world.users[2]
    tiklive.world.fault(user.username, "private")
    for about in ({"userid": user.id}, {"username": user.username}):
        body = await tiklive.get("/user-posts/", **about)
        assert body == {"videos": [], "cursor": "0", "hasMore": False}


async def test_with_nobody_to_ask_it_says_so(open_tiklive: Open) -> None:
    """Providers that list and look up nothing: an honest error, and no credit."""
    tiklive = await open_tiklive(("ytdlp",))
    for path, params in (
        ("/challenge-posts/", {"challenge_id": "123"}),
        ("/userid/", {"username": "someone"}),
        ("/post-comments/", {"url": tiklive.world.post("video").url}),
    ):
        status, body, headers = await tiklive.ask(path, params=params)
        assert (status, list(body), headers["X-Credits-Used"]) == (404, ["message"], "0")


async def test_an_open_instance_needs_no_key(open_tiklive: Open) -> None:
    """And names no credits; but pages of other sites are kept out."""
    tiklive = await open_tiklive(open_to_all=True)
    post = tiklive.world.post("video")
    status, body, headers = await tiklive.ask("/post-detail/", key="", params={"url": post.url})
    assert (status, body["aweme_id"]) == (200, post.id)
    assert "X-Credits-Used" not in headers
    status, body, _ = await tiklive.ask("/region-list/", key="", headers={"Origin": "https://elsewhere.example"})
    assert (status, list(body)) == (403, ["message"])


@pytest.mark.parametrize("walled", [False, True])
async def test_ours_lists_for_ours(tiklive: Any, tmp_path: Path, walled: bool) -> None:
    """Another Clipstead that asks us alone finds every post of every kind of source, in order, whoever answers us."""
    if walled:
        tiklive.world.fault("*", "list:captcha")
    world, catalog = tiklive.world, tiklive.world.posts
    await tiklive.keys.desk.set_credits(tiklive.key[4:14], "unlimited")
    user, tag, sound = world.users[0], world.tags[1], world.sounds[0]
    expected = {
        f"@{user.username}": catalog.of_user(user),
        f"@id:{user.id}": catalog.of_user(user),
        f"#{tag.name}": catalog.of_tag(tag),
        "search:the": [post.number for post in catalog.search("the")],
        f"sound:{sound.id}": catalog.of_sound(sound),
        f"playlist:{user.mix_id}": catalog.gathered(user.mix_id),
        f"collection:{user.collection_id}": catalog.gathered(user.collection_id),
    }
    settings = load(
        data_dir=tmp_path / "other", tiklive_url=tiklive.base, tiklive_key=tiklive.key, providers=("tiklive",)
    )
    async with open_app(settings) as app:
        for text, numbers in expected.items():
            if walled and text.startswith(("playlist:", "collection:")):
                continue  # TikTok alone lists these
            found: list[str] = []
            page = await app.listing.page(parse_source(text), count=4)
            found += [post.id for post in page.posts]
            while page.more:
                page = await app.listing.page(parse_source(text), page.cursor, page.lister, 4)
                found += [post.id for post in page.posts]
            assert found == [catalog[number].id for number in numbers], text
        post = world.post("video")
        assert (await app.resolver.resolve(post.url)).post.title == post.title
        assert (await app.lookups.profile(username=user.username)).id == user.id
        assert (await app.lookups.sound(sound.id)).title == sound.title
        assert (await app.lookups.tag(name=tag.name)).id == tag.id
        assert (await app.lookups.comments(parse_link(post.url))).items


async def test_ours_is_a_source_for_ours(tiklive: Any) -> None:
    """What another Clipstead reads of our answers is what the platform said."""
    for kind in ("video", "photo"):
        post = tiklive.world.post(kind)
        async with tiklive.session.get(
            f"{tiklive.base}/post-detail/", params={"url": post.url}, headers={"X-Api-Key": tiklive.key}
        ) as answer:
            read = parse(await answer.read(), parse_link(post.url), tiklive.base)
        assert (read.id, read.title, read.author.username) == (post.id, post.title, post.author.username)
        assert len(read.of_kind(MediaKind.IMAGE)) == post.images
        assert bool(read.of_kind(MediaKind.VIDEO)) == (kind == "video")


@pytest.mark.parametrize("path", ["/user-posts/", "/userinfo-by-username/"])
async def test_an_answer_comes_while_its_client_waits(tiklive: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients give up after 20 seconds: what cannot come by then is refused, and costs nothing."""
    monkeypatch.setattr("clipstead.server.dialects.tiklive.routes._PATIENCE", 0.5)
    user, before = tiklive.world.users[0], await tiklive.left()
    tiklive.world.fault(user.username, "stall")
    async with asyncio.timeout(10):
        status, body, headers = await tiklive.ask(path, params={"username": user.username})
    assert (status, list(body), headers["X-Credits-Used"]) == (504, ["message"], "0")
    assert await tiklive.left() == before

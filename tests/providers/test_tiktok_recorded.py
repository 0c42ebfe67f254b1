"""The TikTok parser on real recordings: every value must be the one that stands in the file, read here on its own."""

import json
import re
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest

from clipstead.errors import Blocked, PostUnavailable
from clipstead.model import Link, Media, MediaKind, Post
from clipstead.resolve.providers.tiktok_web import parse
from clipstead.resolve.tiktok import item

Recorded = Callable[[str], bytes]

PAGES = (
    "tiktok/video_emthenutritionist_7608826249200356630.html",
    "tiktok/video_mysticaquarium_7660566211100511518.html",
    "tiktok/photo_duolingo_7663591047909379341.html",
)
LISTS = ("tiktok/api_item_list_12posts_2025.json", "tiktok/api_music_item_list_13posts.json")


def raw_item(page: bytes) -> dict[str, Any]:
    found = re.search(rb'id="__UNIVERSAL_DATA_FOR_REHYDRATION__"[^>]*>(.*?)</script>', page, re.S)
    assert found is not None
    struct: dict[str, Any] = json.loads(found[1])["__DEFAULT_SCOPE__"]["webapp.video-detail"]["itemInfo"]["itemStruct"]
    return struct


def own_site(url: str) -> bool:
    return url.startswith("https://www.tiktok.com/")


def usable(urls: list[str]) -> list[str]:
    return [url for url in urls if not own_site(url)] or urls


def link_of(raw: dict[str, Any]) -> Link:
    return Link("tiktok", f"https://www.tiktok.com/@_/video/{raw['id']}", raw["id"])


def check_words(post: Post, raw: dict[str, Any]) -> None:
    assert post.id == raw["id"]
    assert post.title == raw["desc"]
    assert post.created_at == int(raw["createTime"])
    assert post.region == raw.get("locationCreated", "")
    assert post.language == raw.get("textLanguage", "")
    assert post.author.id == raw["author"]["id"]
    assert post.author.username == raw["author"]["uniqueId"]
    assert post.author.nickname == raw["author"]["nickname"]
    assert post.author.sec_uid == raw["author"]["secUid"]
    assert post.author.verified is raw["author"]["verified"]
    assert post.author.avatar == raw["author"]["avatarLarger"]
    assert json.loads(post.raw) == raw


def check_counters(post: Post, raw: dict[str, Any]) -> None:
    told = {**raw["stats"], **raw.get("statsV2", {})}
    assert post.stats.views == int(told["playCount"])
    assert post.stats.likes == int(told["diggCount"])
    assert post.stats.comments == int(told["commentCount"])
    assert post.stats.shares == int(told["shareCount"])
    assert post.stats.saves == (int(told["collectCount"]) if "collectCount" in told else None)
    assert post.stats.downloads is None
    assert post.stats.reposts == (int(told["repostCount"]) if "repostCount" in told else None)


def check_music(post: Post, raw: dict[str, Any]) -> None:
    told = raw["music"]
    assert post.music is not None
    assert (post.music.id, post.music.title, post.music.author) == (told["id"], told["title"], told["authorName"])
    assert post.music.duration == told["duration"]
    assert post.music.original is told["original"]
    assert post.music.cover == told["coverLarge"]
    [sound] = post.of_kind(MediaKind.AUDIO)
    assert sound.variant == "sound"
    assert sound.url == told["playUrl"]
    assert sound.ext == {"audio_mpeg": "mp3", "audio_mp4": "m4a"}[re.findall(r"mime_type=(\w+)", told["playUrl"])[0]]


def check_covers(post: Post, raw: dict[str, Any]) -> None:
    told = {
        "cover": raw["video"]["cover"],
        "origin": raw["video"]["originCover"],
        "dynamic": raw["video"]["dynamicCover"],
        "avatar": raw["author"]["avatarLarger"],
        "music-cover": raw["music"]["coverLarge"],
    }
    found = {cover.variant: cover.url for cover in post.of_kind(MediaKind.COVER)}
    assert found == {name: url for name, url in told.items() if url}


def check_gear(media: Media, told: dict[str, Any]) -> None:
    place = told["PlayAddr"]
    assert [media.url, *media.mirrors] == usable(place["UrlList"])
    assert media.size == int(place["DataSize"])
    assert media.bitrate == told["Bitrate"]
    assert (media.width, media.height) == (place.get("Width"), place.get("Height"))
    assert media.codec == {"h264": "h264", "h265_hvc1": "hevc"}[told["CodecType"]]
    assert media.ext == "mp4"
    assert not media.watermark


def check_videos(post: Post, raw: dict[str, Any]) -> None:
    video = raw["video"]
    assert post.duration == video["duration"]
    gears = {told["GearName"].lower().replace("_", "-"): told for told in video["bitrateInfo"]}
    for name, told in gears.items():
        media = post.variant(name)
        assert media is not None
        check_gear(media, told)
    plain, marked = post.variant("sd"), post.variant("wm")
    assert plain is not None
    assert plain.url == video["playAddr"]
    assert (plain.width, plain.height, plain.codec) == (video["width"], video["height"], "h264")
    same = [told for told in gears.values() if video["playAddr"] in told["PlayAddr"]["UrlList"]]
    assert plain.size == (int(same[0]["PlayAddr"]["DataSize"]) if same else plain.size)
    assert (marked.url if marked else "") == video.get("downloadAddr", "")
    assert marked is None or (marked.watermark and post.of_kind(MediaKind.VIDEO)[-1] is marked)
    names = [media.variant for media in post.of_kind(MediaKind.VIDEO)]
    assert sorted(names) == sorted([*gears, "hd", "sd", *(["wm"] if marked else [])])


def check_best(post: Post, raw: dict[str, Any]) -> None:
    """`hd` is the tallest, and among those the one with the most bits."""
    ranked = sorted(
        raw["video"]["bitrateInfo"],
        key=lambda told: (int(re.findall(r"_(\d+)p_", told["PlayAddr"]["UrlKey"])[0]), told["Bitrate"]),
    )
    best = post.variant("hd")
    assert best is not None
    assert post.of_kind(MediaKind.VIDEO)[0] is best
    assert best.url == usable(ranked[-1]["PlayAddr"]["UrlList"])[0]


def check_subtitles(post: Post, raw: dict[str, Any]) -> None:
    told = raw["video"].get("subtitleInfos") or []
    found = post.of_kind(MediaKind.SUBTITLE)
    assert [media.url for media in found] == [info["Url"] for info in told]
    assert [media.language for media in found] == [info["LanguageCodeName"] for info in told]
    assert [media.size for media in found] == [int(info["Size"]) for info in told]
    assert [media.expires_at for media in found] == [int(info["UrlExpire"]) for info in told]
    assert {media.ext for media in found} <= {"vtt"}
    assert len({media.variant for media in found}) == len(found)


def check_ends(post: Post) -> None:
    """Where an address tells its end of life, in either form, that is what we say."""
    for media in post.media:
        asked = re.search(r"[?&](?:x-expires|expire)=(\d+)", media.url)
        signed = re.match(r"https://[^/]+/[0-9a-f]{32}/([0-9a-f]{8})/", media.url)
        if asked:
            assert media.expires_at == int(asked[1])
        elif signed and media.kind is not MediaKind.SUBTITLE:
            assert media.expires_at == int(signed[1], 16)
        assert media.headers == {"Referer": "https://www.tiktok.com/"}
        assert not media.cookies


def check_video_post(post: Post, raw: dict[str, Any]) -> None:
    check_words(post, raw)
    check_counters(post, raw)
    check_music(post, raw)
    check_covers(post, raw)
    check_videos(post, raw)
    check_best(post, raw)
    check_subtitles(post, raw)
    check_ends(post)
    assert not any(own_site(media.url) for media in post.media)
    assert not post.of_kind(MediaKind.IMAGE)


@pytest.mark.parametrize("name", PAGES[:2])
def test_a_recorded_video_page_gives_what_stands_in_it(name: str, recorded: Recorded) -> None:
    page = recorded(name)
    raw = raw_item(page)
    check_video_post(parse(page, link_of(raw)), raw)


def test_a_recorded_photo_page_gives_its_pictures_and_its_sound_and_no_video(recorded: Recorded) -> None:
    page = recorded(PAGES[2])
    raw = raw_item(page)
    post = parse(page, link_of(raw))
    check_words(post, raw)
    check_counters(post, raw)
    check_music(post, raw)
    check_covers(post, raw)
    check_ends(post)
    told = raw["imagePost"]["images"]
    pictures = post.of_kind(MediaKind.IMAGE)
    assert [media.variant for media in pictures] == [f"image-{number}" for number in range(1, len(told) + 1)]
    assert [[media.url, *media.mirrors] for media in pictures] == [image["imageURL"]["urlList"] for image in told]
    assert [(media.width, media.height) for media in pictures] == [
        (image["imageWidth"], image["imageHeight"]) for image in told
    ]
    assert not post.of_kind(MediaKind.VIDEO)
    assert post.duration is None


@pytest.mark.parametrize("name", LISTS)
def test_each_item_of_a_recorded_list_gives_what_stands_in_it(name: str, recorded: Recorded) -> None:
    items: list[dict[str, Any]] = json.loads(recorded(name))["itemList"]
    assert items
    for raw in items:
        check_video_post(item.build(json.dumps(raw).encode(), link_of(raw)), raw)


def test_a_recorded_answer_of_the_web_api_gives_what_stands_in_it(recorded: Recorded) -> None:
    body = recorded("tiktok/api_item_detail_2024_f2.json")
    raw = json.loads(body)["itemInfo"]["itemStruct"]
    post = parse(body, link_of(raw))
    check_video_post(post, raw)
    assert len(post.of_kind(MediaKind.SUBTITLE)) == 13


def test_the_gears_sizes_agree_with_the_plain_address_wherever_both_are_recorded(recorded: Recorded) -> None:
    """`video.size` is taken for the plain file where no gear has its address: it never disagrees where one has."""
    lists = chain.from_iterable(json.loads(recorded(name))["itemList"] for name in LISTS)
    for raw in chain(lists, (raw_item(recorded(name)) for name in PAGES[:2])):
        video = raw["video"]
        for told in video["bitrateInfo"]:
            if video["playAddr"] in told["PlayAddr"]["UrlList"] and "size" in video:
                assert int(video["size"]) == int(told["PlayAddr"]["DataSize"])


def test_a_recorded_page_of_an_id_that_never_existed_is_missing(recorded: Recorded) -> None:
    with pytest.raises(PostUnavailable) as caught:
        parse(recorded("tiktok/error_10204_item_doesnt_exist_mbedfx.html"), Link("tiktok", "", "7000000000000000000"))
    assert caught.value.reason == "missing"


@pytest.mark.parametrize(
    "name",
    [
        "blank_scope_PH.html",
        "homepage_no_detail_scope.html",
        "user_ttvauger_US.html",
        "legacy_captcha_required.html",
    ],
)
def test_a_recorded_page_that_does_not_speak_of_the_post_is_blocked_and_nothing_final(
    name: str, recorded: Recorded
) -> None:
    with pytest.raises(Blocked):
        parse(recorded(f"tiktok/{name}"), Link("tiktok", "", "7000000000000000000"))

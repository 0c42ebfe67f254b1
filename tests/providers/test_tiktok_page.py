"""TikTok pages of every shape we know, on fixtures of our own: where the data may stand, what files it may name."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from clipstead.errors import Blocked, PostUnavailable, ProviderFailed
from clipstead.model import Link, MediaKind, Post
from clipstead.resolve.providers.tiktok_web import parse
from clipstead.resolve.tiktok import cdn, page

Shape = Callable[[str], dict[str, Any]]
PageOf = Callable[..., bytes]

VIDEO = Link("tiktok", "https://www.tiktok.com/@_/video/7500000000000000001", "7500000000000000001")
PHOTO = Link("tiktok", "https://www.tiktok.com/@_/video/7500000000000000002", "7500000000000000002")


def variants(post: Post, kind: MediaKind) -> list[str]:
    return [media.variant for media in post.of_kind(kind)]


def test_a_video_page_gives_its_qualities_best_first(shape: Shape, post_page: PageOf) -> None:
    """Best first; a silent one behind all others, an unplayable one not at all, the watermark last."""
    post = parse(post_page(shape("tiktok/video.json")), VIDEO)
    assert variants(post, MediaKind.VIDEO) == [
        "hd",
        "adapt-lowest-1080-1",
        "sd",
        "normal-540-0",
        "adapt-1080-2",
        "wm",
    ]
    best, plain, marked = post.variant("hd"), post.variant("sd"), post.variant("wm")
    assert best is not None and plain is not None and marked is not None
    assert (best.width, best.height, best.codec, best.size, best.quality) == (1080, 1920, "hevc", 2100000, "hd")
    assert best.url.startswith("https://v16-webapp-prime.tiktok.com/video/tos/a/best/")
    assert (plain.codec, plain.size, plain.bitrate) == ("h264", 1700000, 900000)
    assert plain.mirrors == (plain.url.replace("v16-", "v19-"),)
    assert (marked.watermark, marked.quality, best.watermark) == (True, "wm", False)
    assert {media.expires_at for media in post.of_kind(MediaKind.VIDEO)} == {1900000001.0}
    assert all(media.headers == {"Referer": "https://www.tiktok.com/"} for media in post.media)


def test_words_and_counters_of_a_video_page(shape: Shape, post_page: PageOf) -> None:
    """Where `stats` overflows, `statsV2` counts."""
    post = parse(post_page(shape("tiktok/video.json")), VIDEO)
    assert post.link is VIDEO
    assert (post.title, post.region, post.language) == ("Two cats, one box #cats", "NZ", "en")
    assert (post.created_at, post.duration) == (1746230000, 15.0)
    assert post.stats.views == 3_000_000_000
    assert (post.stats.likes, post.stats.shares, post.stats.saves, post.stats.reposts) == (120, 7, 31, 2)
    assert (post.author.username, post.author.verified) == ("box.cats", True)
    assert json.loads(post.raw) == shape("tiktok/video.json")


def test_subtitles_are_numbered_by_language_and_end_when_they_say_so(shape: Shape, post_page: PageOf) -> None:
    post = parse(post_page(shape("tiktok/video.json")), VIDEO)
    first, second = post.of_kind(MediaKind.SUBTITLE)
    assert (first.variant, first.ext, first.quality, first.language) == ("sub-eng-us-1", "vtt", "asr", "eng-US")
    assert (second.variant, second.ext, second.quality) == ("sub-eng-us-2", "json", "lc")
    assert (first.expires_at, second.expires_at) == (1900000002.0, 1900000000.0)
    assert (first.size, second.size) == (640, 700)


def test_captions_of_the_newer_form_stand_in_for_subtitles(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    del raw["video"]["subtitleInfos"]
    caption = {
        "language": "fra-FR",
        "url": "https://v16m-webapp.tiktokcdn.com/a/caption/",
        "urlList": ["https://v16m-webapp.tiktokcdn.com/a/caption/", "https://www.tiktok.com/aweme/v1/play/?x=1"],
        "captionFormat": "webvtt",
        "expire": "1900000005",
    }
    raw["video"]["claInfo"] = {"captionInfos": [caption]}
    [subtitle] = parse(post_page(raw), VIDEO).of_kind(MediaKind.SUBTITLE)
    assert (subtitle.variant, subtitle.ext, subtitle.expires_at) == ("sub-fra-fr-1", "vtt", 1900000005.0)
    assert subtitle.mirrors == ()


def test_a_photo_page_gives_numbered_pictures_and_the_sound(shape: Shape, post_page: PageOf) -> None:
    """The numbers are TikTok's own: a picture without an address leaves its number free."""
    post = parse(post_page(shape("tiktok/photo.json")), PHOTO)
    assert variants(post, MediaKind.IMAGE) == ["image-1", "image-3"]
    assert [(media.width, media.height, media.ext) for media in post.of_kind(MediaKind.IMAGE)] == [
        (1080, 1350, "jpg"),
        (640, 800, "webp"),
    ]
    assert not post.of_kind(MediaKind.VIDEO)
    assert post.title == "Three boxes"
    [sound] = post.of_kind(MediaKind.AUDIO)
    assert (sound.ext, sound.codec, sound.duration) == ("m4a", "aac", 61.0)
    assert variants(post, MediaKind.COVER) == ["cover"]
    assert post.duration is None


def test_a_sound_in_the_place_of_a_photo_posts_video_is_a_sound(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/photo.json")
    raw["video"]["playAddr"] = "https://v16m.tiktokcdn.com/a/sound/?mime_type=audio_mpeg"
    raw["music"]["playUrl"] = ""
    post = parse(post_page(raw), PHOTO)
    [sound] = post.of_kind(MediaKind.AUDIO)
    assert (sound.url, sound.ext) == (raw["video"]["playAddr"], "mp3")
    assert not post.of_kind(MediaKind.VIDEO)


def test_addresses_on_tiktoks_own_site_are_used_only_where_there_are_no_others(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    own = "https://www.tiktok.com/aweme/v1/play/?file_id=plain"
    raw["video"] = {"playAddr": own, "width": 576, "height": 1024}
    [plain] = parse(post_page(raw), VIDEO).of_kind(MediaKind.VIDEO)
    assert (plain.variant, plain.url) == ("sd", own)


def test_without_a_plain_address_the_best_h264_stands_in_for_it(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    raw["video"]["playAddr"] = ""
    plain = parse(post_page(raw), VIDEO).variant("sd")
    assert plain is not None
    assert (plain.codec, plain.size) == ("h264", 1700000)


def test_a_gear_name_used_twice_still_gives_two_variants(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    twin = copy.deepcopy(raw["video"]["bitrateInfo"][0])
    twin["CodecType"], twin["Bitrate"] = "h265_hvc1", 5
    twin["PlayAddr"]["UrlKey"] = "v0_bytevc1_540p_5"
    raw["video"]["bitrateInfo"].append(twin)
    post = parse(post_page(raw), VIDEO)
    names = variants(post, MediaKind.VIDEO)
    assert len(set(names)) == len(names)
    assert {"normal-540-0", "normal-540-0-x2"} <= set(names)


def test_the_only_video_is_kept_even_if_nothing_plays_it(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    raw["video"]["playAddr"] = raw["video"]["downloadAddr"] = ""
    raw["video"]["bitrateInfo"] = [raw["video"]["bitrateInfo"][2]]
    [video] = parse(post_page(raw), VIDEO).of_kind(MediaKind.VIDEO)
    assert (video.variant, video.codec) == ("adapt-lowest-1440-2", "bytevc2")


def test_older_pages_give_the_plain_address_in_a_list(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    raw["video"]["playAddr"] = [{"src": "https://v16-webapp.tiktok.com/video/a/?expire=1900000001"}]
    plain = parse(post_page(raw), VIDEO).variant("sd")
    assert plain is not None
    assert plain.url == "https://v16-webapp.tiktok.com/video/a/?expire=1900000001"


def test_the_mobile_page_is_read_too(shape: Shape, post_page: PageOf, page_of: PageOf) -> None:
    raw = shape("tiktok/video.json")
    assert parse(post_page(raw, "webapp.reflow.video.detail"), VIDEO).id == VIDEO.post_id
    both = {
        "webapp.reflow.video.detail": {"statusCode": 0, "itemInfo": {"itemStruct": raw}},
        "webapp.video-detail": None,
    }
    assert parse(page_of(both), VIDEO).id == VIDEO.post_id


def test_the_legacy_page_is_read_too(shape: Shape) -> None:
    raw = shape("tiktok/video.json")
    raw.update(author="box.cats", nickname="Box & Cats", authorId="69", authorSecId="MS4")
    state = json.dumps({"ItemModule": {"1": {"id": "1"}, VIDEO.post_id: raw}})
    body = f'<html><script id="SIGI_STATE" type="application/json">{state}</script></html>'.encode()
    post = parse(body, VIDEO)
    assert (post.author.username, post.author.nickname, post.author.id) == ("box.cats", "Box & Cats", "69")
    assert post.variant("hd") is not None


def test_a_legacy_page_can_say_why_not() -> None:
    state = json.dumps({"VideoPage": {"statusCode": "10216", "statusMsg": ""}})
    body = f"<script id='sigi-persisted-data'>{state}</script>".encode()
    with pytest.raises(PostUnavailable) as caught:
        parse(body, VIDEO)
    assert caught.value.reason == "private"


@pytest.mark.parametrize(
    "opening",
    [
        '<script type="application/json" id="__UNIVERSAL_DATA_FOR_REHYDRATION__">',
        "<script id='__UNIVERSAL_DATA_FOR_REHYDRATION__' nonce='x' type='application/json'>",
        '<script nonce="a" async id=__UNIVERSAL_DATA_FOR_REHYDRATION__ type=application/json>',
        '<SCRIPT ID = "__UNIVERSAL_DATA_FOR_REHYDRATION__">',
        "<script>window.__UNIVERSAL_DATA_FOR_REHYDRATION__ = 1</script>"
        '<script\n id="__UNIVERSAL_DATA_FOR_REHYDRATION__"\n>',
    ],
)
def test_the_data_is_found_however_its_element_is_written(opening: str, shape: Shape, page_of: PageOf) -> None:
    scope = {"webapp.video-detail": {"statusCode": 0, "itemInfo": {"itemStruct": shape("tiktok/video.json")}}}
    assert parse(page_of(scope, opening=opening), VIDEO).id == VIDEO.post_id


def test_a_tag_within_the_data_does_not_end_it(shape: Shape) -> None:
    raw = shape("tiktok/video.json")
    raw["desc"] = "a <b>bold</b> cat"
    data = json.dumps({"__DEFAULT_SCOPE__": {"webapp.video-detail": {"itemInfo": {"itemStruct": raw}}}})
    body = f'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{data}</script>'.encode()
    assert parse(body, VIDEO).title == "a <b>bold</b> cat"


def test_details_that_stand_deeper_than_the_scope_are_not_taken_for_it(shape: Shape, page_of: PageOf) -> None:
    """The short way cuts the page's beginning off; here it would read another object's key."""
    detail = {"statusCode": 0, "itemInfo": {"itemStruct": shape("tiktok/video.json")}}
    other = {"inner": {"webapp.video-detail": {"statusCode": 10216}}}
    body = page_of({"webapp.video-detail": detail, "webapp.zzz": other})
    assert parse(body, VIDEO).id == VIDEO.post_id


def test_half_an_emoji_does_not_spoil_the_post(shape: Shape, post_page: PageOf) -> None:
    """TikTok cuts texts by UTF-16 units: what is left of the last emoji is no valid text, and becomes a mark."""
    body = post_page(shape("tiktok/video.json")).replace(b"Two cats", b"Two cats \\ud83d")
    post = parse(body, VIDEO)
    assert post.title == "Two cats \ufffd, one box #cats"
    post.title.encode()


def test_counters_may_be_text_or_nonsense(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    raw["statsV2"] = {
        "playCount": "12",
        "diggCount": None,
        "commentCount": [],
        "shareCount": "many",
        "collectCount": -3,
    }
    raw["stats"] = {"diggCount": 4.0, "commentCount": True, "shareCount": 10**30}
    stats = parse(post_page(raw), VIDEO).stats
    assert (stats.views, stats.likes, stats.comments, stats.shares, stats.saves) == (12, 4, None, None, None)


@pytest.mark.parametrize(
    ("flag", "reason"),
    [("isContentClassified", "age"), ("privateItem", "private"), ("secret", "private"), ("takeDown", "removed")],
)
def test_an_item_without_files_may_say_why(flag: str, reason: str, shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    del raw["video"]
    raw[flag] = True
    with pytest.raises(PostUnavailable) as caught:
        parse(post_page(raw), VIDEO)
    assert caught.value.reason == reason


def test_an_item_without_files_and_without_a_reason_is_nothing_final(shape: Shape, post_page: PageOf) -> None:
    raw = shape("tiktok/video.json")
    raw["video"] = {}
    with pytest.raises(ProviderFailed):
        parse(post_page(raw), VIDEO)


def test_another_post_than_the_one_asked_for_is_not_handed_out(shape: Shape, post_page: PageOf) -> None:
    with pytest.raises(ProviderFailed, match="another post"):
        parse(post_page(shape("tiktok/video.json")), PHOTO)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n ",
        b"<html><body>Access Denied<br>X-TT-System-Error: 3</body></html>",
        b"<html><title>Please wait...</title></html>",
        b"<html><div id='captcha_container'></div></html>",
        b"<html>nothing at all</html>",
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{"__DEFAULT_SCOPE__":{}}</script>',
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{"__DEFAULT_SCOPE__":{"webapp.video-detail":{}}}</script>',
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{}</script>',
        b'<script id="SIGI_STATE">{}</script>',
    ],
)
def test_pages_that_say_nothing_are_blocked(body: bytes) -> None:
    with pytest.raises(Blocked):
        parse(body, VIDEO)


@pytest.mark.parametrize(
    "body",
    [
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{"__DEFAULT_SCOPE__":{"webapp.video-detail":{"item',
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{"__DEFAULT_SCOPE__":[]}</script>',
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">{"__DEFAULT_SCOPE__":{"webapp.video-detail":[1]}}</script>',
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">nonsense</script>',
        b'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">' + b"[" * 100_000 + b"</script>",
        b'<script id="SIGI_STATE">[[[</script>',
        b'{"statusCode": 0, "itemInfo": {"itemStruct": 5}}',
        b'{"statusCode": 0, "itemInfo": {"itemStruct": "\xff"}}',
    ],
)
def test_broken_pages_are_a_providers_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailed):
        parse(body, VIDEO)


def test_many_false_marks_cost_no_more_than_reading_the_page() -> None:
    """Each mark is looked at in a window of its own; this would take minutes if the search were quadratic."""
    body = b"<script " * 100_000 + b"__UNIVERSAL_DATA_FOR_REHYDRATION__ " * 50_000
    with pytest.raises(Blocked):
        parse(body, VIDEO)


def test_a_page_without_details_names_its_posts_own_address(page_of: PageOf) -> None:
    body = page_of({"seo.abtest": {"canonical": "https://www.tiktok.com/@box.cats/photo/7500000000000000001"}})
    assert page.canonical(body) == "https://www.tiktok.com/@box.cats/photo/7500000000000000001"
    assert page.canonical(page_of({"seo.abtest": {"canonical": 7}})) == ""
    assert page.canonical(b"<html>") == ""


@pytest.mark.parametrize(
    ("url", "ends"),
    [
        ("https://a.tiktokcdn.com/x.jpeg?dr=1&x-expires=1784354400&x-signature=s", 1784354400.0),
        ("https://a.tiktok.com/video/?a=1988&expire=1784355633&l=2", 1784355633.0),
        ("https://a.tiktokcdn.com/e948e79f9702cd0dbef4b2c0f08b42d7/6a58cc91/video/", 0x6A58CC91 * 1.0),
        ("https://a.tiktokcdn.com/e948e79f9702cd0dbef4b2c0f08b42d7/notahex1/video/", None),
        ("https://a.tiktokcdn.com/x.jpeg?x-expires=12&b=1", None),
        ("https://a.tiktokcdn.com/x.jpeg?x-expires=&b=1", None),
        ("https://a.akamaized.net/obj/6842547937583631110.mp3", None),
    ],
)
def test_an_address_tells_its_own_end(url: str, ends: float | None) -> None:
    assert cdn.expires_at(url) == ends

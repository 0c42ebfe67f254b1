"""An info dict becomes a Post: what can be fetched in one piece, best first, and nothing of the operator's."""

import copy
import random
from typing import Any

import orjson
import pytest

from clipstead.errors import PostUnavailable, ProviderFailed, UnsupportedLink
from clipstead.model import Link, MediaKind
from clipstead.resolve.ytdlp_post import parse

LINK = Link("youtube", "https://www.youtube.com/watch?v=abc", "abc")
TIKTOK = Link("tiktok", "https://www.tiktok.com/@_/video/7106594312292453675", "7106594312292453675")

HEADERS = {"User-Agent": "UA", "Accept": "text/html", "Referer": "https://www.youtube.com/", "Cookie": "no=1"}
INFO: dict[str, Any] = {
    "_type": "video",
    "id": "abc",
    "title": "A title",
    "description": "A longer text",
    "uploader": "The Uploader",
    "uploader_id": "@uploader",
    "channel": "The Channel",
    "channel_id": "UC123",
    "timestamp": 1_600_000_000,
    "duration": 12.5,
    "view_count": 1000,
    "like_count": "20",
    "comment_count": 3,
    "repost_count": 4,
    "language": "en",
    "track": "Song",
    "artists": ["One", "Two"],
    "album": "Album",
    "thumbnails": [
        {"url": "https://i.ytimg.com/s.jpg", "width": 120, "height": 90},
        {"url": "https://i.ytimg.com/m.webp", "width": 480, "height": 360},
        {"url": "https://i.ytimg.com/l.jpeg?x=1", "width": 1280, "height": 720},
        {"url": "https://i.ytimg.com/xl.png", "width": 1920, "height": 1080},
    ],
    "subtitles": {
        "en": [
            {"url": "https://s.example/en.json3", "ext": "json3"},
            {"url": "https://s.example/en.vtt", "ext": "vtt"},
        ],
        "de": [{"url": "https://s.example/de.m3u8", "ext": "vtt", "protocol": "m3u8_native"}],
        "live_chat": [{"url": "https://s.example/chat", "ext": "json"}],
        "fr": [{"data": "inline", "ext": "srt"}],
    },
    "formats": [
        {"format_id": "sb0", "url": "https://s.example/sb", "ext": "mhtml", "protocol": "mhtml", "vcodec": "none"},
        {
            "format_id": "140",
            "url": "https://r.example/a?expire=1784354400",
            "ext": "m4a",
            "protocol": "https",
            "vcodec": "none",
            "acodec": "mp4a.40.2",
            "abr": 128,
            "filesize": 2000,
        },
        {"format_id": "hls", "url": "https://r.example/x.m3u8", "ext": "mp4", "protocol": "m3u8_native"},
        {
            "format_id": "18",
            "url": "https://r.example/v18",
            "ext": "mp4",
            "protocol": "https",
            "vcodec": "avc1.42001E",
            "acodec": "mp4a.40.2",
            "width": 640,
            "height": 360,
            "tbr": 500.5,
            "filesize": 3000,
            "filesize_approx": 9999,
            "http_headers": HEADERS,
            "cookies": 'sid="a\\"b"; Domain=.example; Path=/; Secure; Expires=4102444800; two=2; Domain=.example',
        },
        {
            "format_id": "dash",
            "url": "https://r.example/d",
            "ext": "mp4",
            "protocol": "http_dash_segments",
            "vcodec": "vp9",
            "fragments": [{"url": "x"}],
        },
        {
            "format_id": "137",
            "url": "https://r.example/v137",
            "ext": "mp4",
            "protocol": "https",
            "vcodec": "av01.0.08M.08",
            "acodec": "none",
            "width": 1920,
            "height": 1080,
        },
        {
            "format_id": "22",
            "url": "https://r.example/v22",
            "ext": "mp4",
            "protocol": "https",
            "vcodec": "hev1.1.6",
            "acodec": "mp4a.40.2",
            "width": 720,
            "height": 1280,
        },
    ],
}


def changed(**keys: Any) -> dict[str, Any]:
    return {**copy.deepcopy(INFO), **keys}


def test_what_is_told_arrives() -> None:
    post = parse(INFO, LINK)
    assert (post.id, post.title, post.created_at, post.duration) == ("abc", "A title", 1_600_000_000, 12.5)
    assert (post.author.id, post.author.username, post.author.nickname) == ("UC123", "uploader", "The Channel")
    assert (post.stats.views, post.stats.likes, post.stats.comments, post.stats.reposts) == (1000, 20, 3, 4)
    assert post.music is not None and (post.music.title, post.music.author) == ("Song", "One, Two")
    assert post.language == "en"


def test_the_best_comes_first_files_before_streams_and_without_sound_last() -> None:
    post = parse(INFO, LINK)
    videos = [(media.variant, media.codec, media.quality) for media in post.of_kind(MediaKind.VIDEO)]
    assert videos == [
        ("yt-22", "hevc", "720p"),
        ("yt-18", "h264", "360p"),
        ("yt-137", "av1", "1080p video only"),
        ("yt-hls", None, ""),
    ]
    (audio,) = post.of_kind(MediaKind.AUDIO)
    assert (audio.variant, audio.codec, audio.ext, audio.size, audio.bitrate) == ("yt-140", "aac", "m4a", 2000, 128_000)
    assert audio.expires_at == 1_784_354_400
    media = post.variant("yt-18")
    assert media is not None and (media.size, media.bitrate, media.width, media.duration) == (3000, 500_500, 640, 12.5)


def test_a_guessed_size_is_no_size() -> None:
    info = changed()
    del info["formats"][3]["filesize"]
    media = parse(info, LINK).variant("yt-18")
    assert media is not None and media.size is None


def test_headers_and_cookies_of_a_file_come_along_without_the_habits_of_a_browser() -> None:
    media = parse(INFO, LINK).variant("yt-18")
    assert media is not None
    assert dict(media.headers) == {"User-Agent": "UA", "Referer": "https://www.youtube.com/"}
    assert dict(media.cookies) == {"sid": 'a"b', "two": "2"}


def test_what_does_not_fit_a_header_is_left_out() -> None:
    info = changed()
    info["formats"][3]["http_headers"] = {"X-A": "1\r\nX-Evil: 1", "X-Ü": "1", "X-B": "ü", "X-C": "ok"}
    info["formats"][3]["cookies"] = "a=x\x01y; b=ok"
    media = parse(info, LINK).variant("yt-18")
    assert media is not None and dict(media.headers) == {"X-C": "ok"}
    assert dict(media.cookies) == {"b": "ok"}


def test_raw_is_the_info_dict_without_cookies() -> None:
    raw = orjson.loads(parse(INFO, LINK).raw)
    assert raw["formats"][3]["format_id"] == "18"
    assert "cookies" not in raw["formats"][3] and b"sid" not in parse(INFO, LINK).raw


def test_covers_are_the_best_three() -> None:
    covers = parse(INFO, LINK).of_kind(MediaKind.COVER)
    assert [(media.variant, media.ext, media.width) for media in covers] == [
        ("cover", "png", 1920),
        ("cover-2", "jpg", 1280),
        ("cover-3", "webp", 480),
    ]


def test_subtitles_are_those_with_an_address_of_their_own() -> None:
    subtitles = parse(INFO, LINK).of_kind(MediaKind.SUBTITLE)
    assert [(media.variant, media.language, media.ext) for media in subtitles] == [
        ("sub-en-1", "en", "json3"),
        ("sub-en-2", "en", "vtt"),
    ]


def test_tiktoks_words_mean_what_they_mean_there() -> None:
    """The whole caption, shares instead of reposts, the handle; the watermarked file last; bytevc2 plays nowhere."""
    formats = [
        {"format_id": "bytevc2_540p", "url": "https://c.example/0", "ext": "mp4", "vcodec": "bytevc2"},
        {"format_id": "play", "url": "https://c.example/1", "ext": "mp4", "vcodec": "h264", "acodec": "aac"},
        {"format_id": "download", "url": "https://c.example/2", "ext": "mp4", "format_note": "watermarked"},
    ]
    info = changed(formats=formats, uploader="handle", uploader_id="42", channel="Nick", channel_id="MS4")
    post = parse(info, TIKTOK)
    assert (post.title, post.stats.shares, post.stats.reposts) == ("A longer text", 4, None)
    assert (post.author.id, post.author.username, post.author.nickname, post.author.sec_uid) == (
        "42",
        "handle",
        "Nick",
        "MS4",
    )
    videos = [(media.variant, media.watermark, media.quality) for media in post.of_kind(MediaKind.VIDEO)]
    assert videos == [("yt-play", False, ""), ("yt-download", True, "wm")]


def test_the_sound_of_a_photo_post_is_not_the_post() -> None:
    with pytest.raises(ProviderFailed, match="photo"):
        parse(changed(formats=[INFO["formats"][1]]), TIKTOK)


def test_a_post_of_several_files_brings_them_all() -> None:
    entries = [changed(id=f"e{n}", thumbnails=[], formats=[INFO["formats"][3]]) for n in (1, 2)]
    info: dict[str, Any] = {"_type": "playlist", "id": "p", "title": "Both", "entries": entries}
    post = parse(info, Link("instagram", "https://www.instagram.com/p/x/"))
    assert [media.variant for media in post.of_kind(MediaKind.VIDEO)] == ["yt-1-18", "yt-2-18"]
    assert (post.id, post.title, post.author.username) == ("p", "Both", "uploader")


def test_pictures_are_images() -> None:
    formats = [{"format_id": "0", "url": "https://i.example/1.jpg", "ext": "jpg", "vcodec": "none", "acodec": "none"}]
    (image,) = parse(changed(formats=formats), LINK).of_kind(MediaKind.IMAGE)
    assert image.ext == "jpg"


def test_a_single_address_without_formats_is_a_file() -> None:
    info: dict[str, Any] = {
        "_type": "video",
        "id": "1",
        "url": "https://x.example/film.mp4",
        "ext": "mp4",
        "format_id": "0",
    }
    assert [media.variant for media in parse(info, LINK).media] == ["yt-0"]


def test_a_list_of_posts_is_not_a_post() -> None:
    with pytest.raises(UnsupportedLink):
        parse({"_type": "playlist", "entries": [{"_type": "url", "url": "https://youtu.be/x"}]}, LINK)


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({}, "no files"),
        ({"_type": "playlist", "entries": []}, "no files"),
        (changed(formats=[]), "no files"),
        (changed(formats=[{"url": "file:///etc/passwd", "ext": "mp4"}]), "no files"),
        (changed(formats=[{"url": "https://x.example/a", "protocol": "ism"}]), "cannot be kept"),
        (changed(formats=[INFO["formats"][4]]), "cannot be kept"),
    ],
)
def test_nothing_to_fetch_is_said_so(info: dict[str, Any], words: str) -> None:
    with pytest.raises(ProviderFailed, match=words):
        parse(info, LINK)


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (changed(formats=[INFO["formats"][2], INFO["formats"][4]], is_live=True), "a live stream"),
        (changed(formats=[{**INFO["formats"][4], "is_live": True, "packed_playlist": "eA=="}]), "a live stream"),
        (changed(formats=[INFO["formats"][2]], live_status="is_upcoming"), "a live stream"),
        (changed(formats=[{"url": "https://x.example/a", "has_drm": True}]), "DRM"),
        (changed(formats=[INFO["formats"][4]], _has_drm=True), "DRM"),  # yt-dlp has taken the protected ones out
    ],
)
def test_what_nobody_may_or_can_keep_is_no_fault_of_yt_dlps(info: dict[str, Any], words: str) -> None:
    """So that it does not rest because of those who ask."""
    with pytest.raises(UnsupportedLink, match=words):
        parse(info, LINK)


def test_two_formats_of_one_name_are_one_variant() -> None:
    """The better one: a variant names one file."""
    formats = [{**INFO["formats"][3], "url": f"https://r.example/{n}"} for n in (1, 2)]
    videos = parse(changed(formats=formats), LINK).of_kind(MediaKind.VIDEO)
    assert [(media.variant, media.url) for media in videos] == [("yt-18", "https://r.example/2")]


def test_mangled_info_dicts_never_crash() -> None:
    """Any value gone, null or of another type: a Post or a typed error."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    odd: list[Any] = [None, "", "x", "none", "https://x", -1, 10**30, 1.5, True]
    odd += [float("inf"), float("nan"), [], {}, [[]], {"a": {}}]
    entries = [changed(id=str(n)) for n in (1, 2)]
    shapes = [INFO, {"_type": "playlist", "id": "p", "entries": entries}]
    for _ in range(3000):
        info = copy.deepcopy(dice.choice(shapes))
        for _ in range(dice.randrange(1, 6)):
            _mangle(info, dice, odd)
        try:
            post = parse(info, dice.choice([LINK, TIKTOK]))
        except (ProviderFailed, UnsupportedLink, PostUnavailable):
            continue
        assert isinstance(post.title, str) and all(isinstance(media.url, str) for media in post.media)
        hash((post.id, post.media[0].variant, post.created_at, post.duration, post.media[0].size))


def _mangle(value: Any, dice: random.Random, odd: list[Any]) -> None:
    while isinstance(value, dict | list) and value:
        key = dice.choice(list(value)) if isinstance(value, dict) else dice.randrange(len(value))
        if not isinstance(value[key], dict | list) or dice.random() < 0.3:
            value[key] = copy.deepcopy(dice.choice(odd))
            return
        value = value[key]

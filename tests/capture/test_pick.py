"""Post and wish -> the files to fetch; and the list of formats whose ids lead to them."""

from __future__ import annotations

from typing import Any

import pytest

from clipstead.capture import Ask, formats, pick
from clipstead.capture.choose import Want
from clipstead.capture.pick import check_quality
from clipstead.errors import InvalidParams
from clipstead.model import Link, Media, MediaKind, Post

VIDEO, AUDIO, IMAGE = MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.IMAGE


def _video(variant: str, lines: int | None, **told: Any) -> Media:
    size: dict[str, Any] = {} if lines is None else {"width": lines * 16 // 9, "height": lines}
    return Media(VIDEO, variant, f"https://cdn.test/{variant}", ext=told.pop("ext", "mp4"), **size, **told)


def _silent(variant: str, lines: int, codec: str, **told: Any) -> Media:
    return _video(variant, lines, codec=codec, quality=f"{lines}p video only", **told)


def _sound(variant: str, codec: str, rate: int, ext: str) -> Media:
    return Media(AUDIO, variant, f"https://cdn.test/{variant}", ext=ext, codec=codec, bitrate=rate)


def _post(*media: Media, platform: str = "youtube") -> Post:
    return Post("1", Link(platform, "https://x.test/1"), media=media, duration=10)


YOUTUBE = _post(
    _video("yt-18", 360, codec="h264", quality="360p", bitrate=500_000),
    _silent("yt-313", 2160, "vp9", ext="webm", bitrate=18_000_000, fps=30),
    _silent("yt-299", 1080, "h264", bitrate=4_000_000, fps=60),
    _silent("yt-137", 1080, "h264", bitrate=3_000_000, fps=30),
    _silent("yt-248", 1080, "vp9", ext="webm", bitrate=2_000_000, fps=30),
    _sound("yt-251", "opus", 130_000, "webm"),
    _sound("yt-140", "aac", 128_000, "m4a"),
)
TIKTOK = _post(
    _video("hd", 1080, codec="hevc", quality="hd", size=900),
    _video("sd", 720, codec="h264", quality="sd", size=500),
    _video("low", 540, codec="h264", quality="540p", size=200),
    _video("wm", None, quality="wm", watermark=True),
    _sound("sound", "mp3", 0, "mp3"),
    platform="tiktok",
)
PHOTOS = _post(
    *(Media(IMAGE, f"image-{n}", f"https://cdn.test/{n}", ext="jpg") for n in (1, 2)),
    _sound("sound", "mp3", 0, "mp3"),
    platform="tiktok",
)


def _names(want: Want | None) -> list[str]:
    return [] if want is None else [media.variant for media in want.candidates]


@pytest.mark.parametrize(
    ("ask", "picture", "sound"),
    [
        (Ask(), "yt-313", "yt-251"),
        (Ask(container="webm"), "yt-313", "yt-251"),
        (Ask(container="mp4"), "yt-299", "yt-140"),
        (Ask(container="mkv"), "yt-313", "yt-251"),
        (Ask(quality="1080p"), "yt-299", "yt-140"),
        (Ask(quality="720p"), "yt-18", None),
        (Ask(quality="144p"), "yt-18", None),
        (Ask(quality="lowest"), "yt-18", None),
        (Ask(format_id="137"), "yt-137", "yt-140"),
        (Ask(format_id="yt-248"), "yt-248", "yt-251"),
        (Ask(format_id="yt-18"), "yt-18", None),
        (Ask(format_id="yt-140"), None, "yt-140"),
        (Ask(format_id="137", container="mp3"), None, "yt-251"),
        (Ask(container="mp3"), None, "yt-251"),
        (Ask(container="m4a"), None, "yt-140"),
        (Ask(container="ogg"), None, "yt-251"),
    ],
)
def test_picture_and_sound_of_two_files(ask: Ask, picture: str | None, sound: str | None) -> None:
    """The best that fits the file asked for, within the lines asked for, with the sound that fits beside it."""
    picked = pick(YOUTUBE, ask)
    assert picked is not None
    assert _names(picked.picture)[:1] == ([picture] if picture else [])
    assert _names(picked.sound)[:1] == ([sound] if sound else [])
    if picked.picture:
        assert picked.picture.silent is (sound is not None)


@pytest.mark.parametrize(
    ("ask", "first"),
    [
        (Ask(), "hd"),
        (Ask(quality="720p"), "sd"),
        (Ask(quality="sd"), "sd"),
        (Ask(quality="hd"), "hd"),
        (Ask(quality="worst"), "low"),
        (Ask(watermark=True), "wm"),
        (Ask(format_id="wm"), "wm"),
        (Ask(container="mp3"), "low"),
        (Ask(container="webm"), "hd"),
    ],
)
def test_tiktok(ask: Ask, first: str) -> None:
    """Its videos bring their sound; for the sound alone the smallest of them will do."""
    picked = pick(TIKTOK, ask)
    assert picked is not None
    assert _names(picked.picture)[0] == first
    assert picked.sound is None


def test_others_stand_by_only_where_none_was_named() -> None:
    """A named format is that one or nothing."""
    every, one = pick(TIKTOK, Ask()), pick(TIKTOK, Ask(format_id="sd"))
    assert every is not None
    assert one is not None
    assert _names(every.picture) == ["hd", "sd", "low", "wm"]
    assert _names(one.picture) == ["sd"]


def test_photos() -> None:
    """All with their sound, one alone, or the sound alone."""
    show, one, sound = (pick(PHOTOS, ask) for ask in (Ask(), Ask(format_id="image-2"), Ask(container="m4a")))
    assert show is not None
    assert one is not None
    assert sound is not None
    assert [_names(want) for want in show.photos] == [["image-1"], ["image-2"]]
    assert show.sound is not None
    assert show.sound.extra
    assert pick(PHOTOS, Ask(format_id="slideshow")) == show
    assert ([_names(want) for want in one.photos], one.sound) == ([["image-2"]], None)
    assert (sound.photos, _names(sound.sound)) == ((), ["sound"])


def test_what_is_not_there() -> None:
    """An unknown id is the caller's fault; a post without the kind has nothing."""
    with pytest.raises(InvalidParams, match="formatId must be the id of one of the formats"):
        pick(TIKTOK, Ask(format_id="137"))
    with pytest.raises(InvalidParams):
        pick(_post(Media(MediaKind.COVER, "cover", "https://cdn.test/c")), Ask(format_id="cover"))
    assert pick(_post(), Ask()) is None
    assert pick(_post(_silent("v", 720, "h264")), Ask(container="mp3")) is None
    assert pick(_post(_video("v", 720, codec="bytevc2")), Ask()) is None


def test_a_sound_without_picture_is_what_there_is() -> None:
    """A podcast."""
    picked = pick(_post(_sound("a", "mp3", 1, "mp3")), Ask(container="mp4"))
    assert picked is not None
    assert _names(picked.sound) == ["a"]


def test_files_before_streams_of_the_same_lines() -> None:
    """A stream is taken where it is better, or alone."""
    stream = _video("hls", 720, quality="720p", segmented=True, ext="mp4")
    small, same = _video("f360", 360, quality="360p"), _video("f720", 720, quality="720p")
    for post, first in ((_post(stream, small), "hls"), (_post(stream, same), "f720"), (_post(stream), "hls")):
        picked = pick(post, Ask())
        assert picked is not None
        assert _names(picked.picture)[0] == first


@pytest.mark.parametrize("post", [YOUTUBE, TIKTOK, PHOTOS])
def test_every_format_listed_leads_somewhere(post: Post) -> None:
    """Each id is one that `pick` takes; labels are as the contract writes them."""
    for each in formats(post):
        picked = pick(post, Ask(format_id=each.id))
        assert picked is not None
        assert each.label.endswith(f"({each.ext})")
        assert check_quality(each.quality) == each.quality


def test_formats_of_two_files() -> None:
    """Best first, each with the figures that are told; a size is guessed from the rate where it must be."""
    listed = formats(YOUTUBE)
    assert [each.label for each in listed] == [
        "2160p (webm)",
        "1080p (mp4)",
        "1080p (mp4)",
        "1080p (webm)",
        "360p (mp4)",
        "130kbps (webm)",
        "128kbps (m4a)",
    ]
    assert (listed[0].resolution, listed[0].fps, listed[0].filesize) == ("3840x2160", 30, 22_500_000)


def test_formats_of_photos() -> None:
    """The slideshow first, then each photo, then the sound."""
    assert [each.id for each in formats(PHOTOS)] == ["slideshow", "image-1", "image-2", "sound"]


@pytest.mark.parametrize("word", ["", "best", "1080p", "1080", "720p60", "Highest", "96kbps", "worst"])
def test_qualities_that_are_ones(word: str) -> None:
    """As clients write them."""
    assert check_quality(word) == word


@pytest.mark.parametrize("word", ["ultra", "p", "1080pp", "-1p", "１０８０p", "1080p;rm", "x" * 100])
def test_qualities_that_are_none(word: str) -> None:
    """Named as wrong."""
    with pytest.raises(InvalidParams, match="quality must be like 1080p"):
        check_quality(word)

"""Which variants are tried, and in which order, is a pure matter of the post and the wish."""

from dataclasses import replace

import pytest

from clipstead.capture import Wanted, choose
from clipstead.model import Media, MediaKind, Post

from .conftest import LINK, post, video

SD = video("http://a/sd", "sd", width=576, height=1024, bitrate=900_000, codec="h264")
HD = video("http://a/1080", "hd", width=1080, height=1920, bitrate=2_000_000, codec="hevc")
FULL = replace(HD, variant="adapt-1080-0")
MIDDLE = video("http://a/720", "normal-720-0", width=720, height=1280, bitrate=1_500_000)
LEAN = replace(MIDDLE, variant="lower-720-0", url="http://a/720l", bitrate=700_000)
MARKED = video("http://a/wm", "wm", width=1080, height=1920, watermark=True)
ODD = video("http://a/bv2", "bv2", width=2160, height=3840, codec="bytevc2")
SOUND = Media(MediaKind.AUDIO, "sound", "http://a/s", ext="mp3")


def order(wanted: Wanted, *media: Media) -> list[str]:
    """The variants of the only want, as they would be tried."""
    (want,) = choose(post(*media), wanted)
    return [candidate.variant for candidate in want.candidates]


def test_best_is_the_most_lines_then_the_most_bits_and_the_mark_comes_last() -> None:
    assert order(Wanted(), MARKED, SD, LEAN, MIDDLE, HD) == ["hd", "normal-720-0", "lower-720-0", "sd", "wm"]


def test_an_alias_of_the_same_address_is_tried_once() -> None:
    assert order(Wanted(), HD, FULL, SD) == ["hd", "sd"]


def test_sd_and_hd_are_tried_by_name_first() -> None:
    assert order(Wanted(quality="sd"), HD, MIDDLE, SD) == ["sd", "hd", "normal-720-0"]
    higher = video("http://a/4k", "adapt-2160-0", width=2160, height=3840)
    assert order(Wanted(quality="hd"), higher, HD, SD) == ["hd", "adapt-2160-0", "sd"]
    assert order(Wanted(), higher, HD, SD) == ["adapt-2160-0", "hd", "sd"]


def test_the_mark_comes_first_where_it_is_wanted() -> None:
    assert order(Wanted(watermark=True), HD, SD, MARKED) == ["wm", "hd", "sd"]


def test_without_figures_the_order_of_the_post_and_the_names_stand() -> None:
    hd, sd, marked = (video(f"http://a/{name}", name, watermark=name == "wm") for name in ("hd", "sd", "wm"))
    assert order(Wanted(), hd, sd, marked) == ["hd", "sd", "wm"]
    assert order(Wanted(), marked, sd, hd) == ["hd", "sd", "wm"]


def test_lines_told_by_name_count() -> None:
    known = [video(f"http://a/{lines}", f"yt-{lines}", quality=f"{lines}p") for lines in (360, 1080, 720)]
    assert order(Wanted(), *known) == ["yt-1080", "yt-720", "yt-360"]


def test_what_nothing_plays_is_never_tried() -> None:
    assert order(Wanted(), ODD, SD) == ["sd"]
    assert choose(post(ODD), Wanted()) == []


@pytest.mark.parametrize("bent", [{"ext": "m3u8"}, {"url": "http://a/x.m3u8?t=1"}, {"url": "http://a/x.MPD"}])
def test_streams_that_one_request_cannot_fetch_are_passed_over(bent: dict[str, str]) -> None:
    assert order(Wanted(), replace(HD, **bent), SD) == ["sd"]  # type: ignore[arg-type]


def test_tiktoks_own_site_is_asked_only_for_want_of_others() -> None:
    own = "https://www.tiktok.com/aweme/v1/play/?id=1"
    (want,) = choose(post(replace(HD, url=own, mirrors=("http://b/1", own)), replace(SD, url=own)), Wanted())
    assert [(media.variant, media.url, media.mirrors) for media in want.candidates] == [("hd", "http://b/1", ())]
    (want,) = choose(post(replace(HD, url=own)), Wanted())
    assert want.candidates[0].url == own


def test_malformed_addresses_are_left_to_the_guard() -> None:
    assert order(Wanted(), replace(HD, url="http://[bad"), SD) == ["hd", "sd"]


IMAGES = tuple(Media(MediaKind.IMAGE, f"image-{n}", f"http://a/{n}") for n in (1, 2, 3))


def test_a_photo_post_is_all_its_images_and_its_sound() -> None:
    wants = choose(post(*IMAGES, SOUND, SD), Wanted())
    assert [(want.candidates[0].variant, want.extra) for want in wants] == [
        ("image-1", False),
        ("image-2", False),
        ("image-3", False),
        ("sound", True),
    ]
    assert len(choose(post(*IMAGES, SOUND), Wanted(sound_with_photos=False))) == 3


def test_the_sound_alone() -> None:
    (want,) = choose(post(HD, SOUND), Wanted(audio_only=True))
    assert want.candidates == (SOUND,) and not want.extra
    assert choose(post(HD), Wanted(audio_only=True)) == []


def test_covers_and_subtitles_come_besides() -> None:
    covers = [Media(MediaKind.COVER, name, f"http://a/{name}") for name in ("avatar", "dynamic", "cover", "origin")]
    subtitles = [
        Media(MediaKind.SUBTITLE, f"sub-{language}-{n}", f"http://a/{language}{n}", language=language)
        for language, n in (("en", 1), ("en", 2), ("ja", 1))
    ]
    wants = choose(post(HD, *covers, *subtitles), Wanted(cover=True, subtitles=True))
    assert [[media.variant for media in want.candidates] for want in wants] == [
        ["hd"],
        ["cover", "origin", "dynamic"],
        ["sub-en-1", "sub-en-2"],
        ["sub-ja-1"],
    ]
    assert [want.extra for want in wants] == [False, True, True, True]
    assert len(choose(post(HD, *covers, *subtitles), Wanted())) == 1


def test_an_empty_post_wants_nothing() -> None:
    assert choose(Post("1", LINK), Wanted(cover=True, subtitles=True)) == []

"""A resolved post becomes good files under their right names."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from clipstead.capture import Wanted
from clipstead.errors import BadMedia, DownloadFailed, StorageError
from clipstead.model import Media, MediaKind

from .conftest import Desk, Studio, body, post, stall, status, video


def image(studio: Studio, number: int, name: str) -> Media:
    return Media(MediaKind.IMAGE, f"image-{number}", studio.cdn.url(name), ext="jpg")


def sound(studio: Studio, name: str = "sound.mp3") -> Media:
    return Media(MediaKind.AUDIO, "sound", studio.cdn.url(name), ext="mp3", duration=4.0)


async def test_a_video_lands_whole_under_its_name(studio: Studio) -> None:
    hd, sd = video(studio.cdn.url("video.mp4")), video(studio.cdn.url("small.mp4"), "sd")
    (captured,) = await studio.take(hd, sd)
    assert captured.path == studio.folder / "hd.mp4"
    assert captured.path.read_bytes() == studio.cdn.files["video.mp4"]
    assert (captured.media, captured.bytes, captured.sha256) == (hd, len(studio.cdn.files["video.mp4"]), "")
    assert (captured.probe.video, captured.probe.audio, captured.probe.height) == ("h264", "aac", 320)
    assert studio.names() == ["hd.mp4"] and studio.cdn.asked == ["video.mp4"]


async def test_the_hash_is_there_when_it_was_asked_for(studio: Studio) -> None:
    (captured,) = await studio.take(video(studio.cdn.url("video.mp4")), hashing=True)
    assert captured.sha256 == hashlib.sha256(studio.cdn.files["video.mp4"]).hexdigest()


async def test_headers_and_cookies_of_the_media_are_sent(studio: Studio) -> None:
    await studio.take(video(studio.cdn.url("video.mp4"), cookies={"tt_chain_token": "a=="}))
    assert studio.cdn.cookies == ["tt_chain_token=a=="]


async def test_progress_tells_how_far_which_file_is(studio: Studio) -> None:
    await studio.take(video(studio.cdn.url("video.mp4")))
    size = len(studio.cdn.files["video.mp4"])
    assert studio.told[-1] == ("hd", size, size)


async def test_photos_come_in_order_with_the_endings_their_content_has(studio: Studio) -> None:
    """All three claim to be JPEGs; two are not."""
    images = [image(studio, n, name) for n, name in enumerate(("one.jpg", "two.png", "three.webp"), 1)]
    captured = await studio.take(*images, sound(studio, "sound.m4a"))
    assert [item.path.name for item in captured] == ["image-1.jpg", "image-2.png", "image-3.webp", "sound.m4a"]
    assert studio.names() == ["image-1.jpg", "image-2.png", "image-3.webp", "sound.m4a"]


async def test_many_images_come_a_few_at_a_time(studio: Studio) -> None:
    await studio.take(*(image(studio, n, "one.jpg") for n in range(1, 30)), at_once=3)
    assert len(studio.names()) == 29
    assert 1 < studio.cdn.most <= 3


async def test_cover_and_subtitles_come_besides(studio: Studio) -> None:
    cover = Media(MediaKind.COVER, "cover", studio.cdn.url("one.jpg"), ext="jpg")
    subtitle = Media(MediaKind.SUBTITLE, "sub-en-1", studio.cdn.url("sub.vtt"), ext="vtt", language="en")
    main = video(studio.cdn.url("video.mp4"))
    captured = await studio.take(main, cover, subtitle, wanted=Wanted(cover=True, subtitles=True))
    assert [item.path.name for item in captured] == ["hd.mp4", "cover.jpg", "sub-en-1.vtt"]


async def test_creator_captions_are_json_and_json_is_no_cover(studio: Studio) -> None:
    studio.cdn.files["c.json"] = b'{"utterances": []}'
    main = video(studio.cdn.url("video.mp4"))
    subtitle = Media(MediaKind.SUBTITLE, "sub-en-1", studio.cdn.url("c.json"), ext="vtt", language="en")
    captured = await studio.take(main, subtitle, wanted=Wanted(subtitles=True))
    assert captured[1].path.name == "sub-en-1.json"
    cover = Media(MediaKind.COVER, "cover", studio.cdn.url("c.json"), ext="jpg")
    with pytest.raises(DownloadFailed, match=r"text.*\(cover\)"):
        await studio.take(main, cover, wanted=Wanted(cover=True))


async def test_the_sound_alone(studio: Studio) -> None:
    (captured,) = await studio.take(video(studio.cdn.url("video.mp4")), sound(studio), wanted=Wanted(audio_only=True))
    assert captured.path.name == "sound.mp3" and studio.cdn.asked == ["sound.mp3"]


@pytest.mark.parametrize("wanted", [Wanted(audio_only=True), Wanted(), Wanted(cover=True)])
async def test_a_post_without_the_wanted_file_is_a_final_error(studio: Studio, wanted: Wanted) -> None:
    cover = Media(MediaKind.COVER, "cover", studio.cdn.url("one.jpg"))
    with pytest.raises(DownloadFailed, match="The post has no") as caught:
        await studio.take(cover, wanted=wanted)
    assert not caught.value.transient and not studio.cdn.asked


async def test_an_extra_that_cannot_be_had_is_told_and_left_out(studio: Studio) -> None:
    images = [image(studio, 1, "one.jpg"), image(studio, 2, "two.png")]
    dead = sound(studio, "nothing.mp3")
    missed: list[tuple[str, str]] = []
    captured = await studio.take(*images, dead, missed=lambda media, error: missed.append((media.variant, str(error))))
    assert [item.path.name for item in captured] == ["image-1.jpg", "image-2.png"]
    assert missed == [("sound", "No file could be had: v1.cdn.test answered 404 (sound)")]


async def test_without_anybody_to_tell_an_extra_fails_the_whole_and_no_file_is_left(studio: Studio) -> None:
    with pytest.raises(DownloadFailed, match="404"):
        await studio.take(image(studio, 1, "one.jpg"), sound(studio, "nothing.mp3"))
    assert studio.names() == []


async def test_a_main_file_that_cannot_be_had_fails_the_whole_and_no_file_is_left(studio: Studio) -> None:
    images = [image(studio, 1, "one.jpg"), image(studio, 2, "nothing.jpg"), image(studio, 3, "two.png")]
    with pytest.raises(DownloadFailed, match=r"404 \(image-2\)"):
        await studio.take(*images, missed=lambda *_: None)
    assert studio.names() == []


async def test_what_is_there_already_is_not_fetched_again(studio: Studio) -> None:
    there = studio.folder / "image-1.jpg"
    there.write_bytes(studio.cdn.files["one.jpg"])

    def skip(media: Media) -> Path | None:
        return there if media.variant == "image-1" else None

    captured = await studio.take(image(studio, 1, "one.jpg"), image(studio, 2, "two.png"), skip=skip)
    assert [(item.path.name, item.skipped) for item in captured] == [("image-1.jpg", True), ("image-2.png", False)]
    assert captured[0].bytes == len(studio.cdn.files["one.jpg"]) and captured[0].probe.width == 320
    assert studio.cdn.asked == ["two.png"]


async def test_what_is_there_but_damaged_is_said_and_kept(studio: Studio) -> None:
    there = studio.folder / "hd.mp4"
    there.write_bytes(studio.cdn.files["video.mp4"][:-500])
    with pytest.raises(BadMedia, match=r"hd\.mp4 is there already, but not good: truncated"):
        await studio.take(video(studio.cdn.url("video.mp4")), skip=lambda _: there)
    assert studio.names() == ["hd.mp4"] and not studio.cdn.asked


@pytest.mark.parametrize(
    ("name", "words"),
    [("long.mp4", "60 s long where 4 s were told"), ("sound.mp3", "an audio where a video should be")],
)
async def test_a_file_of_another_kind_or_length_is_not_taken_for_the_one_wanted(
    studio: Studio, name: str, words: str
) -> None:
    """Another post's file of that name, or the sound that was fetched before the video, is never "there already"."""
    there = studio.folder / f"hd.{name.partition('.')[2]}"
    there.write_bytes(studio.cdn.files[name])
    with pytest.raises(BadMedia, match=f"is there already, but not good: {words}"):
        await studio.take(video(studio.cdn.url("video.mp4")), skip=lambda _: there)
    assert not studio.cdn.asked


async def test_a_file_of_that_name_with_other_content_is_never_overwritten(studio: Studio) -> None:
    """And what the same capture had put in place before is taken back."""
    (studio.folder / "image-2.png").write_bytes(b"mine")
    with pytest.raises(StorageError, match=r"image-2\.png is there already, with other content") as caught:
        await studio.take(image(studio, 1, "one.jpg"), image(studio, 2, "two.png"))
    assert not caught.value.transient
    assert studio.names() == ["image-2.png"] and (studio.folder / "image-2.png").read_bytes() == b"mine"


async def test_two_captures_of_one_post_at_once_both_succeed(studio: Studio) -> None:
    both = await asyncio.gather(*(studio.take(video(studio.cdn.url("video.mp4"))) for _ in range(2)))
    assert both[0][0].path == both[1][0].path
    assert studio.names() == ["hd.mp4"]


async def test_ctrl_c_leaves_no_file(studio: Studio) -> None:
    studio.cdn.always["two.png"] = stall
    task = asyncio.create_task(studio.take(image(studio, 1, "one.jpg"), image(studio, 2, "two.png")))
    while not studio.names() or len(studio.cdn.asked) < 2:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert studio.names() == []


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_a_cancellation_at_any_moment_leaves_all_files_or_none(studio: Studio, steps: int) -> None:
    task = asyncio.create_task(studio.take(*(image(studio, n, "one.jpg") for n in (1, 2, 3))))
    for _ in range(steps):
        await asyncio.sleep(0.001)
    task.cancel()
    results = await asyncio.gather(task, return_exceptions=True)
    whole = ["image-1.jpg", "image-2.jpg", "image-3.jpg"]
    assert studio.names() == ([] if isinstance(results[0], BaseException) else whole)


async def test_missing_folders_are_made(studio: Studio) -> None:
    studio.folder = studio.folder / "ann" / "2026"
    (captured,) = await studio.take(video(studio.cdn.url("video.mp4")))
    assert captured.path.is_file()


@pytest.mark.parametrize("strict", [True, False])
async def test_a_told_size_is_insisted_on_only_when_strict(studio: Studio, strict: bool) -> None:
    off = video(studio.cdn.url("video.mp4"), size=12345)
    right = video(studio.cdn.url("small.mp4"), "sd", size=len(studio.cdn.files["small.mp4"]))
    (captured,) = await studio.take(off, right, strict=strict)
    assert captured.media.variant == ("sd" if strict else "hd")


async def test_a_desk_that_was_not_needed_is_not_asked(studio: Studio) -> None:
    desk = Desk(lambda: post(video(studio.cdn.url("video.mp4"))))
    await studio.take(desk=desk)
    assert desk.asked == []


async def test_reasons_are_told_without_addresses(studio: Studio) -> None:
    studio.cdn.always |= {"a": status(451), "b": body(b"\x7fELF" * 100), "c": body(b"<html>", "video/mp4")}
    files = [video(studio.cdn.url(name) + "&sig=secret", f"v{name}") for name in "abc"]
    with pytest.raises(DownloadFailed) as caught:
        await studio.take(*files)
    assert str(caught.value) == (
        "No file could be had: v1.cdn.test answered 451 (va); not a media file (vb); "
        "v1.cdn.test sent text where a media file should be (vc)"
    )
    assert not caught.value.transient

"""Every fault of a CDN is got round, or ends in its true reason with no file left; one test for each kind."""

import asyncio
import os
import resource
import signal

import pytest

from clipstead.errors import DownloadFailed, StorageError
from clipstead.model import Media, MediaKind, Post

from .conftest import (
    FAULTS,
    LINK,
    Desk,
    Fault,
    Studio,
    body,
    endless,
    redirect,
    reset,
    stall,
    status,
    video,
)

# Requests that two tries make; aiohttp itself repeats one that a closed connection swallowed.
TWICE = {False: (2,), True: (2, 3, 4)}
ONCE = pytest.mark.parametrize("fault", [fault for _, fault in FAULTS], ids=[name for name, _ in FAULTS])


@ONCE
async def test_one_passing_fault_is_tried_again(studio: Studio, fault: Fault) -> None:
    studio.cdn.faults["video.mp4"] = [fault]
    (captured,) = await studio.take(video(studio.cdn.url("video.mp4")))
    assert captured.path.read_bytes() == studio.cdn.files["video.mp4"]
    assert studio.cdn.asked == ["video.mp4"] * 2 and studio.names() == ["hd.mp4"]


@ONCE
async def test_a_fault_that_stays_is_got_round_by_a_mirror(studio: Studio, fault: Fault) -> None:
    studio.cdn.always["bad.mp4"] = fault
    studio.cdn.files["bad.mp4"] = studio.cdn.files["video.mp4"]
    media = video(studio.cdn.url("bad.mp4"), mirrors=(studio.cdn.url("video.mp4", "v2.cdn.test"),))
    (captured,) = await studio.take(media, attempts=2)
    assert captured.path.read_bytes() == studio.cdn.files["video.mp4"]
    assert studio.cdn.asked[-1] == "video.mp4" and studio.cdn.asked.count("bad.mp4") in TWICE[fault is reset]


@ONCE
async def test_a_fault_that_stays_is_got_round_by_another_variant(studio: Studio, fault: Fault) -> None:
    studio.cdn.always["bad.mp4"] = fault
    studio.cdn.files["bad.mp4"] = studio.cdn.files["video.mp4"]
    (captured,) = await studio.take(
        video(studio.cdn.url("bad.mp4")), video(studio.cdn.url("small.mp4"), "sd"), attempts=2
    )
    assert captured.media.variant == "sd" and studio.names() == ["sd.mp4"]


@ONCE
async def test_a_fault_without_end_is_told_and_leaves_nothing(studio: Studio, fault: Fault) -> None:
    studio.cdn.always["video.mp4"] = fault
    with pytest.raises(DownloadFailed, match="No file could be had") as caught:
        await studio.take(video(studio.cdn.url("video.mp4")), attempts=2)
    assert caught.value.transient and studio.names() == []
    assert len(studio.cdn.asked) in TWICE[fault is reset]


async def test_a_dead_cdn_does_not_cost_a_try_for_every_address_of_every_variant(studio: Studio) -> None:
    studio.cdn.always |= dict.fromkeys((f"v{n}.mp4" for n in range(60)), status(500))
    media = [
        video(studio.cdn.url(f"v{n}.mp4"), f"v{n}", mirrors=(studio.cdn.url(f"v{n + 1}.mp4"),)) for n in range(0, 60, 2)
    ]
    with pytest.raises(DownloadFailed):
        await studio.take(*media)
    assert len(studio.cdn.asked) == 12


async def test_a_long_wait_that_a_site_asks_for_is_cut_short(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    real = asyncio.sleep

    async def watched(seconds: float, *rest: object) -> None:
        waited.append(seconds)
        await real(0)

    studio.cdn.faults["video.mp4"] = [status(429, Retry_After="86400")]
    monkeypatch.setattr("clipstead.capture.hunt.asyncio.sleep", watched)
    await studio.take(video(studio.cdn.url("video.mp4")))
    assert max(waited) == 10.0


REFUSALS = {
    "HTML as video/mp4": (body(b"<!DOCTYPE html><html><body>Access denied</body></html>"), "text where a media file"),
    "JSON as video/mp4": (body(b'{"code": -1}'), "text where a media file"),
    "a text": (body(b"Forbidden"), r"not a media file \(text\)"),
    "garbage": (body(os.urandom(64).replace(b"<", b"x").replace(b"{", b"x") + b"\x00" * 5000), "not a media file"),
    "garbage that begins well": (body(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\x91" * 5000), "truncated"),
    "nothing": (body(b""), "0 bytes"),
    "a redirect loop": (redirect("/loop.mp4"), "redirect loop"),
    "an endless body": (endless, "larger than"),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_file_that_is_none_is_refused_with_its_reason(studio: Studio, kind: str) -> None:
    fault, reason = REFUSALS[kind]
    studio.cdn.always |= {"bad.mp4": fault, "loop.mp4": fault}
    with pytest.raises(DownloadFailed, match=reason):
        await studio.take(video(studio.cdn.url("bad.mp4")), max_bytes=1_000_000, attempts=2)
    assert studio.names() == []


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_file_that_is_none_is_got_round(studio: Studio, kind: str) -> None:
    studio.cdn.always |= {"bad.mp4": REFUSALS[kind][0], "loop.mp4": REFUSALS[kind][0]}
    (captured,) = await studio.take(
        video(studio.cdn.url("bad.mp4")), video(studio.cdn.url("small.mp4"), "sd"), max_bytes=1_000_000, attempts=2
    )
    assert captured.media.variant == "sd" and studio.names() == ["sd.mp4"]


async def test_what_cannot_pass_is_not_tried_again(studio: Studio) -> None:
    studio.cdn.always["bad.mp4"] = body(b"<html>")
    with pytest.raises(DownloadFailed):
        await studio.take(video(studio.cdn.url("bad.mp4")))
    assert studio.cdn.asked == ["bad.mp4"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("one.jpg", "an image where a video"), ("sound.mp3", "an audio where a video"), ("sub.vtt", "a subtitle where")],
)
async def test_a_good_file_of_the_wrong_type_is_refused(studio: Studio, name: str, reason: str) -> None:
    with pytest.raises(DownloadFailed, match=reason):
        await studio.take(video(studio.cdn.url(name)))
    assert studio.names() == []


async def test_a_video_is_no_image(studio: Studio) -> None:
    with pytest.raises(DownloadFailed, match="a video where an image"):
        await studio.take(Media(MediaKind.IMAGE, "image-1", studio.cdn.url("video.mp4")))


async def test_a_video_of_another_length_is_another_video(studio: Studio) -> None:
    with pytest.raises(DownloadFailed, match="60 s long where 4 s were told"):
        await studio.take(video(studio.cdn.url("long.mp4")))
    (captured,) = await studio.take(video(studio.cdn.url("long.mp4")), video(studio.cdn.url("video.mp4"), "sd"))
    assert captured.media.variant == "sd"


async def test_a_video_of_untold_length_is_taken_as_it_is(studio: Studio) -> None:
    desk = Desk(lambda: Post("1", LINK, media=(Media(MediaKind.VIDEO, "hd", studio.cdn.url("long.mp4")),)))
    assert len(await studio.take(desk=desk)) == 1


async def test_a_silent_variant_is_passed_over_for_one_with_sound(studio: Studio) -> None:
    silent, sounding = video(studio.cdn.url("silent.mp4")), video(studio.cdn.url("small.mp4"), "sd")
    (captured,) = await studio.take(silent, sounding)
    assert captured.media.variant == "sd" and studio.names() == ["sd.mp4"]


async def test_when_all_are_silent_the_best_is_kept(studio: Studio) -> None:
    studio.cdn.files["other.mp4"] = studio.cdn.files["silent.mp4"]
    media = video(studio.cdn.url("silent.mp4")), video(studio.cdn.url("other.mp4"), "sd")
    (captured,) = await studio.take(*media, video(studio.cdn.url("nothing.mp4"), "wm", watermark=True), sound=False)
    assert (captured.media.variant, captured.probe.audio) == ("hd", None)
    assert studio.names() == ["hd.mp4"]


async def test_a_full_disk_is_a_storage_error_and_leaves_nothing(studio: Studio) -> None:
    """A limit on file sizes stands in for the disk; nothing is tried again, for no other variant would fit either."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StorageError, match="Cannot write"):
            await studio.take(video(studio.cdn.url("video.mp4")), video(studio.cdn.url("small.mp4"), "sd"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert studio.names() == [] and studio.cdn.asked == ["video.mp4"]


async def test_a_folder_that_is_a_file_is_a_storage_error(studio: Studio) -> None:
    (studio.folder / "taken").write_bytes(b"")
    studio.folder = studio.folder / "taken"
    with pytest.raises(StorageError, match="Cannot write"):
        await studio.take(video(studio.cdn.url("video.mp4")))


async def test_a_caller_s_deadline_ends_it_at_once_and_leaves_nothing(studio: Studio) -> None:
    studio.cdn.always["video.mp4"] = stall
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await studio.take(video(studio.cdn.url("video.mp4")))
    assert studio.names() == []

"""Files as cameras, phones, browsers and old programs make them: each oddity comes out as a viewer would expect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from clipstead.media.inspect import inspect
from clipstead.media.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

Clip = Callable[[str], Path]


@pytest.mark.parametrize("ext", ["mp4", "mkv", "ts", "flv", "mpg", "avi", "wmv"])
async def test_a_trim_is_exact_to_the_frame(ext: str, clip: Clip, apply: Any, frames: Any) -> None:
    """The frames of 0.7 to 2.2 seconds, by the numbers they carry: the clock of the file says which these are."""
    source = clip(f"counted.{ext}")
    there = frames(source)
    with av.open(str(source)) as container:
        origin = (container.start_time or 0) / 1e6
    wanted = [n for time, n in zip(there.times, there.numbers, strict=True) if 0.7 <= time - origin < 2.2]
    done = await apply("trim-video", source, startTime=0.7, endTime=2.2)
    made = frames(done.path).numbers
    assert made[0] == wanted[0]
    assert abs(made[-1] - wanted[-1]) <= 1  # a frame on the very edge may fall on either side
    assert made == list(range(made[0], made[-1] + 1))


@pytest.mark.parametrize("ext", ["mp4", "ts"])
async def test_a_thumbnail_and_a_gif_begin_at_the_very_frame(ext: str, clip: Clip, apply: Any, frames: Any) -> None:
    source = clip(f"counted.{ext}")
    still = frames((await apply("thumbnail", source, timestamp=1.01, format="png")).path).middle[0]
    moving = frames((await apply("gif", source, startTime=1.01, duration=0.5)).path).middle[0]
    for value in (still, moving):
        assert round(value * 219 / 255 / 2) in (30, 31)


async def test_a_rotation_flag_is_honoured_and_lost_only_with_its_pixels_turned(
    clip: Clip, apply: Any, sandbox: Sandbox
) -> None:
    source = clip("rotated.mp4")
    assert (await inspect(sandbox, source)).need_picture().shown == (120, 160)
    copied = await apply("remove-audio", source)
    assert (await inspect(sandbox, copied.path)).need_picture().shown == (120, 160)
    for name, params in (("convert", {"outputFormat": "mkv"}), ("trim-video", {"startTime": 0, "endTime": 1})):
        picture = (await inspect(sandbox, (await apply(name, source, **params)).path)).need_picture()
        assert (picture.width, picture.height, picture.rotation) == (120, 160, 0)


@pytest.mark.parametrize(
    ("source", "size"), [("wide-pixels.mp4", (212, 120)), ("odd.mp4", (160, 120)), ("interlaced.mp4", (160, 120))]
)
async def test_shapes_become_ordinary(
    source: str, size: tuple[int, int], clip: Clip, apply: Any, sandbox: Sandbox
) -> None:
    """Pixels that are not square, odd sizes and 4:4:4, half pictures: square, even, 4:2:0 and whole."""
    done = await apply("rotate-video", clip(source), rotation=180)
    picture = (await inspect(sandbox, done.path)).need_picture()
    assert (picture.width, picture.height) == size
    assert (picture.sar, picture.pixel_format, picture.interlaced) == ((1, 1), "yuv420p", False)


@pytest.mark.parametrize("source", ["pq.mp4", "hlg.mkv"])
async def test_hdr_is_tone_mapped_when_it_is_encoded_and_kept_when_it_is_copied(
    source: str, clip: Clip, apply: Any, sandbox: Sandbox
) -> None:
    hdr = (await inspect(sandbox, clip(source))).need_picture().hdr
    assert hdr in ("pq", "hlg")
    copied = (await inspect(sandbox, (await apply("convert", clip(source), outputFormat="mp4")).path)).need_picture()
    assert (copied.hdr, copied.tag) == (hdr, "hvc1")
    encoded = (await inspect(sandbox, (await apply("resize-video", clip(source), width=80, height=60)).path)).picture
    assert encoded is not None
    assert (encoded.hdr, encoded.depth) == ("", 8)


async def test_ten_bits_and_full_range_become_what_plays_everywhere(clip: Clip, apply: Any, sandbox: Sandbox) -> None:
    for source, name, params in (
        ("ten-bit.mkv", "convert", {"outputFormat": "mp4"}),
        ("full-range.mp4", "rotate-video", {"rotation": 90}),
    ):
        picture = (await inspect(sandbox, (await apply(name, clip(source), **params)).path)).need_picture()
        assert picture.pixel_format == "yuv420p"


@pytest.mark.parametrize("source", ["alpha.mov", "alpha.webm"])
async def test_what_is_transparent_becomes_white(source: str, clip: Clip, apply: Any) -> None:
    """Half transparent red over white is pink, not the dark red that dropping alpha would give."""
    done = await apply("thumbnail", clip(source), format="png")
    with av.open(str(done.path)) as image:
        red, green, _ = bytes(next(image.decode(video=0)).reformat(format="rgb24").planes[0])[:3]
    assert red > 240
    assert 110 < green < 145


async def test_uneven_frames_keep_their_times(clip: Clip, apply: Any, frames: Any) -> None:
    source = clip("uneven.mp4")
    before, after = frames(source).times, frames((await apply("resize-video", source, width=80, height=60)).path).times
    assert after == pytest.approx(before, abs=0.001)
    half = frames((await apply("video-speed", source, speed=0.5)).path).times
    assert half == pytest.approx([time * 2 for time in before], abs=0.002)


async def test_late_sound_stays_where_it_was(clip: Clip, apply: Any, beep: Any) -> None:
    """0.7 s of silence before it, in a file of sound alone as well as beside the picture."""
    source = clip("late-sound.mp4")
    for name, params in (
        ("extract-audio", {"audioFormat": "wav"}),
        ("extract-audio", {"audioFormat": "m4a"}),
        ("convert", {"outputFormat": "mkv"}),
        ("trim-video", {"startTime": 0, "endTime": 1.5}),
    ):
        assert beep((await apply(name, source, **params)).path) == pytest.approx(0.7, abs=0.05)


async def test_sound_before_a_late_picture_is_not_lost_in_seeking(clip: Clip, apply: Any, beep: Any) -> None:
    source = clip("late-picture.mp4")
    done = await apply("trim-audio", source, startTime=0.1, endTime=1)
    assert beep(done.path) == pytest.approx(0, abs=0.06)


async def test_frames_before_an_edits_start_never_show(clip: Clip, apply: Any, sandbox: Sandbox) -> None:
    source = clip("hidden.mp4")
    found = await inspect(sandbox, source)
    assert found.need_picture().hidden
    for suffix in ("mkv", "mp4"):
        made = await inspect(sandbox, (await apply("convert", source, outputFormat=suffix)).path)
        assert made.need_picture().duration == pytest.approx(found.need_picture().duration, abs=0.06)


@pytest.mark.parametrize("speed", [2, 4])
@pytest.mark.parametrize("source", ["flash.mp4", "flash.mkv"])
async def test_sound_and_picture_stay_together_at_speed(
    source: str, speed: int, clip: Clip, apply: Any, frames: Any, beep: Any
) -> None:
    """Copied (mp4 at 2x) or encoded: within 25 ms."""
    done = await apply("video-speed", clip(source), speed=speed)
    seen = frames(done.path)
    flash = next(time for time, value in zip(seen.times, seen.middle, strict=True) if value > 125)
    assert beep(done.path) == pytest.approx(flash, abs=0.025)
    assert flash == pytest.approx(1.5 / speed, abs=0.04)


@pytest.mark.parametrize("source", ["live.webm", "headless.mp3", "plain.aac"])
async def test_a_file_that_does_not_say_how_long_it_is_gets_measured(source: str, clip: Clip, sandbox: Sandbox) -> None:
    assert (await inspect(sandbox, clip(source))).duration == pytest.approx(2, abs=0.06)


async def test_surround_at_96_khz_fits_into_mp3(clip: Clip, apply: Any, sandbox: Sandbox) -> None:
    sound = (
        await inspect(sandbox, (await apply("audio-converter", clip("surround.wav"), outputFormat="mp3")).path)
    ).sound
    assert sound is not None
    assert (sound.rate, sound.channels) == (48000, 2)


async def test_cover_art_is_no_video_and_does_no_harm(clip: Clip, apply: Any, sandbox: Sandbox) -> None:
    for source in ("covered.mp3", "covered.m4a"):
        found = await inspect(sandbox, clip(source))
        assert (found.picture, found.covers) == (None, 1)
        for suffix in ("mp3", "m4a", "flac"):
            made = await inspect(sandbox, (await apply("audio-converter", clip(source), outputFormat=suffix)).path)
            assert (made.picture, made.covers) == (None, 0)


async def test_a_quicktime_codec_is_not_copied_into_mp4(clip: Clip, apply: Any, sandbox: Sandbox) -> None:
    done = await apply("remove-audio", clip("alpha.mov"))
    assert (await inspect(sandbox, done.path)).need_picture().codec == "h264"

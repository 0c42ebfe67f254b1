"""Each tool once on a real clip: what comes out is looked at by another pair of eyes (PyAV, here in the test)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from clipstead.errors import BadMedia, InvalidParams
from clipstead.media.sandbox import Sandbox
from clipstead.tools.workbench import Workbench

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROWS: list[tuple[str, str, dict[str, object], dict[str, object]]] = [
    ("convert", "counted.mkv", {"outputFormat": "mp4"},
     {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 3}),
    ("convert", "plain.mp4", {"outputFormat": "webm"},
     {"suffix": "webm", "video": "vp9", "audio": "opus", "seconds": 2}),
    ("convert", "plain.webm", {"outputFormat": "mp4"},
     {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 2}),
    ("convert", "plain.mp4", {"outputFormat": "ogg"}, {"suffix": "ogg", "audio": "vorbis", "seconds": 2}),
    ("compress", "plain.mp4", {"quality": "low"}, {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 2}),
    ("extract-audio", "plain.mp4", {}, {"suffix": "mp3", "audio": "mp3", "seconds": 2}),
    ("extract-audio", "plain.mp4", {"audioFormat": "m4a"}, {"suffix": "m4a", "audio": "aac", "seconds": 2}),
    ("gif", "plain.mp4", {"startTime": 0.5, "duration": 1, "width": 120},
     {"suffix": "gif", "video": "gif", "seconds": 1, "size": (120, 90)}),
    ("trim-video", "counted.mp4", {"startTime": 0.7, "endTime": 2.2},
     {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 1.5}),
    ("resize-video", "plain.mp4", {"width": 101, "height": 80},
     {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 2, "size": (100, 80)}),
    ("rotate-video", "plain.mp4", {"rotation": 90},
     {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 2, "size": (120, 160)}),
    ("remove-audio", "plain.mp4", {}, {"suffix": "mp4", "video": "h264", "seconds": 2}),
    ("video-speed", "plain.mp4", {"speed": 2}, {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 1}),
    ("video-speed", "plain.webm", {"speed": 4}, {"suffix": "webm", "video": "vp9", "audio": "opus", "seconds": 0.5}),
    ("video-speed", "plain.mp4", {"speed": 0.5}, {"suffix": "mp4", "video": "h264", "audio": "aac", "seconds": 4}),
    ("audio-converter", "plain.mp3", {"outputFormat": "wav"}, {"suffix": "wav", "audio": "pcm_s16le", "seconds": 2}),
    ("audio-converter", "plain.wav", {"outputFormat": "flac"}, {"suffix": "flac", "audio": "flac", "seconds": 2}),
    ("audio-converter", "plain.aac", {"outputFormat": "m4a"}, {"suffix": "m4a", "audio": "aac", "seconds": 2}),
    ("trim-audio", "plain.mp3", {"startTime": 0.5, "endTime": 1.5}, {"suffix": "mp3", "audio": "mp3", "seconds": 1}),
    ("trim-audio", "plain.flac", {"startTime": 0.5, "endTime": 9}, {"suffix": "flac", "audio": "flac", "seconds": 1.5}),
    ("trim-audio", "plain.ogg", {"startTime": 0, "endTime": 0.5}, {"suffix": "ogg", "audio": "vorbis", "seconds": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "params", "wanted"), ROWS, ids=[f"{r[0]} {r[1]} {r[2]}" for r in ROWS])
async def test_a_tool_makes_what_it_promises(
    name: str,
    source: str,
    params: dict[str, object],
    wanted: dict[str, Any],
    clip: Callable[[str], Path],
    apply: Any,
    left_over: Callable[[], list[str]],
) -> None:
    done = await apply(name, clip(source), **params)
    assert left_over() == [f"result.{wanted['suffix']}"]
    with av.open(str(done.path)) as made:
        video, audio = made.streams.video, made.streams.audio
        assert [stream.codec_context.codec.canonical_name for stream in video] == list(
            filter(None, [wanted.get("video")])
        )
        assert [stream.codec_context.codec.canonical_name for stream in audio] == list(
            filter(None, [wanted.get("audio")])
        )
        assert (made.duration or 0) / 1e6 == pytest.approx(wanted["seconds"], abs=0.07)
        if "size" in wanted:
            assert (video[0].width, video[0].height) == wanted["size"]


@pytest.mark.parametrize("params", [{}, {"format": "png", "width": 80}, {"format": "webp", "width": 64, "height": 64}])
async def test_a_thumbnail_is_the_frame_of_its_time(
    params: dict[str, object], clip: Callable[[str], Path], apply: Any, frames: Any
) -> None:
    done = await apply("thumbnail", clip("counted.mp4"), timestamp=1.5, **params)
    seen = frames(done.path)
    assert done.path.suffix == f".{params.get('format', 'jpg')}"
    with av.open(str(done.path)) as image:
        assert (image.streams.video[0].width, image.streams.video[0].height) == (
            params.get("width", 160),
            params.get("height", {"png": 60}.get(str(params.get("format")), 120)),
        )
    # A still holds the full range of brightness: 16..235 has become 0..255.
    assert seen.middle[0] == pytest.approx((16 + 2 * 45 - 16) * 255 / 219, abs=6) or seen.numbers[0] == 45


async def test_a_thumbnail_after_the_last_frame_is_the_last_frame(
    clip: Callable[[str], Path], apply: Any, program: Any, tmp_path: Path
) -> None:
    """Sound may outlast the picture; ffmpeg itself would write nothing and say that all is well."""
    longer = tmp_path / "longer.mkv"
    await _run(
        program.path, "-i", clip("plain.mp4"), "-f", "lavfi", "-i", "sine=d=3", "-map", "0:v", "-map", "1:a", longer
    )
    done = await apply("thumbnail", longer, timestamp=2.7)
    assert done.receipt.size > 0
    assert "-sseof" in done.receipt.commands[0]


async def _run(program: str, *arguments: object) -> None:
    import asyncio

    process = await asyncio.create_subprocess_exec(program, "-v", "error", "-y", *map(str, arguments))
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("trim-video", {"startTime": 2, "endTime": 3}, "startTime must be less than the length of 2.00 seconds"),
        ("trim-audio", {"startTime": 9, "endTime": 10}, "startTime must be less than the length of 2.00 seconds"),
        ("gif", {"startTime": 5, "duration": 1}, "startTime must be less than the length of 2.00 seconds"),
        ("thumbnail", {"timestamp": 2}, "timestamp must be less than the length of 2.00 seconds"),
        ("thumbnail", {"cropX": 100, "cropY": 0, "cropW": 61, "cropH": 10},
         "cropW must end inside the picture of 160x120"),
        ("thumbnail", {"cropX": 0, "cropY": 90, "cropW": 10, "cropH": 31},
         "cropH must end inside the picture of 160x120"),
    ],
)  # fmt: skip
async def test_parameters_that_do_not_fit_the_file_are_the_callers_fault(
    name: str,
    params: dict[str, object],
    words: str,
    clip: Callable[[str], Path],
    apply: Any,
    left_over: Callable[[], list[str]],
) -> None:
    with pytest.raises(InvalidParams) as refused:
        await apply(name, clip("plain.mp4"), **params)
    assert str(refused.value) == words
    assert left_over() == []


@pytest.mark.parametrize(
    ("name", "source", "params", "words"),
    [
        ("compress", "plain.mp3", {}, "The file has no video"),
        ("convert", "plain.wav", {"outputFormat": "mp4"}, "The file has no video"),
        ("thumbnail", "covered.mp3", {}, "The file has no video"),
        ("trim-video", "still.png", {"startTime": 0, "endTime": 1}, "The file has no video: it is an image"),
        ("extract-audio", "silent.mp4", {}, "The file has no audio"),
        ("trim-audio", "plain.gif", {"startTime": 0, "endTime": 1}, "The file has no audio"),
        ("resize-image", "plain.mp4", {"width": 10, "height": 10}, "Not an image"),
        ("trim-video", "plain.mp4", {"startTime": 1, "endTime": 1.001},
         "The file is too short: less than one frame is left"),
    ],
)  # fmt: skip
async def test_a_file_without_what_the_tool_needs_is_refused(
    name: str,
    source: str,
    params: dict[str, object],
    words: str,
    clip: Callable[[str], Path],
    apply: Any,
    left_over: Callable[[], list[str]],
) -> None:
    with pytest.raises(BadMedia) as refused:
        await apply(name, clip(source), **params)
    assert str(refused.value) == words
    assert left_over() == []


async def test_an_ffmpeg_that_is_content_with_a_broken_result_is_not_believed(
    clip: Callable[[str], Path], bench: Workbench, sandbox: Sandbox, apply: Any, tmp_path: Path
) -> None:
    """The second look counts: this index promises frames whose bytes are gone, and ffmpeg ends with 0."""
    whole = clip("counted.mkv").read_bytes()
    hurt = bytearray(whole)
    start = len(hurt) // 3
    hurt[start : start + len(hurt) // 2] = bytes(len(hurt) // 2)
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(hurt)
    with pytest.raises(BadMedia, match="The file is damaged"):
        await apply("convert", broken, outputFormat="mp4")

"""Hostile files, one test each, with the answer they get: attacks that stock ffmpeg falls for, and bombs."""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clipstead.errors import BadMedia, ClipsteadError, ToolFailed
from clipstead.media import ffmpeg
from clipstead.media.commands import read
from clipstead.media.inspect import Caps, inspect
from clipstead.media.sandbox import Limits, Reach, Sandbox
from clipstead.tools.run import run
from clipstead.tools.workbench import Workbench, take

pytestmark = pytest.mark.asyncio(loop_scope="session")

Clip = Callable[[str], Path]
LeftOver = Callable[[], list[str]]
Make = Callable[..., None]

DASH = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="100000" codecs="avc1.64001f" width="160"
 height="120"><BaseURL>secret.mp4</BaseURL><SegmentBase/></Representation></AdaptationSet></Period></MPD>"""
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
TEXTS = {
    "dash": DASH,
    "ffconcat": "ffconcat version 1.0\nfile secret.mp4\n",
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    "sdp": SDP,
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="secret.mp4"/></svg>',
    "html": "<!doctype html><title>Not found</title>",
    "text": "hello, world\n" * 50,
    "srt": "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
}
STOCK_PLAYS = ("dash", "ffconcat")


@pytest.fixture
def beside_a_secret(clip: Clip, tmp_path: Path) -> Callable[[str], Path]:
    """A file named upload.mp4 that holds this text, in a folder where somebody else's secret.mp4 lies, too."""
    (tmp_path / "secret.mp4").write_bytes(clip("plain.mp4").read_bytes())

    def uploaded(text: str) -> Path:
        path = tmp_path / "upload.mp4"
        path.write_text(text)
        return path

    return uploaded


@pytest.mark.parametrize("sort", TEXTS)
async def test_a_text_named_mp4_is_no_media_file_whatever_it_points_at(
    sort: str, beside_a_secret: Callable[[str], Path], apply: Any, left_over: LeftOver
) -> None:
    with pytest.raises(BadMedia) as refused:
        await apply("convert", beside_a_secret(TEXTS[sort]), outputFormat="mkv")
    assert str(refused.value) == "Not a media file"
    assert left_over() == []


@pytest.mark.parametrize("sort", STOCK_PLAYS)
async def test_the_guard_alone_stops_what_stock_ffmpeg_plays(
    sort: str, beside_a_secret: Callable[[str], Path], program: ffmpeg.Ffmpeg, sandbox: Sandbox, results: Path
) -> None:
    """One layer at a time: even if a playlist got past the first look, the demuxer list would stop it."""
    upload = beside_a_secret(TEXTS[sort])
    stock = [program.path, "-v", "error", "-i", str(upload), "-f", "null", "-"]
    assert subprocess.run(stock, check=False, stdin=subprocess.DEVNULL).returncode == 0
    guarded = [program.path, "-v", "error", *read(upload.name), "-f", "null", "-"]
    assert subprocess.run(guarded, check=False, cwd=upload.parent, capture_output=True).returncode != 0


async def test_the_fence_alone_stops_it_too(
    beside_a_secret: Callable[[str], Path], program: ffmpeg.Ffmpeg, sandbox: Sandbox, results: Path
) -> None:
    """Another layer: with no guard at all, the sibling cannot be opened."""
    if not (await sandbox.start()).landlock:
        pytest.skip("this kernel has no Landlock")
    upload = beside_a_secret(TEXTS["ffconcat"])
    naked = ["-f", "concat", "-safe", "0", "-i", str(upload), "-c", "copy", "stolen.mp4"]
    with pytest.raises(ClipsteadError) as refused:
        await ffmpeg.run(program, sandbox, naked, folder=results, read=[str(upload)], limits=Limits())
    assert "Permission denied" in "".join(refused.value.__notes__)


async def test_a_decoder_nobody_needs_is_not_reached(
    clip: Clip, make: Make, program: ffmpeg.Ffmpeg, apply: Any, tmp_path: Path
) -> None:
    """MagicYUV has had memory bugs; a file of it is refused before anything decodes it."""
    path = tmp_path / "x.mkv"
    make("-i", clip("plain.mp4"), "-c:v", "magicyuv", path)
    with pytest.raises(BadMedia, match="Not a media file that we take: its video is magicyuv"):
        await apply("convert", path, outputFormat="mp4")
    guarded = [program.path, "-v", "error", *read(path.name), "-f", "null", "-"]
    assert subprocess.run(guarded, check=False, cwd=tmp_path, capture_output=True).returncode != 0


async def test_a_pixel_bomb_is_refused_before_it_is_decoded(
    make: Make, program: ffmpeg.Ffmpeg, apply: Any, tmp_path: Path, left_over: LeftOver
) -> None:
    """200 KB of H.264 that would be 100 MB a frame."""
    bomb = tmp_path / "bomb.mp4"
    source = ["-f", "lavfi", "-i", "color=black:s=8192x8192:r=25:d=0.04", "-c:v", "libx264", "-preset", "ultrafast"]
    make(*source, "-pix_fmt", "yuv420p", bomb)
    with pytest.raises(BadMedia, match="The file is too large: 8192x8192 pixels"):
        await apply("thumbnail", bomb)
    guarded = [program.path, "-v", "error", *read(bomb.name), "-frames:v", "1", "-f", "null", "-"]
    done = subprocess.run(guarded, check=False, cwd=tmp_path, capture_output=True)
    assert b"max pixel count" in done.stderr
    assert left_over() == []


def png(width: int, height: int) -> bytes:
    """A black image of one bit a pixel: 12,000 pixels square are 18 KB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


async def test_a_huge_cover_is_never_decoded(clip: Clip, make: Make, apply: Any, tmp_path: Path) -> None:
    """144 million pixels of cover art: the sound is converted as if it were not there."""
    (tmp_path / "cover.png").write_bytes(png(12_000, 12_000))
    both = ["-i", clip("plain.mp3"), "-i", tmp_path / "cover.png", "-map", "0", "-map", "1", "-c", "copy"]
    make(*both, "-disposition:v", "attached_pic", tmp_path / "x.mp3")
    assert (await apply("convert", tmp_path / "x.mp3", outputFormat="m4a")).receipt.size > 0


async def test_two_frames_a_day_apart_are_too_long(make: Make, apply: Any, tmp_path: Path) -> None:
    """With a filter that fills gaps, 1 KB would be encoded for ever."""
    far = tmp_path / "far.mkv"
    apart = ["-vf", "setpts='if(eq(N,1),100000/TB,0)'", "-fps_mode", "passthrough", "-c:v", "libx264"]
    source = ["-f", "lavfi", "-i", "color=black:s=64x64:r=1:d=2"]
    make(*source, *apart, far)
    with pytest.raises(BadMedia, match="The file is too large: more than 12 hours long"):
        await apply("gif", far, duration=1)


async def test_a_file_of_very_many_tracks_is_refused(make: Make, apply: Any, tmp_path: Path) -> None:
    many = tmp_path / "many.mkv"
    tracks = ["-f", "lavfi", "-i", "sine=d=0.1:r=8000", *["-map", "0:a"] * 70, "-c:a", "pcm_s16le"]
    make(*tracks, many)
    with pytest.raises(BadMedia, match="The file is too large: too many tracks"):
        await apply("convert", many, outputFormat="mp3")


def gif(frames: int, width: int = 3840, height: int = 2160) -> bytes:
    """An animation whose every frame changes one pixel of a large canvas: 23 bytes of work for 33 MB."""
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\x04\x01\0\0\0\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0"
    return head + frame * frames + b"\x3b"


async def test_a_bomb_of_many_frames_runs_into_its_cpu_limit(
    bench: Workbench, apply: Any, tmp_path: Path, left_over: LeftOver
) -> None:
    bomb = tmp_path / "bomb.gif"
    bomb.write_bytes(gif(20_000))
    with pytest.raises(BadMedia, match="The file is too large: it takes too much time, memory or disk"):
        await apply("convert", bomb, outputFormat="mp4", on=replace(bench, limits=Limits(cpu=1)))
    assert left_over() == []


async def test_work_that_takes_too_long_is_ended_by_the_clock(
    bench: Workbench, apply: Any, tmp_path: Path, left_over: LeftOver
) -> None:
    bomb = tmp_path / "bomb.gif"
    bomb.write_bytes(gif(20_000))
    with pytest.raises(BadMedia, match="The file is too large: it takes too long"):
        await apply("convert", bomb, outputFormat="mp4", on=replace(bench, limits=Limits(wall=0.3)))
    assert left_over() == []


async def test_a_result_that_would_fill_the_disk_ends_at_the_size_limit(
    clip: Clip, bench: Workbench, apply: Any, left_over: LeftOver
) -> None:
    """A day of silence in FLAC is small, in WAV it is not."""
    with pytest.raises(BadMedia, match="The file is too large: it takes too much time, memory or disk"):
        small = replace(bench, limits=Limits(file_size=50_000))
        await apply("audio-converter", clip("plain.flac"), outputFormat="wav", on=small)
    assert left_over() == []


async def test_the_caps_are_the_operators(clip: Clip, sandbox: Sandbox) -> None:
    plain = clip("plain.mp4")
    for caps, words in (
        (Caps(seconds=1), "more than 0 hours long"),
        (Caps(frames=59), "too many frames"),
        (Caps(pixels=160 * 120 - 1), "160x120 pixels"),
    ):
        with pytest.raises(BadMedia, match=words):
            await inspect(sandbox, plain, caps)


@pytest.mark.parametrize("name", ["counted.mp4", "counted.mkv", "plain.mp4"])
async def test_half_a_file_is_damaged(name: str, clip: Clip, apply: Any, tmp_path: Path, left_over: LeftOver) -> None:
    whole = clip(name).read_bytes()
    half = tmp_path / name
    half.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadMedia, match=r"^The file is damaged$"):
        await apply("convert", half, outputFormat="mkv")
    assert left_over() == []


async def test_an_mp4_whose_index_comes_first_and_whose_end_is_missing_is_damaged(
    clip: Clip, make: Make, apply: Any, tmp_path: Path
) -> None:
    """ffmpeg itself takes it for a shorter film and ends with 0."""
    fast = tmp_path / "fast.mp4"
    make("-i", clip("plain.mp4"), "-c", "copy", "-movflags", "+faststart", fast)
    half = fast.read_bytes()[: fast.stat().st_size // 2]
    fast.write_bytes(half)
    with pytest.raises(BadMedia, match=r"^The file is damaged$"):
        await apply("convert", fast, outputFormat="mkv")


async def test_an_empty_file_says_so(apply: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    with pytest.raises(BadMedia, match=r"^Not a media file: it is empty$"):
        await apply("convert", empty, outputFormat="mkv")
    with pytest.raises(BadMedia, match=r"^Not an image: it is empty$"):
        await apply("compress-image", empty)


@pytest.mark.parametrize("seed", range(12))
async def test_random_damage_ends_in_a_result_or_a_typed_refusal(
    seed: int, clip: Clip, apply: Any, tmp_path: Path, left_over: LeftOver
) -> None:
    """Whatever the bytes are, nothing but our own errors comes out, and no file beside the result."""
    import random

    print("seed", seed)
    chance = random.Random(seed)
    name = chance.choice(["plain.mp4", "counted.mkv", "plain.webm", "plain.mp3", "counted.ts", "plain.gif"])
    data = bytearray(clip(name).read_bytes())
    for _ in range(chance.choice([1, 10, 200])):
        data[chance.randrange(len(data))] = chance.randrange(256)
    hurt = tmp_path / name
    hurt.write_bytes(data)
    try:
        done = await apply("convert", hurt, outputFormat=chance.choice(["mp4", "mkv", "mp3"]))
    except ClipsteadError:
        assert left_over() == []
    else:
        assert left_over() == [done.path.name]


async def test_a_link_left_in_the_place_of_a_result_is_not_followed(tmp_path: Path) -> None:
    """What a taken-over ffmpeg could still do: answer with a link to something only we may read."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "out.mp4").symlink_to(tmp_path / "secret")
    with pytest.raises(ToolFailed):
        take(tmp_path / "out.mp4")
    (tmp_path / "hard.mp4").hardlink_to(tmp_path / "secret")
    with pytest.raises(ToolFailed):
        take(tmp_path / "hard.mp4")


async def test_a_tag_that_looks_like_ffmpegs_own_words_changes_nothing(
    clip: Clip, make: Make, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nobody parses what ffmpeg prints about a file: its tags could write lines of their own."""
    tagged = tmp_path / "tagged.mkv"
    lie = "x\n  Duration: 99:00:00.00\n  Stream #0:0: Video: h264, yuv420p, 9x9"
    make("-i", clip("plain.mp4"), "-c", "copy", "-metadata", f"title={lie}", tagged)
    found = await inspect(sandbox, tagged)
    assert (found.need_picture().shown, round(found.duration)) == ((160, 120), 2)


async def test_reach_names_nothing_by_itself() -> None:
    assert Reach() == Reach((), (), ())


async def test_the_name_of_an_upload_is_never_seen_by_a_program(
    clip: Clip, bench: Workbench, results: Path, tmp_path: Path
) -> None:
    """Options, protocols, patterns and shells: a name is only ever a link called `in`."""
    from clipstead.tools import BY_NAME

    for name in ("-i.mp4", "concat:a|b.mp4", "$(id).mp4", "a%03d.mp4", "x\ny.mp4", "file:z.mp4", "ü[n=-1].mp4"):
        hostile = tmp_path / name
        hostile.write_bytes(clip("plain.mp4").read_bytes())
        done = await run(bench, BY_NAME["remove-audio"].parse({}), hostile, lambda suffix: results / f"r.{suffix}")
        assert name not in str(done.receipt.commands)

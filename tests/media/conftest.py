"""Small real files of every format, made once a run by ffmpeg, and MP4s built by hand box by box."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_VIDEO = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=2"
_SOUND = "-f lavfi -i sine=frequency=440:duration=2"
_STILL = "-f lavfi -i testsrc2=size=320x124:rate=1:duration=1 -frames:v 1"
_AVC = "-c:v libx264 -preset ultrafast"
# A name, and what ffmpeg is told to make it. {plain} is a file made before.
_RECIPES: Mapping[str, str] = {
    "plain.mp4": f"{_VIDEO} {_SOUND} {_AVC} -c:a aac -shortest",
    "faststart.mp4": f"{_VIDEO} {_SOUND} {_AVC} -c:a aac -shortest -movflags +faststart",
    "silent.mp4": f"{_VIDEO} {_AVC}",
    "hevc.mp4": f"{_VIDEO} {_SOUND} -c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1 -c:a aac",
    "av1.mp4": f"{_VIDEO} -c:v libsvtav1 -preset 12",
    "mp3-inside.mp4": f"{_VIDEO} {_SOUND} {_AVC} -c:a libmp3lame",
    "fragmented.mp4": f"{_VIDEO} {_SOUND} {_AVC} -g 10 -c:a aac -movflags frag_keyframe+empty_moov",
    "dash.mp4": f"{_VIDEO} {_SOUND} {_AVC} -g 10 -c:a aac -movflags dash+frag_keyframe+default_base_moof",
    "clip.mov": f"{_VIDEO} {_SOUND} {_AVC} -c:a aac",
    "rotated.mp4": "-display_rotation 90 -i {plain} -c copy",
    "upside-down.mp4": "-display_rotation 180 -i {plain} -c copy",
    "clip.webm": f"{_VIDEO} {_SOUND} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus",
    "clip.mkv": f"{_VIDEO} {_SOUND} {_AVC} -c:a aac",
    "clip.flv": f"{_VIDEO} {_SOUND} -c:v flv1 -c:a libmp3lame -ar 44100",
    "sound.m4a": f"{_SOUND} -c:a aac",
    "sound.mp3": f"{_SOUND} -c:a libmp3lame",
    "bare.mp3": f"{_SOUND} -c:a libmp3lame -write_xing 0 -id3v2_version 0",
    "half-rate.mp3": f"{_SOUND} -c:a libmp3lame -ar 22050",
    "sound.wav": _SOUND,
    "sound.flac": _SOUND,
    "sound.opus": f"{_SOUND} -c:a libopus",
    "sound.ogg": f"{_SOUND} -c:a libvorbis",
    "sound.webm": f"{_SOUND} -c:a libopus",
    "still.jpg": _STILL,
    "still.png": _STILL,
    "still.gif": _STILL,
    "still.webp": _STILL,
    "lossless.webp": f"{_STILL} -c:v libwebp -lossless 1",
    "moving.webp": "-f lavfi -i testsrc2=size=320x124:rate=5:duration=1 -c:v libwebp_anim",
    "still.avif": f"{_STILL} -c:v libaom-av1 -cpu-used 8",
}


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every file of `_RECIPES` by name: 2 s long, 320x180 if moving, 320x124 if still."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    folder = tmp_path_factory.mktemp("clips")
    for name, recipe in _RECIPES.items():
        arguments = [part.replace("{plain}", str(folder / "plain.mp4")) for part in recipe.split()]
        command = [ffmpeg, "-v", "error", "-y", *arguments, str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return {name: folder / name for name in _RECIPES}


def box(kind: bytes, *parts: bytes, long: bool = False) -> bytes:
    """One MP4 box."""
    body = b"".join(parts)
    if long:
        return b"\0\0\0\1" + kind + (len(body) + 16).to_bytes(8, "big") + body
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def numbers(*values: int, width: int = 4) -> bytes:
    """Big-endian numbers."""
    return b"".join(value.to_bytes(width, "big", signed=value < 0) for value in values)


@dataclass
class HandMade:
    """An MP4 with one track, each part of which a test may bend; the samples lie one after another in `mdat`."""

    entry: bytes = b"avc1"
    handler: bytes = b"vide"
    sizes: list[int] = field(default_factory=lambda: [100, 200, 300])
    chunk: int = 1
    long_boxes: bool = False
    wide_offsets: bool = False
    version: int = 0
    duration: int = 5000
    edits: list[int] | None = None
    matrix: tuple[int, int, int, int] = (1, 0, 0, 1)
    size: tuple[int, int] = (320, 180)
    brand: bytes = b"isom"
    stsc: bytes | None = None
    stsz: bytes | None = None
    offsets: bytes | None = None
    extra: bytes = b""
    open_ended: bool = False

    def build(self) -> bytes:
        """ftyp, mdat, moov."""
        start = box(b"ftyp", self.brand, numbers(512), b"isomiso2")
        data = bytes(sum(self.sizes))
        if self.open_ended:
            return start + self._moov(len(start) + len(self._moov(0)) + 8) + b"\0\0\0\0mdat" + data
        held = box(b"mdat", data, long=self.long_boxes)
        return start + held + self._moov(len(start) + len(held) - len(data))

    def _moov(self, at: int) -> bytes:
        return box(b"moov", self._time(b"mvhd", bytes(80)), self._trak(at), self.extra)

    def _time(self, kind: bytes, rest: bytes) -> bytes:
        width = 8 if self.version else 4
        times = numbers(0, 0, width=width) + numbers(1000) + numbers(self.duration, width=width)
        return box(kind, numbers(self.version << 24), times, rest)

    def _trak(self, at: int) -> bytes:
        width = 8 if self.version else 4
        a, b, c, d = (value << 16 for value in self.matrix)
        head = numbers(self.version << 24) + numbers(0, 0, width=width) + numbers(1, 0) + numbers(0, width=width)
        matrix = numbers(a, b, 0, c, d, 0, 0, 0, 0x40000000)
        tkhd = box(b"tkhd", head, bytes(16), matrix, numbers(self.size[0] << 16, self.size[1] << 16))
        edits = (
            b""
            if self.edits is None
            else box(b"edts", box(b"elst", numbers(0, len(self.edits)), *map(_edit, self.edits)))
        )
        hdlr = box(b"hdlr", numbers(0, 0), self.handler, bytes(13))
        media = box(b"mdia", self._time(b"mdhd", bytes(4)), hdlr, box(b"minf", self._stbl(at)))
        return box(b"trak", tkhd, edits, media)

    def _stbl(self, at: int) -> bytes:
        chunks = [at + sum(self.sizes[:first]) for first in range(0, len(self.sizes), self.chunk)]
        entry = box(self.entry, bytes(16), bytes(8), numbers(640, 480, width=2), bytes(50))
        width, kind = (8, b"co64") if self.wide_offsets else (4, b"stco")
        return box(
            b"stbl",
            box(b"stsd", numbers(0, 1), entry),
            self.stsc or box(b"stsc", numbers(0, 1, 1, self.chunk, 1)),
            self.stsz or box(b"stsz", numbers(0, 0, len(self.sizes), *self.sizes)),
            self.offsets or box(kind, numbers(0, len(chunks)), numbers(*chunks, width=width)),
        )


def _edit(ticks: int) -> bytes:
    return numbers(ticks, 0, 0x10000)


@pytest.fixture
def handmade() -> Callable[..., HandMade]:
    """The builder."""
    return HandMade

"""Real MP4 files of any wanted size: coloured bars in H.264 with a silent AAC track, made from one cached template."""

import colorsys
import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from clipstead.practice import aac, h264
from clipstead.practice.boxes import Track, box, descriptor, full_box, movie

FPS = 24
KEY_SECONDS = 2  # between key frames
_LABEL_BYTES = 64
_KEEP = 4 * 1024 * 1024
_LEAST_FILLER = 6  # a length and the smallest filler unit


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes two files differ by more than their colours and label: pixels, seconds, wanted bytes, sound or not."""

    width: int
    height: int
    seconds: int
    size: int
    sound: bool = True


@dataclass(frozen=True, slots=True)
class _Template:
    data: bytes
    label: int
    bars: tuple[tuple[int, int], ...]  # offset and colour step


def mp4(shape: Shape, hue: float, label: str) -> bytes:
    """A playable file of exactly `shape.size` bytes (or a little above the least it can be), coloured and labelled."""
    template = _template(shape)
    palette = [_colour((hue + step / h264.BARS) % 1) for step in range(h264.BARS)]
    changes = [(offset, palette[step]) for offset, step in template.bars]
    changes.append((template.label, label.encode()[:_LABEL_BYTES].ljust(_LABEL_BYTES)))
    return _changed(template.data, sorted(changes))


def _changed(data: bytes, changes: Iterable[tuple[int, bytes]]) -> bytes:
    """Other bytes at these offsets, in their order; copied once, for files are large."""
    kept, pieces, at = memoryview(data), list[bytes | memoryview](), 0
    for offset, new in changes:
        pieces += (kept[at:offset], new)
        at = offset + len(new)
    return b"".join([*pieces, kept[at:]])


@lru_cache(maxsize=512)
def mp4_size(shape: Shape) -> int:
    """The exact size that `mp4` gives for that shape."""
    least = least_size(shape.width, shape.height, shape.seconds, shape.sound)
    return max(shape.size, least)


@lru_cache(maxsize=512)
def least_size(width: int, height: int, seconds: int, sound: bool) -> int:
    """The size below which such a file cannot go."""
    return len(_build(Shape(width, height, seconds, 0, sound), 0, 0).data)


@lru_cache(maxsize=512)
def m4a(seconds: float, label: str) -> bytes:
    """A silent AAC file of that length."""
    return movie(b"M4A ", [_audio_track(seconds)], 0).data + box(b"free", label.encode())


def _template(shape: Shape) -> _Template:
    """The file before it gets its colours; small ones are kept."""
    return _kept_template(shape) if shape.size <= _KEEP else _make_template(shape)


def _make_template(shape: Shape) -> _Template:
    spare = mp4_size(shape) - least_size(shape.width, shape.height, shape.seconds, shape.sound)
    carriers = shape.seconds * FPS - math.ceil(shape.seconds / KEY_SECONDS)
    each = spare // carriers
    if each < _LEAST_FILLER:
        each = 0
    return _build(shape, each, spare - each * carriers)


_kept_template = lru_cache(maxsize=24)(_make_template)


def _build(shape: Shape, filler: int, spare: int) -> _Template:
    """Filler of that many bytes in every frame but the key frames, and `spare` bytes more beside the label."""
    weight = _unit(h264.filler(filler - 4)) if filler else b""
    samples, keys = [], list(range(0, shape.seconds * FPS, KEY_SECONDS * FPS))
    for number in range(shape.seconds * FPS):
        since = number % (KEY_SECONDS * FPS)
        if since:
            samples.append(_unit(h264.repeat_frame(shape.width, shape.height, since % 16)) + weight)
        else:
            samples.append(_unit(_key(shape, number).data))
    entry = _avc1(shape.width, shape.height)
    tracks = [Track(b"vide", FPS * 512, 512, entry, samples, keys, (shape.width, shape.height))]
    if shape.sound:
        tracks.append(_audio_track(shape.seconds))
    made = movie(b"isom", tracks, _LABEL_BYTES + spare)
    bars = [
        (made.sample_offsets[0][key] + 4 + slot, (bar + turn) % h264.BARS)
        for turn, key in enumerate(keys)
        for bar, slot in enumerate(_key(shape, key).slots)
    ]
    return _Template(made.data, made.spare, tuple(bars))


def _key(shape: Shape, number: int) -> h264.KeyFrame:
    return h264.key_frame(shape.width, shape.height, number // (KEY_SECONDS * FPS) % 2)


def _unit(nal: bytes) -> bytes:
    return struct.pack(">I", len(nal)) + nal


@lru_cache(maxsize=4096)
def _colour(hue: float) -> bytes:
    """A bright colour as a bar's PCM payload."""
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.6, 0.9)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return h264.paint(16 + round(219 * luma), 128 + round(126 * (blue - luma)), 128 + round(126 * (red - luma) * 0.79))


def _audio_track(seconds: float) -> Track:
    count = math.ceil(seconds * aac.SAMPLE_RATE / aac.FRAME_SAMPLES)
    return Track(b"soun", aac.SAMPLE_RATE, aac.FRAME_SAMPLES, _mp4a(), [aac.silent_frame()] * count)


def _avc1(width: int, height: int) -> bytes:
    sps, pps = h264.parameter_sets(width, height)
    config = bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE1]) + struct.pack(">H", len(sps)) + sps
    config += b"\x01" + struct.pack(">H", len(pps)) + pps
    head = struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x480000, 0x480000, 0, 1, 24, -1)
    return box(b"avc1", head, box(b"avcC", config))


def _mp4a() -> bytes:
    stream = bytes([0x40, 0x15]) + bytes(11)  # AAC, an audio stream, no buffer or bitrate told
    config = descriptor(4, stream + descriptor(5, aac.decoder_config()))
    esds = full_box(b"esds", 0, descriptor(3, bytes(3) + config + descriptor(6, b"\x02")))
    return box(b"mp4a", struct.pack(">6xH8xHHHHI", 1, aac.CHANNELS, 16, 0, 0, aac.SAMPLE_RATE << 16), esds)

"""MP3: frames that follow one another, and the length they tell."""

from typing import NamedTuple

from clipstead.errors import BadMedia
from clipstead.media.facts import Probe
from clipstead.media.sniff import is_mp3_frame
from clipstead.media.source import Source, truncated
from clipstead.model import MediaKind

_SEARCH = 64 * 1024
_MAX_TAGS = 16
_V1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_V2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)


class _Frame(NamedTuple):
    """`length` in bytes, `samples` in it, `rate` a second, `bitrate` in bit/s, `side` where a Xing header would be."""

    length: int
    samples: int
    rate: int
    bitrate: int
    side: int


def read_mp3(source: Source) -> Probe:
    """Probe an MP3, with or without ID3 tags before it. Raises BadMedia: truncated, no frames."""
    start = _first_frame(source, _after_tags(source))
    frame = _frame(source.at(start, 4))
    seconds = _told(source, start, frame) or (source.size - start) * 8 / frame.bitrate
    return Probe(MediaKind.AUDIO, "mp3", "audio/mpeg", source.size, duration=seconds, audio="mp3")


def _after_tags(source: Source) -> int:
    """Where the ID3v2 tags end."""
    offset = 0
    for _ in range(_MAX_TAGS):
        tag = source.upto(offset, 10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            return offset
        size = 0
        for byte in tag[6:10]:
            size = size << 7 | byte & 0x7F
        offset += 10 + size + (10 if tag[5] & 0x10 else 0)
        if offset >= source.size:
            raise truncated()
    raise BadMedia("damaged: its tags never end")


def _first_frame(source: Source, offset: int) -> int:
    """Where a frame begins that another one, or the end, follows."""
    window = source.upto(offset, _SEARCH)
    at = window.find(b"\xff")
    while at >= 0:
        header = window[at : at + 4]
        if is_mp3_frame(header):
            after = offset + at + _frame(header).length
            if after == source.size or is_mp3_frame(source.upto(after, 4)):
                return offset + at
            if after > source.size:
                raise truncated()
        at = window.find(b"\xff", at + 1)
    raise BadMedia("damaged: no MP3 frames in it")


def _frame(header: bytes) -> _Frame:
    version = header[1] >> 3 & 3  # 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5
    mono = header[3] >> 6 == 3
    newer = version != 3
    bitrate = (_V2_KBITS if newer else _V1_KBITS)[header[2] >> 4] * 1000
    rate = _RATES[header[2] >> 2 & 3] >> (0 if version == 3 else 1 if version == 2 else 2)
    samples = 576 if newer else 1152
    side = (9 if mono else 17) if newer else (17 if mono else 32)
    return _Frame(samples // 8 * bitrate // rate + (header[2] >> 1 & 1), samples, rate, bitrate, 4 + side)


def _told(source: Source, start: int, frame: _Frame) -> float | None:
    """Seconds by the Xing, Info or VBRI header in the first frame; BadMedia if the file is shorter than it says."""
    data = source.upto(start, 200)
    xing = data[frame.side : frame.side + 16]
    if xing[:4] in (b"Xing", b"Info") and len(xing) == 16:
        flags = xing[7]
        frames = int.from_bytes(xing[8:12], "big") if flags & 1 else 0
        size = int.from_bytes(xing[12:16] if flags & 1 else xing[8:12], "big") if flags & 2 else 0
    elif data[36:40] == b"VBRI" and len(data) >= 54:
        size, frames = int.from_bytes(data[46:50], "big"), int.from_bytes(data[50:54], "big")
    else:
        return None
    if size and start + size > source.size + frame.length:
        raise truncated()
    return frames * frame.samples / frame.rate if frames else None

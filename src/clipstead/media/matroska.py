"""WebM and Matroska: the tracks and the length, read from what stands before the first cluster."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from clipstead.errors import BadMedia
from clipstead.media.facts import Probe
from clipstead.media.source import Source, truncated
from clipstead.model import MediaKind

_MAX_ELEMENTS = 2000
_MAX_HEAD = 4 * 1024 * 1024
_SEGMENT, _CLUSTER, _INFO, _TRACKS = 0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_ENTRY, _TYPE, _CODEC, _VIDEO, _WIDTH, _HEIGHT = 0xAE, 0x83, 0x86, 0xE0, 0xB0, 0xBA
_CODECS = (
    (b"V_MPEG4/ISO/AVC", "h264"),
    (b"V_MPEGH/ISO/HEVC", "hevc"),
    (b"V_VP8", "vp8"),
    (b"V_VP9", "vp9"),
    (b"V_AV1", "av1"),
    (b"A_AAC", "aac"),
    (b"A_OPUS", "opus"),
    (b"A_VORBIS", "vorbis"),
    (b"A_MPEG/L3", "mp3"),
    (b"A_FLAC", "flac"),
)


class _Element(NamedTuple):
    """`end` is None where the writer did not know it."""

    id: int
    body: int
    end: int | None


def read_matroska(source: Source, ext: str) -> Probe:
    """Probe a WebM or Matroska file. Raises BadMedia: truncated, damaged, nothing in it."""
    segment = next((e for e in _elements(source, 0, source.size) if e.id == _SEGMENT), None)
    if segment is None:
        raise truncated()
    info, tracks = b"", b""
    for element in _elements(source, segment.body, segment.end or source.size):
        if element.id == _CLUSTER or element.end is None:
            break
        if element.id in (_INFO, _TRACKS):
            if element.end - element.body > _MAX_HEAD:
                raise BadMedia("damaged: its index is too large")
            data = source.at(element.body, element.end - element.body)
            info, tracks = (data, tracks) if element.id == _INFO else (info, data)
    else:
        raise truncated()  # no cluster: no sample came
    return _describe(source.size, ext, info, tracks)


def _elements(source: Source, start: int, end: int) -> Iterator[_Element]:
    for _ in range(_MAX_ELEMENTS):
        if start >= end:
            return
        element = _element(source.upto(start, 12), start)
        if element.end is not None and element.end > source.size:
            raise truncated()
        yield element
        if element.end is None:
            return
        start = element.end
    raise BadMedia("damaged: its elements never end")


def _element(head: bytes, start: int) -> _Element:
    id_width = 9 - head[0].bit_length() if head and head[0] else 9
    if id_width > 4 or len(head) <= id_width or not head[id_width]:
        raise BadMedia("damaged: no element where one must be")
    width = 9 - head[id_width].bit_length()
    raw = head[id_width : id_width + width]
    if len(raw) < width:
        raise truncated()
    size = int.from_bytes(raw, "big") & (1 << 7 * width) - 1
    body = start + id_width + width
    return _Element(int.from_bytes(head[:id_width], "big"), body, None if size == (1 << 7 * width) - 1 else body + size)


def _inside(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(id, content) of the elements in a piece of memory."""
    start = 0
    for _ in range(_MAX_ELEMENTS):
        if start >= len(data):
            return
        element = _element(data[start : start + 12], start)
        if element.end is None or element.end > len(data):
            raise BadMedia("damaged: an element larger than what it stands in")
        yield element.id, data[element.body : element.end]
        start = element.end
    raise BadMedia("damaged: its elements never end")


def _seconds(info: bytes) -> float | None:
    found = dict(_inside(info))
    raw = found.get(_DURATION, b"")
    if len(raw) not in (4, 8):
        return None
    ticks: float = struct.unpack(">f" if len(raw) == 4 else ">d", raw)[0]
    scale = int.from_bytes(found.get(_SCALE, b"\x0f\x42\x40")[:8], "big")
    seconds = ticks * scale / 1e9
    return seconds if 0 < seconds < 1e9 else None


def _describe(size: int, ext: str, info: bytes, tracks: bytes) -> Probe:
    entries = [dict(_inside(content)) for id_, content in _inside(tracks) if id_ == _ENTRY]
    video = next((entry for entry in entries if entry.get(_TYPE) == b"\1"), None)
    audio = next((entry for entry in entries if entry.get(_TYPE) == b"\2"), None)
    if video is None and audio is None:
        raise BadMedia("no video and no sound in it")
    shape = dict(_inside(video.get(_VIDEO, b""))) if video else {}
    mime = ("video/" if video else "audio/") + ("webm" if ext == "webm" else "x-matroska")
    return Probe(
        kind=MediaKind.VIDEO if video else MediaKind.AUDIO,
        ext=ext,
        mime=mime,
        size=size,
        duration=_seconds(info),
        width=int.from_bytes(shape.get(_WIDTH, b"")[:4], "big") or None,
        height=int.from_bytes(shape.get(_HEIGHT, b"")[:4], "big") or None,
        video=_codec(video),
        audio=_codec(audio),
    )


def _codec(entry: dict[int, bytes] | None) -> str | None:
    if entry is None:
        return None
    name = entry.get(_CODEC, b"")
    return next((short for prefix, short in _CODECS if name.startswith(prefix)), "unknown")

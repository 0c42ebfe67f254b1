"""Fragmented MP4 in several parts, each with a head and a clock of its own, as one: not a sample is touched."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple

from clipstead.errors import BadMedia
from clipstead.media.boxes import Box, child, field, inside
from clipstead.media.fragments import Fragments, default_durations
from clipstead.media.source import Source, truncated

_LARGEST = 16 * 1024 * 1024  # a box that is looked into
_READ_WHOLE = frozenset({b"moov", b"moof", b"ftyp", b"styp", b"sidx", b"ssix"})
_WITHOUT = frozenset({b"styp", b"sidx", b"ssix"})  # what they say of times is no longer so
_DIFFER = "a stream of several parts that differ"


class _Likeness(NamedTuple):
    """What two heads must share, so that one of them can speak for both."""

    track: int
    scale: int
    samples: bytes


class _Time(NamedTuple):
    """When a track goes on, in ticks of which `scale` make a second, told in `width` bytes at `at`."""

    track: int
    scale: int
    ticks: int
    at: int
    width: int


class Stitch:
    """One stream; its pieces in order, with the number of the part that each belongs to."""

    def __init__(self) -> None:
        self._tracks: list[_Likeness] = []
        self._fragments = Fragments({})
        self._part = 0
        self._shift: float | None = 0.0
        self._told = False

    def piece(self, chunks: Iterable[bytes], part: int) -> Iterator[bytes]:
        """The piece as it goes into the file. Raises BadMedia where no one head fits all parts."""
        if part != self._part:
            self._part, self._shift = part, None
        for kind, data in _boxes(chunks):
            if kind == b"moof":
                self._told = True
                yield self._moved(data)
            elif kind == b"mdat" and not self._told:
                raise BadMedia(_DIFFER)  # a whole film of its own, with its samples told in its head
            elif kind in (b"moov", b"ftyp"):
                yield from self._head(kind, data)
            elif kind not in _WITHOUT:
                yield data

    def _head(self, kind: bytes, data: bytes) -> Iterator[bytes]:
        if kind == b"moov":
            self._told = False
            tracks = list(_tracks(data))
            if self._part and tracks != self._tracks:
                raise BadMedia(_DIFFER)
            if not self._part:
                self._tracks = tracks
                extends = child(data, _whole(data), b"mvex")
                self._fragments = Fragments(default_durations(data, extends) if extends else {})
        if not self._part:
            yield data

    def _moved(self, data: bytes) -> bytes:
        """The `moof` with its times after those of the part before; within a part tracks stay as they were."""
        moved, times = bytearray(data), list(self._times(data))
        if self._shift is None:
            ended = {each.track: self._fragments.ends.get(each.track, 0) / each.scale for each in self._tracks}
            self._shift = max((ended[time.track] - time.ticks / time.scale for time in times), default=0.0)
        for time in times:
            now = max(0, time.ticks + round(self._shift * time.scale))
            if now >= 1 << 8 * time.width:
                raise BadMedia(_DIFFER)
            moved[time.at : time.at + time.width] = now.to_bytes(time.width, "big")
        self._fragments.add(Source(BytesIO(moved), len(moved)), _whole(bytes(moved)))
        return bytes(moved)

    def _times(self, data: bytes) -> Iterator[_Time]:
        """When each track goes on, by a `moof`."""
        scales = {each.track: each.scale for each in self._tracks}
        for traf in (box for box in inside(data, *_whole(data)[2:]) if box.kind == b"traf"):
            head, time = child(data, traf, b"tfhd"), child(data, traf, b"tfdt")
            track = field(data, head, 4, 4) if head else 0
            if head is None or time is None or not scales.get(track) or field(data, head, 1, 3) & 0x1:
                raise BadMedia(_DIFFER)  # data that is told by its place in a file has no other place
            width = 8 if field(data, time, 0, 1) else 4
            yield _Time(track, scales[track], field(data, time, 4, width), time.body + 4, width)


def _whole(data: bytes) -> Box:
    """The one box that `data` is."""
    return Box(data[4:8], 0, 16 if data[:4] == b"\0\0\0\1" else 8, len(data))


def _tracks(data: bytes) -> Iterator[_Likeness]:
    for trak in (box for box in inside(data, *_whole(data)[2:]) if box.kind == b"trak"):
        head, media = child(data, trak, b"tkhd"), child(data, trak, b"mdia", b"mdhd")
        table = child(data, trak, b"mdia", b"minf", b"stbl", b"stsd")
        if head is None or media is None or table is None:
            raise BadMedia("damaged: its index is incomplete")
        track = field(data, head, 20 if field(data, head, 0, 1) else 12, 4)
        scale = field(data, media, 20 if field(data, media, 0, 1) else 12, 4)
        if not scale:
            raise BadMedia("damaged: a clock that stands still")
        yield _Likeness(track, scale, data[table.start : table.end])


def _boxes(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Outermost boxes: those that are looked into whole, others by and by, only their first bytes under their name."""
    waiting, left = bytearray(), 0
    for chunk in chunks:
        waiting += chunk
        while waiting:
            if left:
                passed = bytes(waiting[:left])
                del waiting[:left]
                left -= len(passed)
                yield b"", passed
                continue
            if len(waiting) < 16:
                break
            size, kind = int.from_bytes(waiting[:4], "big"), bytes(waiting[4:8])
            size = int.from_bytes(waiting[8:16], "big") if size == 1 else size
            if size < 8:
                raise BadMedia("damaged: a box of an impossible size")
            if kind not in _READ_WHOLE:
                yield kind, bytes(waiting[:8])
                del waiting[:8]
                left = size - 8
            elif size > _LARGEST:
                raise BadMedia("damaged: its index is too large")
            elif len(waiting) < size:
                break
            else:
                yield kind, bytes(waiting[:size])
                del waiting[:size]
    if left or len(waiting) >= 16:
        raise truncated()
    if waiting:
        yield b"", bytes(waiting)

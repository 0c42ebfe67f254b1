"""An MP4 writer: tracks of samples become moov and mdat, interleaved by the second."""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

MOVIE_TIMESCALE = 1000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True, slots=True)
class Track:
    """One stream: `samples` of `delta` ticks each, a sample entry box, and which samples are key frames (None: all)."""

    handler: bytes
    timescale: int
    delta: int
    entry: bytes
    samples: Sequence[bytes]
    keys: Sequence[int] | None = None
    size: tuple[int, int] = (0, 0)

    @property
    def duration(self) -> int:
        """In MOVIE_TIMESCALE ticks."""
        return len(self.samples) * self.delta * MOVIE_TIMESCALE // self.timescale

    def chunks(self) -> list[range]:
        """The samples in runs of one second."""
        bounds, second, total = [0], 1, len(self.samples)
        while bounds[-1] < total:
            bounds.append(min(total, -(-second * self.timescale // self.delta)))
            second += 1
        return [range(a, b) for a, b in itertools.pairwise(bounds)]


@dataclass(slots=True)
class _Layout:
    """Where each track's chunks and samples come to lie in the payload."""

    payload: bytearray = field(default_factory=bytearray)
    chunk_offsets: list[list[int]] = field(default_factory=list)
    sample_offsets: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Movie:
    """A finished file, the file offset of every sample by track, and where its spare room (`free`) begins."""

    data: bytes
    sample_offsets: list[list[int]]
    spare: int


def box(kind: bytes, *payloads: bytes) -> bytes:
    """A box with its length in front."""
    return struct.pack(">I4s", 8 + sum(map(len, payloads)), kind) + b"".join(payloads)


def full_box(kind: bytes, flags: int, *payloads: bytes) -> bytes:
    """A version 0 box with flags."""
    return box(kind, struct.pack(">I", flags), *payloads)


def descriptor(tag: int, payload: bytes) -> bytes:
    """An MPEG-4 descriptor (payload under 128 bytes)."""
    return bytes([tag, len(payload)]) + payload


def movie(brand: bytes, tracks: Sequence[Track], spare: int) -> Movie:
    """ftyp, moov, `spare` bytes of free room, mdat."""
    layout = _lay_out(tracks)
    ftyp = box(b"ftyp", brand, struct.pack(">I", 512), brand, b"isom", b"iso2", b"mp41")
    start = len(ftyp) + len(_moov(tracks, layout, 0)) + 8 + spare + 8
    head = ftyp + _moov(tracks, layout, start) + struct.pack(">I4s", 8 + spare, b"free") + bytes(spare)
    data = head + struct.pack(">I4s", 8 + len(layout.payload), b"mdat") + bytes(layout.payload)
    offsets = [[start + offset for offset in track] for track in layout.sample_offsets]
    return Movie(data, offsets, len(head) - spare)


def _lay_out(tracks: Sequence[Track]) -> _Layout:
    layout = _Layout()
    runs = [track.chunks() for track in tracks]
    layout.chunk_offsets = [[] for _ in tracks]
    layout.sample_offsets = [[] for _ in tracks]
    for second in range(max(map(len, runs))):
        for index, track in enumerate(tracks):
            if second < len(runs[index]):
                layout.chunk_offsets[index].append(len(layout.payload))
                for sample in runs[index][second]:
                    layout.sample_offsets[index].append(len(layout.payload))
                    layout.payload += track.samples[sample]
    return layout


def _moov(tracks: Sequence[Track], layout: _Layout, start: int) -> bytes:
    duration = max(track.duration for track in tracks)
    mvhd = struct.pack(">IIII", 0, 0, MOVIE_TIMESCALE, duration) + struct.pack(">IH10x", 0x10000, 0x100)
    mvhd += _MATRIX + bytes(24) + struct.pack(">I", len(tracks) + 1)
    traks = [_trak(number, track, layout.chunk_offsets[number], start) for number, track in enumerate(tracks)]
    return box(b"moov", full_box(b"mvhd", 0, mvhd), *traks)


def _trak(number: int, track: Track, chunk_offsets: Sequence[int], start: int) -> bytes:
    sound = track.handler == b"soun"
    tkhd = struct.pack(">IIIII", 0, 0, number + 1, 0, track.duration) + bytes(8)
    tkhd += struct.pack(">HHHH", 0, 1 if sound else 0, 0x100 if sound else 0, 0) + _MATRIX
    tkhd += struct.pack(">II", track.size[0] << 16, track.size[1] << 16)
    ticks = len(track.samples) * track.delta
    mdhd = struct.pack(">IIIIHH", 0, 0, track.timescale, ticks, 0x55C4, 0)
    hdlr = bytes(4) + track.handler + bytes(12) + (b"SoundHandler\x00" if sound else b"VideoHandler\x00")
    media_header = full_box(b"smhd", 0, bytes(4)) if sound else full_box(b"vmhd", 1, bytes(8))
    dinf = box(b"dinf", full_box(b"dref", 0, struct.pack(">I", 1), full_box(b"url ", 1)))
    minf = box(b"minf", media_header, dinf, _sample_table(track, chunk_offsets, start))
    mdia = box(b"mdia", full_box(b"mdhd", 0, mdhd), full_box(b"hdlr", 0, hdlr), minf)
    return box(b"trak", full_box(b"tkhd", 3, tkhd), mdia)


def _sample_table(track: Track, chunk_offsets: Sequence[int], start: int) -> bytes:
    count = len(track.samples)
    sizes = struct.pack(f">II{count}I", 0, count, *map(len, track.samples))
    offsets = struct.pack(f">I{len(chunk_offsets)}I", len(chunk_offsets), *(start + at for at in chunk_offsets))
    boxes = [
        full_box(b"stsd", 0, struct.pack(">I", 1), track.entry),
        full_box(b"stts", 0, struct.pack(">III", 1, count, track.delta)),
        full_box(b"stsc", 0, _chunk_map(track.chunks())),
        full_box(b"stsz", 0, sizes),
        full_box(b"stco", 0, offsets),
    ]
    if track.keys is not None:
        keys = [key + 1 for key in track.keys]
        boxes.insert(2, full_box(b"stss", 0, struct.pack(f">I{len(keys)}I", len(keys), *keys)))
    return box(b"stbl", *boxes)


def _chunk_map(chunks: Sequence[range]) -> bytes:
    runs: list[tuple[int, int]] = []
    for number, chunk in enumerate(chunks, 1):
        if not runs or runs[-1][1] != len(chunk):
            runs.append((number, len(chunk)))
    return struct.pack(">I", len(runs)) + b"".join(struct.pack(">III", first, size, 1) for first, size in runs)

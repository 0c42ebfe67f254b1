"""One track of an MP4: its codec, size, rotation and length, read from its `trak` box in memory."""

from dataclasses import dataclass

from clipstead.errors import BadMedia
from clipstead.media.boxes import Box, child, field, inside

_CODECS = {
    b"avc1": "h264",
    b"avc2": "h264",
    b"avc3": "h264",
    b"avc4": "h264",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"hvc2": "hevc",
    b"hev2": "hevc",
    b"dvh1": "hevc",
    b"dvhe": "hevc",
    b"bvc1": "hevc",
    b"bvc2": "bytevc2",
    b"vvc1": "vvc",
    b"vvi1": "vvc",
    b"vp08": "vp8",
    b"vp09": "vp9",
    b"av01": "av1",
    b"mp4v": "mpeg4",
    b"s263": "h263",
    b"mp4a": "aac",
    b".mp3": "mp3",
    b"Opus": "opus",
    b"fLaC": "flac",
    b"ac-3": "ac3",
    b"ec-3": "eac3",
    b"samr": "amr",
    b"encv": "encrypted",
    b"enca": "encrypted",
}
# What the elementary stream descriptor of an `mp4a` entry calls its codec, where that is not AAC.
_OBJECT_TYPES = {0x69: "mp3", 0x6B: "mp3", 0xA5: "ac3", 0xA6: "eac3", 0xA9: "dts", 0xAD: "opus", 0xDD: "vorbis"}
_MATRIX = {(0, 1): 90, (-1, 0): 180, (0, -1): 270}
_NO_TIME = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Track:
    """`kind` is the handler ("vide", "soun", ...), `width` and `height` are as stored, `rotation` in degrees clockwise
    must be applied to show it, `duration` in seconds, `timescale` ticks a second; `table` is its sample table."""

    id: int
    kind: str
    codec: str
    width: int
    height: int
    rotation: int
    duration: float | None
    timescale: int
    table: Box

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as a player shows them."""
        return (self.height, self.width) if self.rotation in (90, 270) else (self.width, self.height)


def read_track(data: bytes, trak: Box, movie_timescale: int) -> Track:
    """The track of one `trak` box. Raises BadMedia if it lacks what every track has."""
    head, media = _need(data, trak, b"tkhd"), _need(data, trak, b"mdia")
    table = _need(data, media, b"minf", b"stbl")
    kind = data[_need(data, media, b"hdlr").body :][8:12].decode("latin-1")
    timescale, ticks = _time(data, _need(data, media, b"mdhd"))
    entry = _first_entry(data, table)
    rotation, width, height = _geometry(data, head)
    if entry is not None and kind == "vide" and not (width and height):
        width, height = field(data, entry, 24, 2), field(data, entry, 26, 2)
    return Track(
        id=field(data, head, 20 if field(data, head, 0, 1) else 12, 4),
        kind=kind,
        codec=_codec(data, entry) if entry else "",
        width=width,
        height=height,
        rotation=rotation,
        duration=_edited(data, trak, movie_timescale) or (ticks / timescale if timescale and ticks else None),
        timescale=timescale,
        table=table,
    )


def _need(data: bytes, parent: Box, *path: bytes) -> Box:
    box = child(data, parent, *path)
    if box is None:
        raise BadMedia("damaged: its index is incomplete")
    return box


def _time(data: bytes, box: Box) -> tuple[int, int]:
    """(ticks a second, ticks) of an `mvhd` or `mdhd`; no ticks where they are not known."""
    long = data[box.body : box.body + 1] == b"\1"
    scale = field(data, box, 20 if long else 12, 4)
    ticks = field(data, box, 24 if long else 16, 8 if long else 4)
    return scale, 0 if ticks in (_NO_TIME, (1 << 64) - 1) else ticks


def movie_time(data: bytes, moov: Box) -> tuple[int, float | None]:
    """(ticks a second, seconds or None) of the whole movie."""
    scale, ticks = _time(data, _need(data, moov, b"mvhd"))
    return scale, ticks / scale if scale and ticks else None


def _edited(data: bytes, trak: Box, movie_timescale: int) -> float | None:
    """The length that the edit list leaves of the track, in seconds; None where there is no edit list."""
    edits = child(data, trak, b"edts", b"elst")
    if edits is None or not movie_timescale:
        return None
    long = data[edits.body : edits.body + 1] == b"\1"
    width, count = (20 if long else 12), field(data, edits, 4, 4)
    room = (edits.end - edits.body - 8) // width
    number = 8 if long else 4
    ticks = sum(field(data, edits, 8 + i * width, number) for i in range(min(count, room, 64)))
    return ticks / movie_timescale or None


def _geometry(data: bytes, head: Box) -> tuple[int, int, int]:
    """(rotation, width, height) of a `tkhd`; the last two are 16.16 numbers, the matrix tells the rotation."""
    matrix = 52 if data[head.body : head.body + 1] == b"\1" else 40
    a, b = (field(data, head, matrix + at, 4, signed=True) for at in (0, 4))
    width, height = (field(data, head, matrix + at, 4) >> 16 for at in (36, 40))
    return _MATRIX.get((_sign(a), _sign(b)), 0), width, height


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _first_entry(data: bytes, table: Box) -> Box | None:
    described = child(data, table, b"stsd")
    if described is None or described.end - described.body < 16:
        return None
    return next(inside(data, described.body + 8, described.end), None)


def _codec(data: bytes, entry: Box) -> str:
    named = _CODECS.get(entry.kind)
    if named is None:
        letters = "".join(chr(c) for c in entry.kind if chr(c).isascii() and chr(c).isalnum())
        return letters.lower() or "unknown"
    if entry.kind != b"mp4a":
        return named
    return _OBJECT_TYPES.get(_object_type(data, entry), named)


def _object_type(data: bytes, entry: Box) -> int:
    """The object type in the `esds` of a sound entry, 0 where there is none: tag 3, then tag 4, then the byte."""
    at = data.find(b"esds", entry.body, entry.end)
    config = data.find(b"\4", at + 9, min(at + 32, entry.end)) if at >= 0 else -1
    if config < 0:
        return 0
    config += 1
    while config < entry.end and data[config] & 0x80:
        config += 1
    return data[config + 1] if config + 1 < entry.end else 0

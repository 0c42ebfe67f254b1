"""MP4 boxes: the outermost ones of a file without reading what is in them, and those inside a piece of memory."""

import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clipstead.errors import BadMedia
from clipstead.media.source import Source, truncated

# What may stand outermost; anything else after the first boxes is somebody's trailing rubbish.
OUTERMOST = frozenset(
    b"ftyp styp moov mdat moof free skip wide uuid meta sidx ssix mfra udta pdin emsg prft pnot imda".split()
)
_MAX_INSIDE = 4096


class Box(NamedTuple):
    """`body` and `end` are offsets (of the file, or of the memory it was found in)."""

    kind: bytes
    start: int
    body: int
    end: int


def outermost(source: Source) -> Iterator[Box]:
    """The boxes of the file in order; ends at trailing rubbish, raises BadMedia (truncated) for one that is cut off."""
    offset, fragmented = 0, False
    while offset + 8 <= source.size:
        box = _read_header(source, offset)
        if box is None:
            return
        fragmented |= box.kind == b"moof"
        yield box
        offset = box.end
    rest = source.upto(offset, 8)
    if rest and (fragmented or rest.strip(b"\0")):  # a few zeros are padding, or the size of the next fragment
        raise truncated()


def _read_header(source: Source, offset: int) -> Box | None:
    header = source.at(offset, 8)
    size, kind, body = int.from_bytes(header[:4], "big"), header[4:], offset + 8
    if kind not in OUTERMOST:
        if offset == 0:
            raise BadMedia("damaged: it does not begin with a box")
        return None
    if size == 1:
        size, body = int.from_bytes(source.at(body, 8), "big"), body + 8
    elif size == 0:
        size = source.size - offset
    if size < body - offset:
        raise BadMedia("damaged: a box of an impossible size")
    if offset + size > source.size:
        raise truncated()
    return Box(kind, offset, body, offset + size)


def inside(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes in data[start:end]; BadMedia if one is larger than what it stands in, or if there is no end of them."""
    for _ in range(_MAX_INSIDE):
        if end - start < 8:
            return
        size, kind, body = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], start + 8
        if size == 1:
            size, body = int.from_bytes(data[body : body + 8], "big"), body + 8
        elif size == 0:
            # QuickTime closes `udta` with 32 zero bits; anywhere else it means "up to the end".
            size = end - start
        if start + size > end or size < body - start:
            raise BadMedia("damaged: a box larger than what it stands in")
        yield Box(kind, start, body, start + size)
        start += size
    raise BadMedia("damaged: its boxes never end")


def child(data: bytes, parent: Box, *path: bytes) -> Box | None:
    """The box found by going down `path` from `parent`, or None."""
    found: Box | None = parent
    for kind in path:
        if found is None:
            return None
        found = next((box for box in inside(data, found.body, found.end) if box.kind == kind), None)
    return found


def field(data: bytes, box: Box, offset: int, size: int, *, signed: bool = False) -> int:
    """The big-endian number at `offset` in the body of `box`; BadMedia if the box is too short for it."""
    at = box.body + offset
    if at + size > box.end:
        raise BadMedia("damaged: a box that is too short")
    return int.from_bytes(data[at : at + size], "big", signed=signed)


def numbers(data: bytes, box: Box, offset: int, count: int, width: int) -> Sequence[int]:
    """`count` big-endian numbers of `width` bytes (4 or 8) from the body of a box; BadMedia if they do not fit."""
    begin = box.body + offset
    if begin + count * width > box.end:
        raise BadMedia("damaged: a box that is too short")
    found: array[int] = array("I" if width == 4 else "Q")
    found.frombytes(data[begin : begin + count * width])
    if sys.byteorder == "little":
        found.byteswap()
    return found

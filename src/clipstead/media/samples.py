"""Where the samples of a track lie in the file: enough to know that the file still holds the last of them."""

from array import array
from collections.abc import Sequence

from clipstead.errors import BadMedia
from clipstead.media.boxes import Box, child, field, numbers

_MAX_RUNS = 200_000


def extent(data: bytes, table: Box) -> tuple[int, int]:
    """(number of samples, end in the file of the chunk that begins last) of one sample table; (0, 0) if it is empty.

    Only that chunk is added up: chunks do not overlap, so no other ends later, and the rest of a table of a million
    samples is never walked in Python.
    """
    sizes = child(data, table, b"stsz") or child(data, table, b"stz2")
    if sizes is None:
        return 0, 0
    count = field(data, sizes, 8, 4)
    chunks = _chunk_offsets(data, table)
    if not count or not chunks:
        return 0, 0
    last = chunks.index(max(chunks))
    first, number = _samples_of(data, table, last)
    return count, chunks[last] + _bytes_of(data, sizes, count, first, number)


def _chunk_offsets(data: bytes, table: Box) -> Sequence[int]:
    box, width = child(data, table, b"stco"), 4
    if box is None:
        box, width = child(data, table, b"co64"), 8
    if box is None:
        return array("I")
    return numbers(data, box, 8, field(data, box, 4, 4), width)


def _samples_of(data: bytes, table: Box, chunk: int) -> tuple[int, int]:
    """(index of its first sample, number of samples) of a chunk, both counted from 0, by the runs of `stsc`."""
    box = child(data, table, b"stsc")
    if box is None:
        raise BadMedia("damaged: its index is incomplete")
    runs = field(data, box, 4, 4)
    if runs > _MAX_RUNS:
        raise BadMedia("damaged: its tables never end")
    runs_of_three = numbers(data, box, 8, runs * 3, 4)
    first, begin, each = 0, 0, 0
    for start, samples in zip(runs_of_three[0::3], runs_of_three[1::3], strict=True):
        if start - 1 > chunk:
            break
        first += max(start - 1 - begin, 0) * each
        begin, each = start - 1, samples
    return first + (chunk - begin) * each, each


def _bytes_of(data: bytes, sizes: Box, count: int, first: int, number: int) -> int:
    number = min(number, max(count - first, 0))
    if sizes.kind == b"stz2":
        return 0  # compact sizes: rare, and the outermost boxes were measured already
    same = field(data, sizes, 4, 4)
    if same:
        return same * number
    if 12 + count * 4 > sizes.end - sizes.body:
        raise BadMedia("damaged: a box that is too short")
    return sum(numbers(data, sizes, 12 + first * 4, number, 4))

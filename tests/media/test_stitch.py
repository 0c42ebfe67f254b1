"""Parts of a stream brought onto one timeline, box by box."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from clipstead.errors import BadMedia
from clipstead.media.stitch import Stitch


def _box(kind: bytes, *inside: bytes) -> bytes:
    body = b"".join(inside)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


def _head(samples: bytes = b"avc1", scale: int = 1000) -> bytes:
    """A film of tracks 1 and 2, the second of which ticks twice as fast."""

    def track(number: int) -> bytes:
        media = _box(b"mdhd", _words(0, 0, 0, scale * number, 0))
        table = _box(b"minf", _box(b"stbl", _box(b"stsd", samples)))
        return _box(b"trak", _box(b"tkhd", _words(0, 0, 0, number)), _box(b"mdia", media, table))

    return _box(b"ftyp", b"iso5") + _box(b"moov", track(1), track(2), _box(b"mvex"))


def _piece(begins: int, lasts: int, *, wide: bool = True, flags: int = 0x020008) -> bytes:
    """Both tracks go on at that tick of the first for so many of them, in one sample."""

    def track(number: int) -> bytes:
        time = (
            (1 << 24).to_bytes(4, "big") + (begins * number).to_bytes(8, "big") if wide else _words(0, begins * number)
        )
        head = _box(b"tfhd", _words(flags, number, lasts * number))
        return _box(b"traf", head, _box(b"tfdt", time), _box(b"trun", _words(0, 1)))

    return (
        _box(b"styp", b"msdh") + _box(b"sidx", bytes(24)) + _box(b"moof", track(1), track(2)) + _box(b"mdat", b"x" * 40)
    )


def _by(size: int, data: bytes) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def _stitched(*parts: list[bytes], size: int = 7) -> bytes:
    stitch = Stitch()
    return b"".join(b"".join(stitch.piece(_by(size, data), n)) for n, part in enumerate(parts) for data in part)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_later_parts_go_on_where_the_first_ended(wide: bool, size: int) -> None:
    """Whatever their own clocks say; one head, no index that is wrong by now, every sample there."""
    first = [_head(), _piece(50, 100, wide=wide), _piece(150, 100, wide=wide)]
    second = [_head(), _piece(0, 30, wide=wide), _piece(30, 30, wide=wide)]
    third = [_piece(9000, 10, wide=wide)]
    expected = [(50, 100), (150, 100), (250, 30), (280, 30), (310, 10)]
    bare = [
        _piece(*times, wide=wide)[len(_box(b"styp", b"msdh")) + len(_box(b"sidx", bytes(24))) :] for times in expected
    ]
    assert _stitched(first, second, third, size=size) == _head() + b"".join(bare)


@pytest.mark.parametrize(
    "part",
    [
        [_head(b"hvc1"), _piece(0, 10)],
        [_head(scale=999), _piece(0, 10)],
        [_head(), _box(b"mdat", bytes(40))],
        [_piece(0, 10, flags=0x020009)],
        [_piece(0, 10, wide=False), _piece(1 << 30, 10, wide=False)],
    ],
    ids=["codec", "clock", "whole", "places", "beyond"],
)
def test_what_does_not_go_together_is_refused(part: list[bytes]) -> None:
    """Another codec, another clock, a film of its own, data told by its place, times that do not fit."""
    with pytest.raises(BadMedia, match="differ"):
        _stitched([_head(), _piece((1 << 31) - 200, 100)], part, part)


def test_mangled_boxes_never_crash() -> None:
    """A typed error, or some bytes."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    whole = [_head(), _piece(0, 100), _head(), _piece(0, 100)]
    for _ in range(2000):
        mangled = [bytearray(data) for data in whole]
        for data in dice.choices(mangled, k=3):
            data[dice.randrange(len(data))] = dice.choice((0, 1, 8, 255, dice.randrange(256)))
        stitch = Stitch()
        try:
            for n, data in enumerate(mangled):
                list(stitch.piece(_by(50, bytes(data)), n // 2))
        except BadMedia:
            continue


@pytest.mark.parametrize("name", [b"tfdt", b"tkhd", b"mdhd"])
def test_an_empty_box_at_the_very_end_is_damaged(name: bytes) -> None:
    table = _box(b"minf", _box(b"stbl", _box(b"stsd", b"avc1")))
    head, media = _box(b"tkhd", _words(0, 0, 0, 1)), _box(b"mdia", table, _box(b"mdhd", _words(0, 0, 0, 1000, 0)))
    ends = {
        b"tfdt": _box(b"moof", _box(b"traf", _box(b"tfhd", _words(0x020008, 1, 10)), _box(name))),
        b"tkhd": _box(b"moov", _box(b"trak", media, _box(name))),
        b"mdhd": _box(b"moov", _box(b"trak", head, _box(b"mdia", table, _box(name)))),
    }
    with pytest.raises(BadMedia):
        _stitched([_box(b"moov", _box(b"trak", head, media)), ends[name]])

"""A tiny H.264 encoder: coloured bars in constrained baseline, cheap enough for full-size frames.

A key frame paints its bars with one uncompressed macroblock each (I_PCM) and lets prediction carry the colour to the
right and downwards at one byte a macroblock; the frames between repeat it at a dozen bytes. So a real 1080x1920 stream
costs kilobytes, and giving it other colours is a patch of a few known places instead of another encoding.
"""

from dataclasses import dataclass
from functools import lru_cache

from clipstead.practice.bits import escape, fixed, pack, signed, unsigned

BARS = 8
PCM_BYTES = 384  # one macroblock uncompressed: 256 luma and two times 64 chroma
_FRAME_NUM_BITS = 4
_EMPTY_BESIDE_PCM = "000011"  # coeff_token for no coefficients where a neighbour is I_PCM
_EMPTY = "1"  # the same where no neighbour has any
_I_PCM = unsigned(25)
_HORIZONTAL = unsigned(2) + unsigned(1) + signed(0)  # Intra_16x16 with no coefficients, chroma likewise, QP unchanged
_VERTICAL = unsigned(1) + unsigned(2) + signed(0)


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A coded IDR picture (one NAL unit, no length) and the offsets of its bars' PCM payloads."""

    data: bytes
    slots: tuple[int, ...]


def parameter_sets(width: int, height: int) -> tuple[bytes, bytes]:
    """SPS and PPS for frames of that size in pixels (even numbers)."""
    columns, rows = macroblocks(width, height)
    crop = [0, (columns * 16 - width) // 2, 0, (rows * 16 - height) // 2]
    sps = (
        fixed(66, 8) + fixed(0b11000000, 8) + fixed(_level(columns * rows), 8) + unsigned(0)
        + unsigned(_FRAME_NUM_BITS - 4) + unsigned(2)  # picture order = decoding order
        + unsigned(1) + "0" + unsigned(columns - 1) + unsigned(rows - 1) + "11"
        + ("1" + "".join(map(unsigned, crop)) if any(crop) else "0")
        + "0" + "1"
    )  # fmt: skip
    pps = (
        unsigned(0) + unsigned(0) + "00" + unsigned(0) + unsigned(0) + unsigned(0) + "0" + "00"
        + signed(0) + signed(0) + signed(0) + "100" + "1"
    )  # fmt: skip
    return b"\x67" + escape(pack(sps)), b"\x68" + escape(pack(pps))


def macroblocks(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of 16x16 macroblocks that cover such a frame."""
    return -(-width // 16), -(-height // 16)


@lru_cache(maxsize=16)
def key_frame(width: int, height: int, idr_pic_id: int) -> KeyFrame:
    """An IDR picture of `BARS` vertical bars, each still mid-grey; `paint` gives them their colours."""
    columns, rows = macroblocks(width, height)
    starts = [columns * bar // BARS for bar in range(BARS)]
    out = bytearray(b"\x65")
    bits = unsigned(0) + unsigned(7) + unsigned(0) + fixed(0, _FRAME_NUM_BITS)
    bits += unsigned(idr_pic_id) + "00" + signed(0) + unsigned(1)
    slots = []
    for column in range(columns):
        if column in starts:
            out += escape(pack(bits + _I_PCM))
            slots.append(len(out))
            out += b"\x80" * PCM_BYTES
            bits = ""
        else:
            bits += _HORIZONTAL + (_EMPTY_BESIDE_PCM if column - 1 in starts else _EMPTY)
    for column in range(columns):
        bits += _VERTICAL + (_EMPTY_BESIDE_PCM if column in starts else _EMPTY)
    bits += (_VERTICAL + _EMPTY) * (columns * (rows - 2))
    out += escape(pack(bits + "1"))
    return KeyFrame(bytes(out), tuple(slots))


@lru_cache(maxsize=256)
def repeat_frame(width: int, height: int, number: int) -> bytes:
    """A P picture that shows the one before it again; `number` counts from the key frame (1, 2, ...)."""
    columns, rows = macroblocks(width, height)
    header = unsigned(0) + unsigned(5) + unsigned(0) + fixed(number % (1 << _FRAME_NUM_BITS), _FRAME_NUM_BITS)
    header += "000" + signed(0) + unsigned(1)
    return b"\x61" + escape(pack(header + unsigned(columns * rows) + "1"))


def paint(luma: int, blue: int, red: int) -> bytes:
    """The PCM payload of one bar; every value must lie in 16..235 so that it never looks like a start code."""
    return bytes([luma]) * 256 + bytes([blue]) * 64 + bytes([red]) * 64


def filler(size: int) -> bytes:
    """A filler data NAL unit of exactly `size` bytes (at least 2): weight without meaning."""
    return b"\x0c" + b"\xff" * (size - 2) + b"\x80"


def _level(macroblock_count: int) -> int:
    """level_idc for that frame size at up to 30 frames a second."""
    return next((level for level, most in ((30, 1620), (31, 3600), (40, 8192)) if macroblock_count <= most), 51)

"""A tiny baseline JPEG encoder: full-size pictures of horizontal colour bands, a few kilobytes each.

Every row of macroblocks is one colour and stands between restart markers, so a row is one first block and then nothing
but "the same again", which our Huffman tables code in two bits a block.
"""

import struct
from functools import lru_cache

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_QUANT = bytes([8] * 64)  # a flat block of level v has the coefficient (v - 128) * 8, so it quantises to v - 128
# DC: size 0 is "0", sizes 1..8 are "1000".."1111" less one that must stay unused: sizes 1..7 suffice for +-127.
_DC_BITS = bytes([1, 0, 0, 7] + [0] * 12)
_DC_VALUES = bytes(range(8))
_AC_BITS = bytes([1] + [0] * 15)  # one code: "0" is end of block
_AC_VALUES = b"\x00"
Colour = tuple[int, int, int]


def jpeg(width: int, height: int, top: Colour, bottom: Colour, comment: str = "") -> bytes:
    """A picture that runs from one colour (Y, Cb, Cr) at the top to another at the bottom."""
    columns, rows = -(-width // 16), -(-height // 16)
    body = bytearray()
    for row in range(rows):
        part = row / max(1, rows - 1)
        colour = tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
        body += _row(columns, *colour)
        if row < rows - 1:
            body += bytes([0xFF, 0xD0 + row % 8])
    return _header(width, height, columns, comment) + bytes(body) + _EOI


@lru_cache(maxsize=8)
def _header(width: int, height: int, columns: int, comment: str) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0])
    return (
        _SOI
        + _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
        + _segment(0xFE, comment.encode())
        + _segment(0xDB, b"\x00" + _QUANT)
        + _segment(0xC0, frame)
        + _segment(0xC4, b"\x00" + _DC_BITS + _DC_VALUES + b"\x10" + _AC_BITS + _AC_VALUES)
        + _segment(0xDD, struct.pack(">H", columns))
        + _segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0]))
    )


@lru_cache(maxsize=4096)
def _row(columns: int, luma: int, blue: int, red: int) -> bytes:
    same = "00"  # the level of the block before, and end of block
    first = _flat(luma) + same * 3 + _flat(blue) + _flat(red)
    bits = first + same * 6 * (columns - 1)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")


def _flat(level: int) -> str:
    """A block of one level (1..255), the first of its restart interval."""
    value = level - 128
    if value == 0:
        return "00"
    size = abs(value).bit_length()
    code = format(0b1000 + size - 1, "04b")
    return code + format(value if value > 0 else value + (1 << size) - 1, f"0{size}b") + "0"


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload

"""Bit strings for the little encoders of the practice world: numbers to bits, bits to bytes."""

import re

_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")


def fixed(value: int, width: int) -> str:
    """`value` in exactly `width` bits, most significant first."""
    return format(value, f"0{width}b") if width else ""


def unsigned(value: int) -> str:
    """H.264's ue(v): an unsigned Exp-Golomb code."""
    code = format(value + 1, "b")
    return "0" * (len(code) - 1) + code


def signed(value: int) -> str:
    """H.264's se(v): a signed Exp-Golomb code."""
    return unsigned(2 * value - 1 if value > 0 else -2 * value)


def pack(bits: str, fill: str = "0") -> bytes:
    """The bits as bytes, the last one filled up with `fill`."""
    bits += fill * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def escape(payload: bytes) -> bytes:
    """H.264's emulation prevention: no start code may appear inside a NAL unit."""
    return _ESCAPE.sub(b"\x00\x00\x03", payload)

"""Real MP3 files of silence: an ID3 tag, an Info frame that tells the length, and empty MPEG-1 Layer III frames."""

import math
import struct

SAMPLE_RATE = 44_100
FRAME_SAMPLES = 1152
_FRAME_BYTES = 417  # 128 kbit/s without padding
_HEAD = b"\xff\xfb\x90\x00" + bytes(32)  # stereo; all side information zero: nothing is coded
_FRAME = _HEAD.ljust(_FRAME_BYTES, b"\x00")


def mp3(seconds: float, title: str, artist: str) -> bytes:
    """`seconds` of silence (rounded up to a frame of 26 ms), tagged; about 16 KB a second."""
    count = math.ceil(seconds * SAMPLE_RATE / FRAME_SAMPLES)
    info = b"Info" + struct.pack(">III", 3, count, _FRAME_BYTES * (count + 1))
    return _id3(title, artist) + (_HEAD + info).ljust(_FRAME_BYTES, b"\x00") + _FRAME * count


def _id3(title: str, artist: str) -> bytes:
    frames = b"".join(_text_frame(name, text) for name, text in ((b"TIT2", title), (b"TPE1", artist)))
    size = len(frames)
    return b"ID3\x03\x00\x00" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + frames


def _text_frame(name: bytes, text: str) -> bytes:
    body = b"\x01" + text.encode("utf-16")
    return name + len(body).to_bytes(4, "big") + bytes(2) + body

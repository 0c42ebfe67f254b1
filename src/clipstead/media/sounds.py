"""WAV, FLAC and Ogg, told by their headers and their last page."""

from clipstead.errors import BadMedia
from clipstead.media.facts import Probe
from clipstead.media.source import Source, truncated
from clipstead.model import MediaKind

_MAX_CHUNKS = 512
_TAIL = 64 * 1024
_STREAMED = 0xFFFFFFFF  # the size that a writer leaves who could not go back to fill it in
_OGG_CODECS = (
    (b"\x01vorbis", "vorbis"),
    (b"OpusHead", "opus"),
    (b"\x7fFLAC", "flac"),
    (b"Speex   ", "speex"),
)


def read_wav(source: Source) -> Probe:
    """Probe a RIFF WAVE file. Raises BadMedia: truncated, damaged."""
    offset, rate = 12, 0
    for _ in range(_MAX_CHUNKS):
        header = source.at(offset, 8)
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"fmt ":
            rate = int.from_bytes(source.at(offset + 16, 4), "little")
        if header[:4] == b"data":
            there = source.size - offset - 8
            if size > there and size != _STREAMED:
                raise truncated()
            seconds = min(size, there) / rate if rate else None
            return Probe(MediaKind.AUDIO, "wav", "audio/wav", source.size, duration=seconds, audio="pcm")
        offset += 8 + size + size % 2
    raise BadMedia("damaged: its chunks never end")


def read_flac(source: Source) -> Probe:
    """Probe a FLAC file by its first block. Raises BadMedia."""
    info = source.at(4, 38)
    if info[0] & 0x7F != 0 or len(info) < 22:
        raise BadMedia("damaged: no FLAC header")
    bits = int.from_bytes(info[14:22], "big")
    rate, samples = bits >> 44, bits & (1 << 36) - 1
    seconds = samples / rate if rate and samples else None
    return Probe(MediaKind.AUDIO, "flac", "audio/flac", source.size, duration=seconds, audio="flac")


def read_ogg(source: Source) -> Probe:
    """Probe an Ogg file that holds one sound. Raises BadMedia: truncated, no sound."""
    head = source.upto(0, 4096)
    codec = next((name for magic, name in _OGG_CODECS if magic in head), None)
    if codec is None:
        raise BadMedia("no sound in it that we know")
    ticks = _last_tick(source.tail(_TAIL))
    rate = _ogg_rate(head, codec)
    ext = "opus" if codec == "opus" else "ogg"
    return Probe(MediaKind.AUDIO, ext, "audio/ogg", source.size, duration=ticks / rate if rate else None, audio=codec)


def _ogg_rate(head: bytes, codec: str) -> int:
    if codec == "opus":
        return 48000
    at = head.find(b"\x01vorbis")
    return int.from_bytes(head[at + 12 : at + 16], "little") if at >= 0 else 0


def _last_tick(tail: bytes) -> int:
    """The position that the last page tells; BadMedia (truncated) if that page is not whole."""
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        raise truncated()
    segments = tail[at + 27 : at + 27 + tail[at + 26]]
    if len(segments) < tail[at + 26] or at + 27 + len(segments) + sum(segments) > len(tail):
        raise truncated()
    return int.from_bytes(tail[at + 6 : at + 14], "little")

"""FLV, which some sites still serve: whether there is picture and sound, by the header and the first tags."""

from clipstead.errors import BadMedia
from clipstead.media.facts import Probe
from clipstead.media.source import Source, truncated
from clipstead.model import MediaKind

_MAX_TAGS = 200
_SOUND, _PICTURE = 8, 9
_VIDEO = {2: "h263", 4: "vp6", 5: "vp6", 7: "h264", 12: "hevc"}
_AUDIO = {2: "mp3", 10: "aac", 11: "speex"}


def read_flv(source: Source) -> Probe:
    """Probe an FLV file; its length is the time stamp of its last tag. Raises BadMedia: truncated, damaged."""
    video, audio = _codecs(source)
    if video is None and audio is None:
        raise BadMedia("no video and no sound in it")
    kind, mime = (MediaKind.VIDEO, "video/x-flv") if video else (MediaKind.AUDIO, "audio/x-flv")
    return Probe(kind, "flv", mime, source.size, duration=_seconds(source), video=video, audio=audio)


def _codecs(source: Source) -> tuple[str | None, str | None]:
    flags = source.at(4, 1)[0]
    missing = (1 if flags & 1 else 0) + (1 if flags & 4 else 0)
    video: str | None = None
    audio: str | None = None
    offset = int.from_bytes(source.at(5, 4), "big") + 4
    for _ in range(_MAX_TAGS):
        if offset + 12 > source.size or (video is not None) + (audio is not None) >= missing:
            break
        tag = source.at(offset, 12)
        if tag[0] == _PICTURE:
            video = video or _VIDEO.get(tag[11] & 0x0F, "unknown")
        elif tag[0] == _SOUND:
            audio = audio or _AUDIO.get(tag[11] >> 4, "unknown")
        offset += 15 + int.from_bytes(tag[1:4], "big")
    return video, audio


def _seconds(source: Source) -> float:
    """The last tag is found by the length that stands behind it; if it is not there, the file was cut."""
    length = int.from_bytes(source.tail(4), "big")
    offset = source.size - 4 - length
    if length < 11 or offset < 9:
        raise truncated()
    tag = source.at(offset, 11)
    if int.from_bytes(tag[1:4], "big") + 11 != length:
        raise truncated()
    return int.from_bytes(bytes((tag[7], *tag[4:7])), "big") / 1000

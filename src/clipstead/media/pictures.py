"""Images, told by their headers: size in pixels, and whether the file goes on to its proper end."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from clipstead.errors import BadMedia
from clipstead.media.boxes import Box, child, field, inside, outermost
from clipstead.media.facts import Probe
from clipstead.media.source import Source, truncated
from clipstead.model import MediaKind

_MAX_META = 1 << 20
_MAX_SEGMENTS = 4096
# Cameras and CDNs append things (a thumbnail's rest, a motion photo, padding): the end mark may lie this far in.
_TAIL = 64 * 1024
_PNG_END = b"IEND\xaeB`\x82"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def read_picture(source: Source, ext: str, mime: str) -> Probe:
    """Probe an image that was sniffed as `ext`. Raises BadMedia: truncated, damaged."""
    width, height = _READERS[ext](source)
    if not (width and height):
        raise BadMedia("damaged: an image without pixels")
    return Probe(MediaKind.IMAGE, ext, mime, source.size, width=width, height=height)


def _jpeg(source: Source) -> tuple[int, int]:
    offset, size = 2, (0, 0)
    for _ in range(_MAX_SEGMENTS):
        marker = source.at(offset, 4)
        kind = marker[1]
        if marker[0] != 0xFF:
            raise BadMedia("damaged: no JPEG segment where one must be")
        if kind == 0xFF or kind in _ALONE:  # padding, and marks without a body
            offset += 1 if kind == 0xFF else 2
            continue
        if kind == 0xDA:
            return _jpeg_end(source, offset, size)
        if kind in _FRAMES:
            frame = source.at(offset + 5, 4)
            size = int.from_bytes(frame[2:], "big"), int.from_bytes(frame[:2], "big")
        offset += 2 + max(int.from_bytes(marker[2:], "big"), 2)
    raise BadMedia("damaged: its segments never end")


def _jpeg_end(source: Source, scan: int, size: tuple[int, int]) -> tuple[int, int]:
    """The size, once the end mark was seen: inside a scan 0xFF is never followed by 0xD9."""
    if b"\xff\xd9" not in source.tail(min(source.size - scan, _TAIL)):
        raise truncated()
    return size


def _png(source: Source) -> tuple[int, int]:
    header = source.at(8, 16)
    if header[4:8] != b"IHDR":
        raise BadMedia("damaged: no PNG header")
    if _PNG_END not in source.tail(_TAIL):
        raise truncated()
    return int.from_bytes(header[8:12], "big"), int.from_bytes(header[12:16], "big")


def _gif(source: Source) -> tuple[int, int]:
    screen = source.at(6, 4)
    if not source.tail(_TAIL).rstrip(b"\0").endswith(b"\0\x3b"):
        raise truncated()
    return int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:], "little")


def _webp(source: Source) -> tuple[int, int]:
    if int.from_bytes(source.at(4, 4), "little") + 8 > source.size:
        raise truncated()
    chunk = source.at(12, 18)
    kind, body = chunk[:4], chunk[8:]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise BadMedia("damaged: no WebP image in it")


def _heif(source: Source) -> tuple[int, int]:
    """AVIF and HEIC: the largest of the sizes that the items of `meta` declare."""
    boxes = {box.kind: box for box in outermost(source)}
    meta = boxes.get(b"meta")
    if meta is None or b"mdat" not in boxes:
        raise truncated()
    if meta.end - meta.body > _MAX_META:
        raise BadMedia("damaged: its index is too large")
    data = source.at(meta.body, meta.end - meta.body)
    properties = child(data, Box(b"meta", 0, 4, len(data)), b"iprp", b"ipco")
    if properties is None:
        raise BadMedia("damaged: its index is incomplete")
    extents = (box for box in inside(data, properties.body, properties.end) if box.kind == b"ispe")
    sizes = [(field(data, box, 4, 4), field(data, box, 8, 4)) for box in extents]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


_READERS: Mapping[str, Callable[[Source], tuple[int, int]]] = MappingProxyType(
    {"jpg": _jpeg, "png": _png, "gif": _gif, "webp": _webp, "avif": _heif, "heic": _heif}
)

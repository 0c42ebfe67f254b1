"""An HLS media playlist read: which pieces make the file, in order, and how each is locked. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from clipstead.errors import BadMedia

MOST_PIECES = 50_000
LONGEST = 8 * 1024 * 1024
"""Bytes of a playlist that is still read."""

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)')
_RANGE = re.compile(r"(\d{1,15})(?:@(\d{1,15}))?")
_HEX = re.compile(r"0[xX]([0-9a-fA-F]{1,32})")


@dataclass(frozen=True, slots=True)
class Lock:
    """AES-128 in CBC: where the key is, and the first vector if it is told."""

    url: str
    vector: bytes | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the file: all of `url`, or its bytes from `span[0]` to `span[1]`, both included.

    `number` is its place in the stream, from which an untold vector follows. `part` counts up where the stream breaks:
    from there on another head and other times may apply.
    """

    url: str
    number: int
    span: tuple[int, int] | None = None
    lock: Lock | None = None
    part: int = 0

    @property
    def vector(self) -> bytes:
        """The first vector of its lock."""
        told = self.lock.vector if self.lock else None
        return told or self.number.to_bytes(16, "big")


def parse(text: str, url: str) -> tuple[Piece, ...]:
    """The pieces of a finished stream, its head first where it has one; `url` is the playlist's own.

    Raises BadMedia for what is no playlist, still live, protected, or beyond measure.
    """
    if not text.startswith("#EXTM3U"):
        raise BadMedia("not a playlist")
    if "#EXT-X-STREAM-INF" in text:
        raise BadMedia("a list of streams where one stream should be")
    if "#EXT-X-ENDLIST" not in text and "#EXT-X-PLAYLIST-TYPE:VOD" not in text:
        raise BadMedia("a stream that is still live")
    reader = _Reader(url)
    for line in text.splitlines():
        reader.line(line.strip())
    if not reader.pieces:
        raise BadMedia("a stream without pieces")
    return tuple(reader.pieces)


class _Reader:
    def __init__(self, url: str) -> None:
        self.pieces: list[Piece] = []
        self._url = url
        self._number = 0
        self._head: str | None = None
        self._lock: Lock | None = None
        self._ends: dict[str, int] = {}
        self._told_range = ""
        self._part = 0
        self._gap = False

    def line(self, line: str) -> None:
        """One line of the playlist; what we do not know is passed over."""
        name, _, value = line.partition(":")
        if line and not line.startswith("#"):
            self._add(_joined(self._url, line))
        elif name == "#EXT-X-MEDIA-SEQUENCE":
            self._number = int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0
        elif name == "#EXT-X-BYTERANGE":
            self._told_range = value
        elif name == "#EXT-X-KEY":
            self._lock = _lock(_attributes(value), self._url)
        elif name == "#EXT-X-GAP":
            self._gap = True
        elif name == "#EXT-X-DISCONTINUITY":
            self._part += bool(self.pieces)
        elif name == "#EXT-X-MAP":
            self._map(value)

    def _add(self, url: str) -> None:
        if len(self.pieces) >= MOST_PIECES:
            raise BadMedia("a stream of too many pieces")
        span = self._within(url, self._told_range) if self._told_range else None
        self._told_range = ""
        if not self._gap:  # else the list itself says that it is not there
            self.pieces.append(Piece(url, self._number, span, self._lock, self._part))
        self._gap = False
        self._number += 1

    def _map(self, value: str) -> None:
        """The head of all pieces from here on; one that is there already is not wanted again."""
        if value == self._head:
            return
        if self.pieces and self.pieces[-1].part == self._part:
            self._part += 1
        self._head = value
        told = _attributes(value)
        url = _joined(self._url, told.get("URI", ""))
        span = self._within(url, told["BYTERANGE"]) if "BYTERANGE" in told else None
        self.pieces.append(Piece(url, self._number, span, self._lock, self._part))

    def _within(self, url: str, told: str) -> tuple[int, int]:
        """`length@start`; without a start it goes on where the last range of the same file ended."""
        found = _RANGE.fullmatch(told.strip())
        if found is None or not int(found[1]):
            raise BadMedia("a playlist that cannot be read")
        start = int(found[2]) if found[2] else self._ends.get(url, 0)
        self._ends[url] = start + int(found[1])
        return start, self._ends[url] - 1


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # half an IPv6 address
        raise BadMedia("a playlist that cannot be read") from None


def _lock(told: dict[str, str], base: str) -> Lock | None:
    method = told.get("METHOD", "NONE")
    if method == "NONE":
        return None
    if method != "AES-128" or told.get("KEYFORMAT", "identity") != "identity" or not told.get("URI"):
        raise BadMedia("a protected stream")
    vector = _HEX.fullmatch(told.get("IV", ""))
    return Lock(_joined(base, told["URI"]), bytes.fromhex(vector[1].zfill(32)) if vector else None)


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}

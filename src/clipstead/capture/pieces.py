"""A stream that comes in pieces becomes one file: pieces fetched a few at a time, unlocked, written in their order."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from clipstead.capture.piece import Getter, Spool, Tally
from clipstead.capture.unlock import KEY_BYTES, unlocked
from clipstead.errors import BadMedia, DownloadFailed
from clipstead.media.facts import Probe
from clipstead.media.hls import LONGEST, Piece, parse
from clipstead.media.mime import mime_of
from clipstead.media.stitch import Stitch
from clipstead.model import Media, MediaKind
from clipstead.net.download import Fetched, Fetcher
from clipstead.net.partfile import PartFile

_AT_ONCE = 4
_EBML = b"\x1a\x45\xdf\xa3"
_HEADS = (
    (b"\x47", "ts"),
    (b"ID3", "aac"),
    (b"\xff\xf1", "aac"),
    (b"\xff\xf9", "aac"),
    (b"\xff\xfb", "mp3"),
    (_EBML, "webm"),
)
_BOXES = (b"ftyp", b"styp", b"moof", b"sidx", b"moov")


@dataclass(frozen=True, slots=True)
class Strung(Fetched):
    """A stream strung together; `breaks` where its clock begins anew in the middle."""

    breaks: bool = False


class Pieces:
    """Fetches streams; `max_bytes` is the most that one may come to, `backoff` the first pause before another try."""

    def __init__(self, fetcher: Fetcher, *, max_bytes: int, backoff: float) -> None:
        self._fetcher = fetcher
        self._backoff = backoff
        self._max_bytes = max_bytes

    async def to_file(
        self, media: Media, url: str, path: Path, progress: Callable[[int, int | None], None] | None
    ) -> Strung:
        """The stream at `url` in a part file beside `path`, as `Fetcher.to_file` gives one.

        Its length is a guess from the pieces so far. Raises DownloadFailed, AddressRefused, StorageError.
        """
        getter = Getter(self._fetcher, media, path.parent, backoff=self._backoff)
        pieces = _pieces(*await _playlist(getter, media, url))
        part, size = PartFile(path), 0
        try:
            tally = Tally(pieces, self._max_bytes, progress)
            joined = _Joined(several=pieces[-1].part > 0)
            async with aclosing(_in_order(getter, pieces, tally, joined)) as chunks:
                async for chunk in chunks:
                    part.write(chunk)
                    size += len(chunk)
                    await asyncio.sleep(0)  # a large piece is no reason for others to wait
            part.close()
        except BaseException:
            part.discard()
            raise
        return Strung(size, "", "", part, breaks=joined.breaks)


async def _playlist(getter: Getter, media: Media, url: str) -> tuple[bytes, str]:
    """The playlist, and the address from which it counts."""
    if not media.playlist:
        return await getter.small(url, LONGEST)
    unpacking = zlib.decompressobj()
    try:
        told = unpacking.decompress(media.playlist, LONGEST)
    except zlib.error:
        told = b""
    return b"" if unpacking.unconsumed_tail else told, url


def _pieces(playlist: bytes, url: str) -> tuple[Piece, ...]:
    try:
        return parse(playlist.decode("utf-8", "replace").lstrip("\ufeff"), url)
    except BadMedia as error:
        raise DownloadFailed(f"The platform has {error}", transient=False) from None


async def _in_order(
    getter: Getter, pieces: tuple[Piece, ...], tally: Tally, joined: "_Joined"
) -> AsyncGenerator[bytes]:
    """The bytes of the file. Pieces come a few at a time, each waits for its turn."""
    keys: dict[str, asyncio.Future[tuple[bytes, str]]] = {}

    def ask(place: int) -> asyncio.Future[Spool]:
        lock = pieces[place].lock
        if lock is not None and lock.url not in keys:
            keys[lock.url] = asyncio.ensure_future(getter.small(lock.url, KEY_BYTES))
        return asyncio.ensure_future(getter.piece(pieces[place], place, tally))

    waiting = [ask(place) for place in range(min(_AT_ONCE, len(pieces)))]
    try:
        for place, piece in enumerate(pieces):
            spool = await waiting[0]
            try:
                key = (await asyncio.shield(keys[piece.lock.url]))[0] if piece.lock else None
                for chunk in joined(_in_clear(spool, piece, key), piece.part):
                    yield chunk
            finally:
                waiting.pop(0)
                spool.close()
            if place + _AT_ONCE < len(pieces):
                waiting.append(ask(place + _AT_ONCE))
    finally:
        await _abandon(waiting, list(keys.values()))


class _Joined:
    """How pieces follow one another: as they are, unless there are several parts, each with a clock of its own."""

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._stitch: Stitch | None = None

    @property
    def breaks(self) -> bool:
        """Whether the clock begins anew somewhere."""
        return self._several and self._stitch is None

    def __call__(self, chunks: Iterable[bytes], part: int) -> Iterator[bytes]:
        """A piece, as it goes into the file. Raises DownloadFailed where it does not go with the others."""
        chunks = iter(chunks)
        if self._several:
            first = next(chunks, b"")
            chunks = chain([first], chunks)
            if part == 0 and first[4:8] in _BOXES and self._stitch is None:
                self._stitch = Stitch()
            if part and self._stitch is None and not _has_its_own_times(first):
                raise DownloadFailed("The platform has a stream of several parts that differ", transient=False)
        try:
            yield from self._stitch.piece(chunks, part) if self._stitch else chunks
        except BadMedia as error:
            raise DownloadFailed(f"The platform has {error}", transient=False) from None


def _has_its_own_times(first: bytes) -> bool:
    """TS and bare sound: whoever reads them puts up with clocks that begin anew."""
    return first[4:8] not in _BOXES and not first.startswith(_EBML)


def _in_clear(spool: Spool, piece: Piece, key: bytes | None) -> Iterable[bytes]:
    return spool.chunks() if key is None else unlocked(spool.chunks(), key, piece.vector)


async def _abandon(spools: Sequence[asyncio.Future[Spool]], keys: Sequence[asyncio.Future[tuple[bytes, str]]]) -> None:
    """End what is under way, and close what had come."""
    for spool in spools:
        spool.cancel()
    for key in keys:
        key.cancel()
    await asyncio.gather(*keys, return_exceptions=True)
    for found in await asyncio.gather(*spools, return_exceptions=True):
        if isinstance(found, Spool):
            found.close()


def look(media: Media, path: Path) -> Probe:
    """What a joined stream seems to be by its first bytes: whoever makes a file of it looks closer. Raises BadMedia."""
    with path.open("rb") as file:
        head, size = file.read(16), path.stat().st_size
    ext = next((ext for start, ext in _HEADS if head.startswith(start)), "mp4" if head[4:8] in _BOXES else "")
    if not ext:
        raise BadMedia("not a media file")
    heard = "unknown" if media.kind is MediaKind.AUDIO or "video only" not in media.quality else None
    seen = "unknown" if media.kind is MediaKind.VIDEO else None
    return Probe(media.kind, ext, mime_of(ext), size, None, media.width, media.height, seen, heard)

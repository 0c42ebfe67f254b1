"""One piece of a stream: fetched with patience, held in memory or, beyond that, in a file without a name."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

from clipstead.errors import DownloadFailed, StorageError
from clipstead.media.hls import Piece
from clipstead.model import Media
from clipstead.net.download import Fetcher, Incoming, Throttled
from clipstead.net.hops import family
from clipstead.net.hosts import split_url

_TRIES = 3
_LONGEST_PAUSE = 10.0
_HELD = 2 * 1024**2
_CHUNK = 1024**2
_WINDOW_SECONDS = 20.0
_LEAST_BYTES = 4096  # in each window: what trickles slower than that never ends
_REFUSED = (401, 403, 404, 410)  # by then the address is dead: whoever asked for it resolves the post again
_MAY_TRAVEL = frozenset({"accept", "accept-language", "origin", "referer", "user-agent"})


class Tally:
    """How much of a stream is here, of how much: sizes that are known, and their mean for the others.

    `max_bytes` is the most that the stream may come to, and half of what it may cost to get it.
    """

    def __init__(
        self, pieces: tuple[Piece, ...], max_bytes: int, progress: Callable[[int, int | None], None] | None
    ) -> None:
        self._sizes = {place: piece.span[1] - piece.span[0] + 1 for place, piece in enumerate(pieces) if piece.span}
        self._known = sum(self._sizes.values())
        self._count = len(pieces)
        self._max_bytes = max_bytes
        self._progress = progress
        self._cost = 0
        self.here = 0

    def told(self, place: int, size: int) -> None:
        """So large is that piece."""
        self._known += size - self._sizes.get(place, 0)
        self._sizes[place] = size

    def came(self, size: int, of_use: int) -> None:
        """So many bytes came, and so many of them are of use. Raises DownloadFailed where it is too much."""
        self.here += of_use
        self._cost += size
        if self.here > self._max_bytes or self._cost > 2 * self._max_bytes:
            raise DownloadFailed(f"The stream is larger than the {self._max_bytes} bytes allowed", transient=False)
        if self._progress is not None:
            self._progress(self.here, self._whole())

    def lost(self, size: int) -> None:
        """So many have to come again."""
        self.here -= size

    def _whole(self) -> int | None:
        if not self._sizes:
            return None
        return max(self.here, self._known * self._count // len(self._sizes))


class Spool:
    """The bytes of a piece until it is their turn. Every method raises StorageError when the disk fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = tempfile.SpooledTemporaryFile(max_size=_HELD, dir=str(folder))  # noqa: SIM115  # closed by its owner
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self._fault(error) from None
        self.size += len(data)

    def chunks(self) -> Iterator[bytes]:
        """All of it, from the beginning."""
        try:
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK):
                yield chunk
        except OSError as error:
            raise self._fault(error) from None

    def close(self) -> None:
        """Gone, wherever it was."""
        self._file.close()

    def _fault(self, error: OSError) -> StorageError:
        return StorageError(f"Cannot write to {self._folder.name}: {error.strerror or 'the disk failed'}")


class Getter:
    """Fetches what a stream of `media` is made of, each thing up to three times, the first pause `backoff` seconds.

    Pieces wait in `folder`.
    """

    def __init__(self, fetcher: Fetcher, media: Media, folder: Path, *, backoff: float) -> None:
        self._fetcher = fetcher
        self._media = media
        self._folder = folder
        self._backoff = backoff

    async def small(self, url: str, most: int) -> tuple[bytes, str]:
        """A body of at most `most` bytes, and where it came from in the end. Raises DownloadFailed, AddressRefused."""
        for attempt in range(_TRIES):
            try:
                return await self._small(url, most)
            except DownloadFailed as error:
                await self._breathe(error, attempt)
        raise AssertionError("unreachable")

    async def piece(self, piece: Piece, place: int, tally: Tally) -> Spool:
        """A whole piece, which the caller closes. Raises DownloadFailed, AddressRefused, StorageError."""
        for attempt in range(_TRIES):
            spool = Spool(self._folder)
            try:
                await self._pour(piece, place, tally, spool)
                return spool
            except DownloadFailed as error:
                tally.lost(spool.size)
                spool.close()
                await self._breathe(error, attempt)
            except BaseException:
                spool.close()
                raise
        raise AssertionError("unreachable")

    async def _small(self, url: str, most: int) -> tuple[bytes, str]:
        body = bytearray()
        headers, cookies = dressed(self._media, url)
        async with self._fetcher.open(url, headers=headers, cookies=cookies) as incoming:
            async for chunk in _steadily(incoming):
                body += chunk
                if len(body) > most:
                    raise DownloadFailed(f"{incoming.host} sent more than was to be expected", transient=False)
            return bytes(body), incoming.url

    async def _pour(self, piece: Piece, place: int, tally: Tally, spool: Spool) -> None:
        headers, cookies = dressed(self._media, piece.url)
        span = piece.span
        async with self._fetcher.open(piece.url, headers=headers, cookies=cookies, byte_range=span) as incoming:
            whole = span is not None and incoming.status == 200  # it does not know ranges
            skip, left = (span[0] if span and whole else 0), (span[1] - span[0] + 1 if span else None)
            if span is None and incoming.length is not None:
                tally.told(place, incoming.length)
            async for chunk in _steadily(incoming):
                data = memoryview(chunk)[min(skip, len(chunk)) :]
                skip -= len(chunk) - len(data)
                data = data if left is None else data[: left - spool.size]
                spool.write(data)
                tally.came(len(chunk), len(data))
                if spool.size == left:
                    break
            if not spool.size or (left is not None and spool.size < left):
                raise DownloadFailed(f"{incoming.host}: a piece of the stream came short")
        tally.told(place, spool.size)

    async def _breathe(self, error: DownloadFailed, attempt: int) -> None:
        """The pause before the next try. Raises the error where there is none."""
        if not error.transient or attempt + 1 == _TRIES or error.status in _REFUSED:
            raise error
        asked = error.retry_after if isinstance(error, Throttled) else self._backoff * 2**attempt
        await asyncio.sleep(min(asked, _LONGEST_PAUSE))


def dressed(media: Media, url: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The headers and cookies that may go to `url`: a playlist can name any host, and none but its own gets them all.

    What others see of a browser, where it comes from above all, they may see: many a CDN asks for it.
    """
    if _house(url) == _house(media.url):
        return media.headers, media.cookies
    return {name: value for name, value in media.headers.items() if name.lower() in _MAY_TRAVEL}, {}


def _house(url: str) -> tuple[str, str]:
    """Raises AddressRefused later, when it is asked for; here an address that cannot be read belongs to nobody."""
    try:
        scheme, host, _, _ = split_url(url)
    except ValueError:
        return "", url
    return scheme, family(host)


async def _steadily(incoming: Incoming) -> AsyncIterator[bytes]:
    """The body as it comes. Raises DownloadFailed where next to nothing does."""
    clock = asyncio.get_running_loop().time
    ends, bytes_here = clock() + _WINDOW_SECONDS, 0
    async for chunk in incoming.chunks():
        yield chunk
        bytes_here += len(chunk)
        if (now := clock()) >= ends:
            if bytes_here < _LEAST_BYTES:
                raise DownloadFailed(f"{incoming.host}: next to nothing came for too long")
            ends, bytes_here = now + _WINDOW_SECONDS, 0

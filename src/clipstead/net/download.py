"""Bulk files over HTTP/1.1: every hop judged, memory bounded, content refused when it is plainly no media."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from clipstead.errors import DownloadFailed
from clipstead.net.bulk_connector import forget_routes, open_connector, trusted_roots
from clipstead.net.guard import Guard
from clipstead.net.hops import Hop, first_hop, headers_for, next_hop
from clipstead.net.incoming import ByteRange, Incoming, Throttled, checked, network_failure
from clipstead.net.partfile import PartFile
from clipstead.net.proxy import parse_proxy

__all__ = ["Fetched", "Fetcher", "Incoming", "Throttled"]

Progress = Callable[[int, int | None], None]
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOTHING: Mapping[str, str] = {}
_READ_BUFFER = 256 * 1024
_MOST_RESERVED = 64 * 1024**2  # what is announced need not come
_LEAST_BYTES = 4096  # in each stall time: a body that trickles slower than that never ends


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole body in `part`, which the caller commits or discards; `sha256` in hex, "" unless asked for."""

    bytes: int
    sha256: str
    content_type: str
    part: PartFile


class Fetcher:
    """Downloads under the guard; belongs to the event loop that first uses it.

    Seconds: `connect_timeout` for a connection with its TLS, `stall_timeout` without a byte (or with next to none).
    `limit` files are fetched at once, others wait; `open` does not count, for a slow reader must not hold up files.
    Raises ValueError for a bad `proxy`; a bad `ca_file` is an
    OSError at first use. Environment proxies and .netrc are not looked at.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        ca_file: str = "",
        proxy: str = "",
        connect_timeout: float = 10.0,
        stall_timeout: float = 20.0,
        max_hops: int = 5,
        limit: int = 64,
    ) -> None:
        self._guard = guard
        self._ca_file = ca_file
        self._proxy = parse_proxy(proxy)
        self._connect_timeout = connect_timeout
        self._stall_timeout = stall_timeout
        self._max_hops = max_hops
        self._slots = asyncio.Semaphore(limit)
        self._session: aiohttp.ClientSession | None = None
        self._open: set[aiohttp.ClientResponse] = set()
        self._closed = False

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        byte_range: ByteRange | None = None,
    ) -> AsyncIterator[Incoming]:
        """The answer to a GET, redirects followed, its body unread; `byte_range` is (first, last or None = the rest).

        `headers` and `cookies` go to the family of hosts of `url` alone. Raises AddressRefused for a hop that may not
        be asked, DownloadFailed for a status other than 200 (or 206 where a range was asked for) and for any fault.
        """
        response, host = await self._follow(url, headers or _NOTHING, cookies or _NOTHING, byte_range)
        self._open.add(response)
        try:
            yield checked(response, host, byte_range)
        finally:
            self._open.discard(response)
            response.release()  # goes back to the pool after a whole body, is cut off after half of one

    async def to_file(
        self,
        url: str,
        path: Path,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        expect: int | None = None,
        max_bytes: int,
        progress: Progress | None = None,
        hashing: bool = False,
        text: bool = False,
        held: int = 0,
    ) -> Fetched:
        """Fetch a whole body into a part file beside `path`; the caller commits it, or discards it.

        `expect` is the exact size in bytes if the caller insists on one. A body that is markup or JSON is refused by
        its first bytes, whatever it is labelled; `text` lets JSON pass. A body of up to `held` bytes stays in memory
        until the part file is closed, which waits for the disk. Nothing is left behind by a failure.
        Raises what `open` raises, and StorageError.
        """
        async with self._slots, self.open(url, headers=headers, cookies=cookies) as incoming:
            _check_length(incoming, expect, max_bytes)
            part = PartFile(path, held=held)
            try:
                body = _Body(incoming, part, max_bytes=max_bytes, hashing=hashing, text=text)
                await body.pour(progress, self._stall_timeout)
                if not body.bytes or (expect is not None and body.bytes != expect):
                    raise DownloadFailed(f"{incoming.host}: {body.bytes} bytes came, not the file")
                if not part.is_held:
                    part.close()
            except BaseException:
                part.discard()
                raise
        return Fetched(body.bytes, body.sha256, incoming.content_type, part)

    async def close(self) -> None:
        """Drop all connections; downloads under way end with DownloadFailed."""
        self._closed = True
        for response in self._open:  # closing the session alone would leave their readers waiting for ever
            response.close()
        if self._session is not None:
            await self._session.close()

    async def _follow(
        self, url: str, headers: Mapping[str, str], cookies: Mapping[str, str], byte_range: ByteRange | None
    ) -> tuple[aiohttp.ClientResponse, str]:
        hop = first_hop(self._guard, url)
        for _ in range(self._max_hops + 1):
            sent = headers_for(hop, headers, cookies)
            if byte_range is not None:
                sent["Range"] = f"bytes={byte_range[0]}-{'' if byte_range[1] is None else byte_range[1]}"
            response = await self._ask(hop, sent)
            location = response.headers.get("Location") if response.status in _REDIRECTS else None
            if not location:
                return response, hop.host
            response.close()
            hop = next_hop(self._guard, hop, location)
        raise DownloadFailed(f"{hop.host}: redirect loop, more than {self._max_hops} redirects", transient=False)

    async def _ask(self, hop: Hop, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        if self._closed:
            raise DownloadFailed("Downloads are shutting down")
        forget_routes()
        url = URL(hop.url, encoded=True)
        try:
            async with asyncio.timeout(self._connect_timeout + self._stall_timeout):
                return await self._connected().get(url, headers=headers, allow_redirects=False)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise network_failure(error, hop.host) from None

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=open_connector(self._guard, trusted_roots(self._ca_file), self._proxy),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._connect_timeout, sock_read=self._stall_timeout
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                read_bufsize=_READ_BUFFER,
            )
        return self._session


def _check_length(incoming: Incoming, expect: int | None, max_bytes: int) -> None:
    if incoming.length is None:
        return
    if incoming.length > max_bytes:
        raise DownloadFailed(f"{incoming.host}: larger than the {max_bytes} bytes allowed", transient=False)
    if expect is not None and incoming.length != expect:
        raise DownloadFailed(f"{incoming.host}: {incoming.length} bytes announced, {expect} expected", transient=False)


class _Body:
    """A body on its way to the disk."""

    def __init__(self, incoming: Incoming, part: PartFile, *, max_bytes: int, hashing: bool, text: bool) -> None:
        self._incoming = incoming
        self._part = part
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256() if hashing else None
        self._refused = (b"<",) if text else (b"<", b"{", b"[")
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """In hex, "" if nobody asked."""
        return self._digest.hexdigest() if self._digest else ""

    async def pour(self, progress: Progress | None, stall_timeout: float) -> None:
        """Take it all in. Raises DownloadFailed, StorageError."""
        if self._incoming.length:
            self._part.reserve(min(self._incoming.length, _MOST_RESERVED))
        clock = asyncio.get_running_loop().time
        window_ends, window_bytes = clock() + stall_timeout, 0
        async for chunk in self._incoming.chunks():
            self._take(chunk)
            if progress is not None:
                progress(self.bytes, self._incoming.length)
            window_bytes += len(chunk)
            if (now := clock()) >= window_ends:
                if window_bytes < _LEAST_BYTES:
                    raise DownloadFailed(f"{self._incoming.host}: next to nothing came for too long")
                window_ends, window_bytes = now + stall_timeout, 0

    def _take(self, chunk: bytes) -> None:
        if not self.bytes and chunk.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(self._refused):
            raise DownloadFailed(f"{self._incoming.host} sent text where a media file should be", transient=False)
        self.bytes += len(chunk)
        if self.bytes > self._max_bytes:
            raise DownloadFailed(
                f"{self._incoming.host}: larger than the {self._max_bytes} bytes allowed", transient=False
            )
        if self._digest is not None:
            self._digest.update(chunk)
        self._part.write(chunk)

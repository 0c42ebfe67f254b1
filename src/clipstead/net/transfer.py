"""One exchange over curl with a browser's TLS: pinned to a judged address, bounded while read, really cancellable.

Stands on libcurl's handles directly: `AsyncSession` has no per-request options (so no pin that cannot leak into the
next request), follows environment proxies and keeps a cookie engine of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from curl_cffi import AsyncCurl, Curl, CurlError, CurlInfo, CurlMOpt, CurlOpt, ffi, lib
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests.impersonate import resolve_latest_browser_type

from clipstead.net.proxy import OutgoingProxy

_AT_ONCE = 16
_IDLE_CONNECTIONS = 16  # each holds its own copy of all roots, about 1 MB: BoringSSL's curl does not share them
_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ask:
    """What to send: `cookie` "" for none, `pin` the `address:port` to dial whatever the URL says, "" = as it says."""

    url: str
    method: str
    headers: Sequence[tuple[str, str]]
    cookie: str
    pin: str
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: header names in lower case, in order, `body` inflated, `address` the IP that was really dialled."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    address: str


class TransferFailed(Exception):
    """curl gave up: `code` is its CURLE_ number, `oversize` whether that was our own bound."""

    def __init__(self, code: int, *, oversize: bool) -> None:
        super().__init__(f"curl {code}")
        self.code = code
        self.oversize = oversize


class _Intake:
    """What curl hands over piece by piece; counts inflated bytes and stops at the bound."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self.headers: list[tuple[str, str]] = []
        self.pieces: list[bytes] = []
        self.oversize = False

    def header(self, line: bytes) -> int:
        name, colon, value = line.decode("utf-8", "surrogateescape").partition(":")
        if not colon and name.startswith("HTTP/"):  # a new block: what came before was a 1xx
            self.headers.clear()
        elif colon and not self.pieces:  # later ones are trailers
            self.headers.append((name.strip().lower(), value.strip()))
        return len(line)

    def body(self, piece: bytes) -> int:
        self._left -= len(piece)
        if self._left < 0:
            self.oversize = True
            return CURL_WRITEFUNC_ERROR
        self.pieces.append(piece)
        return len(piece)


class Transfers:
    """A pool of curl handles that share connections; belongs to the event loop that first uses it.

    A connection is only used again for the same host *and* the same pin, so no request rides on another one's address.
    """

    def __init__(
        self,
        *,
        roots: str,
        proxy: OutgoingProxy | None = None,
        impersonate: str = "chrome",
        connect_timeout: float = 5.0,
        at_once: int = _AT_ONCE,
    ) -> None:
        self._roots = roots
        self._proxy = proxy
        self._browser = resolve_latest_browser_type(impersonate)  # type: ignore[no-untyped-call] # curl_cffi left it so
        self._connect_ms = int(connect_timeout * 1000)
        self._gate = asyncio.Semaphore(at_once)
        self._multi: AsyncCurl | None = None
        self._idle: list[Curl] = []
        self._busy: set[Curl] = set()
        self._closed = False

    async def send(self, ask: Ask) -> Answer:
        """One exchange, no redirect followed. Raises TransferFailed; a cancelled one is cut off at once."""
        async with self._gate:
            if self._closed:
                raise TransferFailed(0, oversize=False)
            multi = self._multi = self._multi or _new_multi()
            curl = self._idle.pop() if self._idle else Curl(cacert=self._roots)
            self._busy.add(curl)
            pin = ffi.NULL
            try:
                pin = lib.curl_slist_append(pin, f"::{ask.pin}".encode()) if ask.pin else pin
                return await self._run(multi, curl, ask, pin)
            finally:
                self._release(multi, curl)
                lib.curl_slist_free_all(pin)

    async def _run(self, multi: AsyncCurl, curl: Curl, ask: Ask, pin: object) -> Answer:
        intake = _Intake(ask.max_bytes)
        self._set_up(curl, ask, intake)
        curl.setopt(CurlOpt.CONNECT_TO, pin)
        try:
            await multi.add_handle(curl)
        except CurlError as error:
            raise TransferFailed(int(error.code), oversize=intake.oversize or error.code == _TOO_LARGE) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and not (task and task.cancelling()):
                raise TransferFailed(0, oversize=False) from None
            raise
        status, address = curl.getinfo(CurlInfo.RESPONSE_CODE), curl.getinfo(CurlInfo.PRIMARY_IP)
        assert isinstance(status, int) and isinstance(address, bytes)
        return Answer(status, intake.headers, b"".join(intake.pieces), address.decode())

    def _set_up(self, curl: Curl, ask: Ask, intake: _Intake) -> None:
        curl.setopt(CurlOpt.ACCEPT_ENCODING, "gzip, deflate, br, zstd")  # curl inflates only if asked, whatever is sent
        if curl.impersonate(self._browser) != 0:
            raise ValueError(f"{self._browser!r} is no browser that curl can play")
        curl.setopt(CurlOpt.URL, ask.url)
        curl.setopt(CurlOpt.PROTOCOLS_STR, "http,https")
        curl.setopt(CurlOpt.REDIR_PROTOCOLS_STR, "http,https")
        curl.setopt(CurlOpt.FOLLOWLOCATION, 0)
        curl.setopt(CurlOpt.PATH_AS_IS, 1)
        curl.setopt(CurlOpt.CONNECTTIMEOUT_MS, self._connect_ms)
        curl.setopt(CurlOpt.BUFFERSIZE, _READ_BYTES)
        curl.setopt(CurlOpt.CAINFO, self._roots)
        curl.setopt(CurlOpt.HTTPHEADER, [_header_line(name, value) for name, value in ask.headers])
        if ask.cookie:
            curl.setopt(CurlOpt.COOKIE, ask.cookie.encode("utf-8", "surrogateescape"))
        if ask.method == "HEAD":
            curl.setopt(CurlOpt.NOBODY, 1)
        else:
            curl.setopt(CurlOpt.MAXFILESIZE_LARGE, ask.max_bytes)  # a declared length over the bound ends at once
        curl.setopt(CurlOpt.HEADERFUNCTION, intake.header)
        curl.setopt(CurlOpt.WRITEFUNCTION, intake.body)
        self._set_up_proxy(curl)

    def _set_up_proxy(self, curl: Curl) -> None:
        proxy = self._proxy
        curl.setopt(CurlOpt.NOPROXY, "" if proxy else "*")  # either way the environment is not asked
        if proxy is None:
            curl.setopt(CurlOpt.PROXY, "")
            return
        scheme = "socks5h" if proxy.scheme == "socks5" else "http"  # h: names are resolved over there
        curl.setopt(CurlOpt.PROXY, f"{scheme}://{proxy.address}")
        curl.setopt(CurlOpt.SUPPRESS_CONNECT_HEADERS, 1)
        if proxy.username:
            curl.setopt(CurlOpt.PROXYUSERNAME, proxy.username)
            curl.setopt(CurlOpt.PROXYPASSWORD, proxy.password)

    def _release(self, multi: AsyncCurl, curl: Curl) -> None:
        self._busy.discard(curl)
        if self._closed:
            curl.close()
            return
        multi.remove_handle(curl)  # a transfer still under way is cut off here
        curl.clean_handles_and_buffers()
        curl.reset()
        self._idle.append(curl)

    async def close(self) -> None:
        """Cut off what is under way (its waiters get TransferFailed) and drop all connections."""
        self._closed = True
        multi, self._multi = self._multi, None
        if multi is not None:
            for curl in self._busy:
                multi.remove_handle(curl)
            await multi.close()  # type: ignore[no-untyped-call] # curl_cffi left it so
        for curl in self._idle:
            curl.close()
        self._idle.clear()


_TOO_LARGE = 63


def _new_multi() -> AsyncCurl:
    multi = AsyncCurl()
    # Not by `multi.setopt`: that hands libcurl the address of the number instead of the number (curl_cffi 0.16.3), so
    # the pool stays at four times the transfers under way and every quiet moment throws warm connections away.
    status = lib.curl_multi_setopt(multi._curlm, CurlMOpt.MAXCONNECTS, ffi.cast("void *", _IDLE_CONNECTIONS))
    assert status == 0
    return multi


def _header_line(name: str, value: str) -> bytes:
    if any(sign in name + value for sign in "\r\n\0") or ":" in name or not name:
        raise ValueError(f"{name!r} cannot be sent as a header")
    return (f"{name}: {value}" if value else f"{name};").encode("utf-8", "surrogateescape")

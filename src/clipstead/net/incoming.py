"""An answer whose body is still on its way, and every way in which it can be no good."""

import email.utils
import ssl
import time
from collections.abc import AsyncIterator, Mapping

import aiohttp

from clipstead.errors import AddressRefused, DownloadFailed, UpstreamError
from clipstead.net.bulk_connector import DialRefused
from clipstead.net.proxy import ProxyTrouble

ByteRange = tuple[int, int | None]
_CHUNK = 256 * 1024
_MAY_HEAL = frozenset({401, 403, 404, 408, 410, 416, 425, 429})  # by waiting, or with a fresh address


class Throttled(DownloadFailed):
    """The site wants us to wait `retry_after` seconds before the next try."""

    def __init__(self, message: str, *, status: int, retry_after: float) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class Incoming:
    """An answer of status 200 or 206: `headers` in lower case, `length` of the body in bytes where it was told.

    `url` is where it came from in the end, when every redirect was followed.
    """

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        self._response = response
        self.host = host
        self.url = str(response.url)
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.length = response.content_length
        self.content_type = response.content_type

    async def chunks(self, size: int = _CHUNK) -> AsyncIterator[bytes]:
        """The body, as it comes, in pieces of at most `size` bytes; what nobody asks for is not read from the network.

        Raises DownloadFailed when it breaks off, stalls, or is not as long as it said.
        """
        content, done = self._response.content, 0
        try:
            while chunk := await content.read(size):
                done += len(chunk)
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise network_failure(error, self.host) from None
        except RuntimeError:  # aiohttp's word for a connection that we closed ourselves
            raise DownloadFailed(f"{self.host}: the connection was closed") from None
        if self.length is not None and done != self.length:
            raise DownloadFailed(f"{self.host}: {done} bytes came, {self.length} were announced")


def checked(response: aiohttp.ClientResponse, host: str, wanted: ByteRange | None) -> Incoming:
    """The answer, if it is one that bytes can be taken from. Raises DownloadFailed."""
    status, headers = response.status, response.headers
    if status not in (200, 206) or (status == 206 and wanted is None):
        raise refusal(status, host, headers.get("Retry-After", ""))
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise DownloadFailed(f"{host} sent a packed body that was not asked for", transient=False)
    if "Content-Length" in headers and "Transfer-Encoding" in headers:
        raise DownloadFailed(f"{host} told two lengths", transient=False)
    if status == 206 and wanted is not None and not _is_range(headers.get("Content-Range", ""), wanted):
        raise DownloadFailed(f"{host} sent another range than was asked for", transient=False)
    return Incoming(response, host)


def _is_range(told: str, wanted: ByteRange) -> bool:
    unit, _, span = told.strip().partition(" ")
    first, _, last = span.partition("/")[0].partition("-")
    if unit.lower() != "bytes" or not (first.isdigit() and last.isdigit()):
        return False
    return int(first) == wanted[0] and (wanted[1] is None or int(last) <= wanted[1])


def refusal(status: int, host: str, retry_after: str = "") -> DownloadFailed:
    """The error for an HTTP status that is no success."""
    message = f"{host} answered {status}"
    seconds = _seconds(retry_after)
    if status in (429, 503) and seconds is not None:
        return Throttled(message, status=status, retry_after=seconds)
    return DownloadFailed(message, status=status, transient=status >= 500 or status in _MAY_HEAL)


def _seconds(retry_after: str) -> float | None:
    """Retry-After as seconds from now: a number or an HTTP date."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        when = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(when.timestamp() - time.time(), 0.0)


def network_failure(error: Exception, host: str) -> UpstreamError:
    """What aiohttp, the proxy or the socket raised, in words that hold no address beyond the host."""
    causes = (error, error.__cause__, getattr(error, "os_error", None))
    refused = next((cause for cause in causes if isinstance(cause, DialRefused)), None)
    if refused is not None:
        return AddressRefused(str(refused))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return DownloadFailed(f"{host}: its certificate is not trusted", transient=False)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return DownloadFailed(f"{host}: TLS could not be agreed on")
    if isinstance(error, TimeoutError):
        return DownloadFailed(f"{host}: nothing came for too long")
    if any(isinstance(cause, ProxyTrouble) for cause in causes):
        return DownloadFailed(f"{host}: the outgoing proxy refused, or is not there")
    if isinstance(error, aiohttp.ClientConnectorError):
        return DownloadFailed(f"{host} could not be reached")
    return DownloadFailed(f"{host}: the connection broke off")

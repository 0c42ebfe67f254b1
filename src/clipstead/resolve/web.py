"""The network as resolving sees it: one door, and the answer that comes through it."""

from collections.abc import Mapping
from typing import Protocol


class Reply(Protocol):
    """An upstream answer, whole: final `url` after redirects, `headers` in lower case, `cookies` set on the way."""

    @property
    def status(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def cookies(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Net(Protocol):
    """The one door to the network: guarded at every hop, with a browser's TLS, bounded in bytes, hops and time.

    With `max_hops=0`, a redirect is an answer like any other. Raises DownloadFailed and AddressRefused.
    """

    async def page(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        max_bytes: int = 8 * 1024 * 1024,
        max_hops: int = 5,
    ) -> Reply: ...


def retry_after(reply: Reply, otherwise: float) -> float:
    """The seconds that the reply's Retry-After asks for, `otherwise` where it has none in plain seconds."""
    told = reply.headers.get("retry-after", "").strip()
    return float(told) if told.isascii() and told.isdecimal() and len(told) < 7 else otherwise

"""Pages with a browser's TLS: every hop is ours, judged, pinned to the judged address and bounded."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net import addresses
from clipstead.net.cookies import CookieChain, private_copy
from clipstead.net.guard import Guard, Route
from clipstead.net.hops import Hop, first_hop, next_hop
from clipstead.net.hosts import bracketed
from clipstead.net.proxy import parse_proxy
from clipstead.net.transfer import Answer, Ask, TransferFailed, Transfers
from clipstead.net.trust import RootBundle

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT_ACROSS_HOSTS = frozenset({"accept", "accept-language", "user-agent"})
_NEVER_TAKEN = frozenset({"host", "cookie", "connection", "content-length", "transfer-encoding"})
_ADDRESSES_TRIED = 3
_REMEMBERED_HOSTS = 256


@dataclass(frozen=True)
class PageReply:
    """An answer, whole: `url` of the last hop, `headers` in lower case (no set-cookie), `cookies` that were set on the
    way and that the last host gets back, `body` inflated, `hops` the number of redirects followed."""

    status: int
    url: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    hops: int = 0


class Pages:
    """Fetches pages as a browser would; satisfies `resolve.providers.base.Net`.

    `timeout` seconds bound a whole call with all its hops. `ca_file` roots are trusted besides the system's;
    `cookie_jar` is an operator's account: read, never written. Environment proxies and .netrc are not looked at.
    Raises ValueError for a bad `ca_file`, `proxy` or browser name.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        ca_file: str = "",
        proxy: str = "",
        cookie_jar: CookieJar | None = None,
        impersonate: str = "chrome",
        timeout: float = 15.0,
    ) -> None:
        self._guard = guard
        self._proxy = parse_proxy(proxy)
        self._operator_cookies = None if cookie_jar is None else private_copy(cookie_jar)
        self._timeout = timeout
        self._roots = RootBundle(ca_file)
        self._transfers = Transfers(roots=self._roots.path, proxy=self._proxy, impersonate=impersonate)
        self._last_good: dict[str, str] = {}

    async def page(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        max_bytes: int = 8 * 1024 * 1024,
        max_hops: int = 5,
    ) -> PageReply:
        """GET or HEAD `url` and follow at most `max_hops` redirects (0: a redirect is returned as it is).

        `headers` and `cookies` are for the first host alone; Host, Cookie and framing headers are not taken.
        Raises AddressRefused for a hop that may not be asked, DownloadFailed for everything else: transient for
        faults of the network, final for too many redirects or more than `max_bytes` inflated bytes. An HTTP error
        status is an answer like any other.
        """
        if method not in ("GET", "HEAD"):
            raise ValueError("only GET and HEAD are sent")
        try:
            async with asyncio.timeout(self._timeout):
                return await self._walk(url, method, headers or {}, cookies or {}, max_bytes, max_hops)
        except TimeoutError:
            raise DownloadFailed("The site did not answer in time") from None

    async def close(self) -> None:
        """Drop all connections; calls under way end with DownloadFailed."""
        await self._transfers.close()
        self._roots.close()

    async def _walk(
        self,
        url: str,
        method: str,
        headers: Mapping[str, str],
        cookies: Mapping[str, str],
        max_bytes: int,
        max_hops: int,
    ) -> PageReply:
        chain = CookieChain(self._operator_cookies)
        hop = first_hop(self._guard, url)
        for followed in range(max_hops + 1):
            sent = _headers_for(hop, headers)
            cookie = chain.header(hop.url, cookies if hop.own else None)
            answer = await self._ask(hop, method, sent, cookie, max_bytes)
            chain.absorb(hop.url, [value for name, value in answer.headers if name == "set-cookie"])
            location = _location(answer) if max_hops else None
            if location is None:
                plain = _merged(answer.headers)
                return PageReply(answer.status, hop.url, plain, chain.visible_to(hop.host), answer.body, followed)
            found = next_hop(self._guard, hop, location)
            # stricter than for files: a browser's page has no business with its first host's headers elsewhere
            hop = replace(found, own=found.own and found.host == hop.host)
        raise DownloadFailed(f"{hop.host}: redirect loop, more than {max_hops} redirects", transient=False)

    async def _ask(
        self, hop: Hop, method: str, headers: Sequence[tuple[str, str]], cookie: str, max_bytes: int
    ) -> Answer:
        _, host, port = self._guard.check_url(hop.url)
        routes = self._preferred(await self._guard.route(host, port))[:_ADDRESSES_TRIED]
        for left, route in zip(range(len(routes) - 1, -1, -1), routes, strict=True):
            ask = Ask(hop.url, method, headers, cookie, self._pin(route, (host, port)), max_bytes)
            try:
                answer = await self._transfers.send(ask)
            except TransferFailed as failure:
                if left and failure.code in _WORTH_ANOTHER_ADDRESS:
                    continue
                raise _public(failure, host, proxied=self._proxy is not None) from None
            self._settle(route, answer)
            return answer
        raise AssertionError("a guard's route is never empty")

    def _pin(self, route: Route, asked: tuple[str, int]) -> str:
        if self._proxy and (route.address, route.port) == asked:
            return ""
        return f"{bracketed(route.address)}:{route.port}"

    def _preferred(self, routes: list[Route]) -> list[Route]:
        """The address that answered last time first: its connection may still be open."""
        good = self._last_good.get(routes[0].host)
        return sorted(routes, key=lambda route: route.address != good)

    def _settle(self, route: Route, answer: Answer) -> None:
        if self._proxy is None and addresses.parse(answer.address) != addresses.parse(route.address):
            raise AddressRefused("Refused: the connection went to another address than the judged one")
        self._last_good.pop(route.host, None)
        if len(self._last_good) >= _REMEMBERED_HOSTS:
            self._last_good.pop(next(iter(self._last_good)))
        self._last_good[route.host] = route.address


def _headers_for(hop: Hop, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    named = [(name, value) for name, value in headers.items() if name.lower() not in _NEVER_TAKEN]
    return [(name, value) for name, value in named if hop.own or name.lower() in _KEPT_ACROSS_HOSTS]


def _location(answer: Answer) -> str | None:
    if answer.status not in _REDIRECTS:
        return None
    return next((value for name, value in answer.headers if name == "location" and value), None)


def _merged(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for name, value in headers:
        if name != "set-cookie":
            merged[name] = f"{merged[name]}, {value}" if name in merged else value
    return merged


_NO_CONNECTION = 7
_WORTH_ANOTHER_ADDRESS = frozenset({_NO_CONNECTION, 28, 35})  # no connection, no connection in time, TLS cut off
_FAULTS = {
    5: "the outgoing proxy could not be found",
    6: "could not be looked up",
    7: "could not be reached",
    28: "did not accept a connection in time",
    61: "sent a body that cannot be decoded",
    97: "the outgoing proxy refused",
} | dict.fromkeys((35, 53, 54, 58, 59, 60, 66, 77, 83, 90, 91), "TLS could not be agreed on")


def _public(failure: TransferFailed, host: str, *, proxied: bool) -> DownloadFailed:
    if failure.oversize:
        return DownloadFailed(f"{host}: the answer is larger than allowed", transient=False)
    if proxied and failure.code == _NO_CONNECTION:  # curl says it of the proxy and of a CONNECT that was turned down
        return DownloadFailed(f"{host}: the outgoing proxy refused, or is not there")
    return DownloadFailed(f"{host}: {_FAULTS.get(failure.code, 'the connection broke off')}")

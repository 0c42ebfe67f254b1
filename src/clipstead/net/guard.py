"""Which address may be dialled: the one gate in front of every connection that leaves this process."""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from clipstead.errors import AddressRefused, DownloadFailed
from clipstead.net import addresses
from clipstead.net.connect_to import Mapping, first_match, parse_entry
from clipstead.net.hosts import is_ip_literal, read_host, split_url

Lookup = Callable[[str, int], Awaitable[list[str]]]
_WEB_PORTS = frozenset({80, 443})
_LOOKUP_SECONDS = 10.0
_free_look_ups = threading.BoundedSemaphore(64)


class Route(NamedTuple):
    """What to dial for `host` (the name for SNI and the Host header): `address` and `port`.

    `address` is an IP address; with a proxy it is the name or address that the proxy is to be asked for.
    """

    host: str
    address: str
    port: int


async def system_lookup(host: str, port: int) -> list[str]:
    """Every address the system's resolver gives, in its order of preference. Raises OSError."""
    if not _free_look_ups.acquire(blocking=False):
        raise OSError("too many look-ups are under way")
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def look_up() -> None:
        found: list[str] | Exception
        try:
            found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            found = error
        finally:
            _free_look_ups.release()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, answer, found)

    # Not the loop's own threads: one that hangs in the system's resolver would keep them from other work, and the
    # process from ending, for as long as that likes.
    threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
    return await answer


def _settle(answer: "asyncio.Future[list[str]]", found: list[str] | Exception) -> None:
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)


class Guard:
    """Judges links, names and addresses; whoever dials asks `route` and dials what it answers, nothing else.

    `allow` are CIDRs let through besides public addresses; `connect_to` entries in curl's `--connect-to` form, whose
    targets are allowed through them alone; with `proxy` set names are not resolved here and only hosts equal to or
    below one of `proxy_hosts` pass (none = nothing passes). `lookup` is the DNS. Raises ValueError, in one line, for
    a wrong `allow` or `connect_to` entry.
    """

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        connect_to: Sequence[str] = (),
        proxy: str = "",
        proxy_hosts: Sequence[str] = (),
        lookup: Lookup = system_lookup,
    ) -> None:
        self._allow = tuple(ipaddress.ip_network(cidr.strip()) for cidr in allow)
        self._mappings = tuple(parse_entry(entry) for entry in connect_to)
        self._proxied = bool(proxy)
        self._proxy_hosts = tuple(read_host(host.removeprefix("*.")) for host in proxy_hosts)
        self._lookup = lookup

    def permits(self, address: str) -> bool:
        """Whether this IP address may be dialled, with every address that is embedded in it."""
        parsed = addresses.parse(address)
        return parsed is not None and self._permits(parsed)

    def _permits(self, address: addresses.Address) -> bool:
        if not (addresses.public(address) or any(address in network for network in self._allow)):
            return False
        return all(self._permits(inner) for inner in addresses.embedded(address))

    def check_url(self, url: str) -> tuple[str, str, int]:
        """(scheme, host, port) of a link that may be asked, its host canonical; no packet is sent.

        Raises AddressRefused for another scheme than http(s), userinfo, an odd host or port, a refused address.
        """
        try:
            scheme, host, port, _ = split_url(url)
        except ValueError as error:
            raise AddressRefused(f"Refused: {error}") from None
        self.check(host, port)
        return scheme, host, port

    def check(self, host: str, port: int) -> None:
        """Judge what can be judged before any look-up of a canonical `host`. Raises AddressRefused."""
        mapping = first_match(self._mappings, host, port)
        if port not in _WEB_PORTS and not (mapping and mapping.fixes_port):
            raise AddressRefused("Refused: only ports 80 and 443 are asked")
        if mapping and mapping.to_host is not None:
            return
        if self._proxied:
            self._check_proxied(host)
        elif is_ip_literal(host) and not self.permits(host):
            raise AddressRefused("Refused: the address is not a public one")

    def _check_proxied(self, host: str) -> None:
        if not any(host == known or host.endswith("." + known) for known in self._proxy_hosts):
            raise AddressRefused("Refused: the host is not on the list for the proxy")

    async def route(self, host: str, port: int) -> list[Route]:
        """What may be dialled for `host` and `port`, best first, at least one; every answer of the DNS is judged.

        Raises AddressRefused if one of them is bad, DownloadFailed (transient) if there is none.
        """
        try:
            host = read_host(f"[{host}]" if ":" in host else host)
        except ValueError as error:
            raise AddressRefused(f"Refused: {error}") from None
        self.check(host, port)
        mapping = first_match(self._mappings, host, port)
        target, target_port = _target(mapping, host, port)
        if self._proxied:
            return [Route(host, target, target_port)]
        answers = [target] if is_ip_literal(target) else await self._resolve(target, target_port)
        named_by_operator = mapping is not None and mapping.to_host is not None
        if not named_by_operator and not all(map(self.permits, answers)):
            raise AddressRefused("Refused: the host leads to an address that is not a public one")
        return [Route(host, answer, target_port) for answer in answers]

    async def _resolve(self, host: str, port: int) -> list[str]:
        try:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                answers = await self._lookup(host, port)
        except (OSError, UnicodeError):  # gaierror and TimeoutError are OSErrors
            raise DownloadFailed(f"{host} could not be looked up") from None
        if not answers:
            raise DownloadFailed(f"{host} has no address")
        return list(dict.fromkeys(answers))

    def judge_sockaddr(self, sockaddr: Sequence[Any], routes: Iterable[Route] = ()) -> None:
        """The last look, at the very socket address a client library is about to connect to (IP, port, ...).

        `routes` are those `route` gave for this connection. Raises AddressRefused for anything else that is not a
        permitted address on a web port.
        """
        address, port = str(sockaddr[0]), int(sockaddr[1])
        if any(address == route.address and port == route.port for route in routes):
            return
        if port not in _WEB_PORTS or not self.permits(address):
            raise AddressRefused("Refused: a connection was about to leave the permitted addresses")


def _target(mapping: Mapping | None, host: str, port: int) -> tuple[str, int]:
    if mapping is None:
        return host, port
    return mapping.to_host or host, mapping.to_port or port

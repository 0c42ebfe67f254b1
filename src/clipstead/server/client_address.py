"""Who is asking: the peer, or what the proxies we trust say of it; one name for every address of an IPv6 /64."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

_MAX_HOPS = 32
_NOBODY = "unknown"

Headers = Iterable[tuple[bytes, bytes]]


class Clients:
    """Reads a request's true origin. Without trusted proxies the forwarding headers are never looked at."""

    def __init__(self, trusted_proxies: Sequence[str] = ()) -> None:
        self._networks = tuple(ip_network(text, strict=False) for text in trusted_proxies)
        self._believes = lru_cache(maxsize=1024)(self._is_trusted)

    def bucket(self, scope: Any) -> str:
        """The name under which this client is counted: an IPv4 address, or an IPv6 /64."""
        client = scope["client"]
        peer: str = client[0] if client else _NOBODY
        if self._networks and self._believes(peer):
            peer = self._forwarded(peer, scope["headers"])
        return bucket_of(peer)

    def scheme(self, scope: Any) -> str:
        """ "http" or "https": ours, or what a trusted proxy says the client used."""
        scheme: str = scope["scheme"]
        client = scope["client"]
        if self._networks and client and self._believes(client[0]):
            told = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
            if told and told[-1] in (b"http", b"https"):
                return str(told[-1], "ascii")
        return scheme

    def _forwarded(self, peer: str, headers: Headers) -> str:
        """The rightmost hop that is no trusted proxy; a hop that is no address ends the walk at the one who said it."""
        chain = ",".join(value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for")
        address = peer
        for hop in reversed(chain.rsplit(",", _MAX_HOPS)):
            said = _plain_address(hop)
            if said is None:
                break
            address = said
            if not self._believes(said):
                break
        return address

    def _is_trusted(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._networks)


@lru_cache(maxsize=8192)
def bucket_of(text: str) -> str:
    """Someone with a whole IPv6 /64 is one client; an IPv4 address written as IPv6 is the IPv4 address."""
    address = _parsed(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return text if address is None else str(address)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _plain_address(hop: str) -> str | None:
    """Proxies write `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5678`."""
    text = hop.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = _parsed(text)
    return None if address is None else str(address)

"""The one table of addresses that may be dialled, and the addresses that hide inside others.

Kept by hand from the IANA special-purpose registries (IPv4 and IPv6) instead of `ipaddress.is_global`, whose answers
change with the Python release: 3.11.7 calls 224.0.0.1, 64:ff9b::/96, ::127.0.0.1, 2002:7f00:1:: and fec0::1 global.
Everything those registries list is left out, even what they call globally reachable: no media lives there.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_IPV4_REFUSED = tuple(
    IPv4Network(cidr)
    for cidr in (
        "0.0.0.0/8",  # this network; Linux dials itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; holds Alibaba's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # not in the registry: Azure's host agent, reachable from inside every machine there
        "169.254.0.0/16",  # link local; holds the metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; holds Oracle's metadata service
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_IPV6_UNICAST = IPv6Network("2000::/3")
_IPV6_REFUSED = tuple(
    IPv6Network(cidr)
    for cidr in (
        "2001::/23",  # protocol assignments; holds Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)

_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_NOT_COMPATIBLE = frozenset({IPv6Address("::"), IPv6Address("::1")})


@lru_cache(maxsize=512)  # the same few hosts all day, each asked about several times a request
def parse(text: str) -> Address | None:
    """The address that `text` writes in full (no zone, no short, octal or hex IPv4), else None."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id else address


def public(address: Address) -> bool:
    """Whether the registries leave this address to ordinary hosts; what it embeds is not looked at."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _IPV4_REFUSED)
    return address in _IPV6_UNICAST and not any(address in network for network in _IPV6_REFUSED)


def embedded(address: Address) -> Iterator[IPv4Address]:
    """Every IPv4 address that a network may unwrap from this one (mapped, compatible, 6to4, Teredo, NAT64)."""
    if isinstance(address, IPv4Address):
        return
    for candidate in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
        if candidate is not None:
            yield candidate
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _COMPATIBLE and address not in _NOT_COMPATIBLE:
        yield low
    if any(address in network for network in (_TRANSLATED, _NAT64, _NAT64_LOCAL)):
        yield low

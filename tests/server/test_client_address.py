"""Whom we take a request to come from."""

from typing import Any

import pytest

from clipstead.server.client_address import Clients, bucket_of

PROXIES = ("10.0.0.0/8", "192.0.2.1", "2001:db8:ff::/48")


def scope(peer: str | None, *forwarded: str, proto: tuple[str, ...] = ()) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    headers += [(b"x-forwarded-proto", value.encode()) for value in proto]
    return {"client": (peer, 1) if peer else None, "headers": headers, "scheme": "http"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),  # a stranger says whatever he likes
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),  # what stands left of the last hop was written by the client
        ("10.0.0.1", ["1.2.3.4, 10.0.0.7"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 10.0.0.7"], "1.2.3.4"),  # several headers are one list
        ("10.0.0.1", ["1.2.3.4, garbage"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4, garbage, 10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", ["10.0.0.9, 10.0.0.8"], "10.0.0.9"),  # all of them ours: the outermost
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4:5678"], "1.2.3.4"),
        ("10.0.0.1", ['"[2001:db8:1:2:3::4]:5678"'], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["2001:db8:1:2:3::4"], "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("2001:db8:ff::1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4\xff\xfe"], "10.0.0.1"),
        (None, [], "unknown"),
    ],
)
def test_the_rightmost_hop_that_is_no_trusted_proxy(peer: str | None, forwarded: list[str], expected: str) -> None:
    """One row per form that is met."""
    assert Clients(PROXIES).bucket(scope(peer, *forwarded)) == expected


def test_without_trusted_proxies_the_header_is_never_read() -> None:
    """Not even from loopback."""
    assert Clients().bucket(scope("127.0.0.1", "1.2.3.4")) == "127.0.0.1"


def test_a_huge_chain_is_walked_no_further_than_it_may_be() -> None:
    """Ten thousand hops of ours end in one of ours, quickly."""
    assert Clients(PROXIES).bucket(scope("10.0.0.1", ", ".join(["10.0.0.2"] * 10_000))) == "10.0.0.2"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:1.2.3.4", "1.2.3.4", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("1.2.3.4", "1.2.3.5", False),
    ],
)
def test_an_ipv6_64_is_one_client(one: str, other: str, same: bool) -> None:
    """Since whoever has one of its addresses has them all."""
    assert (bucket_of(one) == bucket_of(other)) is same


def test_scheme_is_believed_from_proxies_alone() -> None:
    """And only a scheme we know."""
    clients = Clients(PROXIES)
    assert clients.scheme(scope("10.0.0.1", proto=("https",))) == "https"
    assert clients.scheme(scope("10.0.0.1", proto=("http", "https"))) == "https"
    assert clients.scheme(scope("203.0.113.9", proto=("https",))) == "http"
    assert clients.scheme(scope("10.0.0.1", proto=("javascript",))) == "http"

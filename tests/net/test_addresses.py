"""The one table: what may be dialled, what may not, and what hides in what."""

import ipaddress
import random
from pathlib import Path

import pytest

from clipstead.net.guard import Guard

_DATA = Path(__file__).parents[1] / "data"


def _lines(name: str) -> list[str]:
    return (_DATA / name).read_text(encoding="utf-8").splitlines()


REFUSED = _lines("addresses_refused.txt")
PUBLIC = _lines("addresses_public.txt")
ODD = _lines("addresses_odd.txt")


@pytest.mark.parametrize("address", REFUSED)
def test_what_the_registries_set_apart_is_refused(address: str) -> None:
    assert not Guard().permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert Guard().permits(address)


@pytest.mark.parametrize("text", [*ODD, "", " 8.8.8.8", "8.8.8.8\n"])
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    assert not Guard().permits(text)


def test_allow_lets_through_what_it_names_and_nothing_else() -> None:
    guard = Guard(allow=["10.1.0.0/16", "fd00::/8", "::1"])
    assert guard.permits("10.1.2.3") and guard.permits("fd12::1") and guard.permits("::1")
    assert not guard.permits("10.2.0.1") and not guard.permits("::ffff:10.1.2.3") and not guard.permits("::2")


def test_an_allowed_nat64_prefix_is_still_judged_by_the_address_inside() -> None:
    guard = Guard(allow=["64:ff9b::/96"])
    assert guard.permits("64:ff9b::8.8.8.8")
    assert not guard.permits("64:ff9b::127.0.0.1")
    assert Guard(allow=["64:ff9b::/96", "127.0.0.0/8"]).permits("64:ff9b::127.0.0.1")


@pytest.mark.parametrize("cidr", ["10.0.0.1/8", "nonsense", "", "10.0.0.0/33"])
def test_a_wrong_allow_entry_is_one_clear_line(cidr: str) -> None:
    with pytest.raises(ValueError) as caught:
        Guard(allow=[cidr])
    assert "\n" not in str(caught.value)


def test_no_random_address_that_python_calls_private_ever_passes() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    guard = Guard()
    for _ in range(5000):
        four, six = ipaddress.IPv4Address(rng.getrandbits(32)), ipaddress.IPv6Address(rng.getrandbits(128))
        for address in (four, six):
            wrong = address.is_private or address.is_multicast or address.is_reserved or address.is_loopback
            assert not (wrong and guard.permits(str(address))), address
        for wrapped in (
            int(four),
            0xFFFF << 32 | int(four),
            0x64FF9B << 96 | int(four),
            0x2002 << 112 | int(four) << 80,
        ):
            assert not guard.permits(str(ipaddress.IPv6Address(wrapped))), four

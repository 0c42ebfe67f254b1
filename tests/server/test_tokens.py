"""Tickets: signed, expiring, of no use when changed."""

import base64
import random

import pytest

from clipstead.errors import Expired, NotFound
from clipstead.server.tokens import Signer, Ticket

OLD, NEW = b"o" * 32, b"n" * 32
TICKET = Ticket("tiktok_web", "7608826249200356630", "hd", 123_456, "en", 2000)


def now() -> float:
    return 1000.0


def test_a_ticket_comes_back_as_it_was() -> None:
    """With and without a size, and with a link of another platform."""
    signer = Signer([NEW], now)
    for ticket in (TICKET, Ticket("ytdlp", "https://example.com/watch?v=ü", "yt-22", None, "pt-br", 1001)):
        token = signer.token(ticket)
        assert signer.open(token) == ticket
        assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_every_changed_byte_is_found() -> None:
    """No bit of the token can be turned without making it worthless."""
    signer = Signer([NEW], now)
    blob = base64.urlsafe_b64decode(signer.token(TICKET) + "==")
    for index in range(len(blob)):
        for bit in range(8):
            changed = bytearray(blob)
            changed[index] ^= 1 << bit
            with pytest.raises(NotFound):
                signer.open(base64.urlsafe_b64encode(changed).rstrip(b"=").decode())


def test_rubbish_is_not_found() -> None:
    """Whatever stands there, it is NotFound and nothing else."""
    signer = Signer([NEW], now)
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    rubbish = ["", "a", "====", "ü" * 40, "a" * 10_000, "..", "AAAA", *(rng.randbytes(60).hex() for _ in range(200))]
    for token in rubbish:
        with pytest.raises(NotFound):
            signer.open(token)


def test_the_secret_can_be_changed() -> None:
    """What the old one signed is good while it is listed; what it signs is good for nobody who does not list it."""
    token = Signer([OLD], now).token(TICKET)
    assert Signer([NEW, OLD], now).open(token) == TICKET
    with pytest.raises(NotFound):
        Signer([NEW], now).open(token)
    with pytest.raises(NotFound):
        Signer([OLD], now).open(Signer([NEW, OLD], now).token(TICKET))


def test_time_ends_a_ticket() -> None:
    """From its expiry on it is Expired, which is more than not found."""
    token = Signer([NEW], now).token(TICKET)
    assert Signer([NEW], lambda: 1999.9).open(token) == TICKET
    with pytest.raises(Expired):
        Signer([NEW], lambda: 2000.0).open(token)


def test_a_secret_is_needed() -> None:
    """An empty one would sign for everybody."""
    for secrets in ([], [b""]):
        with pytest.raises(ValueError, match="secret"):
            Signer(secrets, now)

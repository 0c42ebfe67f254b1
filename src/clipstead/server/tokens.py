"""Signed tickets of media addresses: which file of which post, until when. Readable by anybody, made by us alone."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

import msgspec

from clipstead.errors import Expired, NotFound

_VERSION = 1
_MARK = 16  # bytes of HMAC-SHA256 kept: 128 bits
_PURPOSE = b"clipstead media\x00"  # the same secret signs other things too
_MAX_TOKEN = 6000


@dataclass(frozen=True, slots=True)
class Ticket:
    """`post` is a TikTok post's id, or another platform's canonical link; `size` in bytes, None where not told."""

    provider: str
    post: str
    variant: str
    size: int | None
    language: str
    expires_at: int


class Signer:
    """Signs with the first secret, believes all: secrets can be changed without breaking addresses in use."""

    def __init__(self, secrets: Sequence[bytes], clock: Callable[[], float]) -> None:
        if not secrets or not all(secrets):
            raise ValueError("a secret is needed to sign media addresses")
        self._secrets = tuple(secrets)
        self._clock = clock
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(tuple[int, str, str, str, int | None, str, int]).decode

    def token(self, ticket: Ticket) -> str:
        """The ticket as text fit for a URL path."""
        payload = self._encode((_VERSION, *astuple(ticket)))
        return base64.urlsafe_b64encode(payload + _mark(self._secrets[0], payload)).rstrip(b"=").decode("ascii")

    def open(self, token: str) -> Ticket:
        """The ticket again; NotFound for anything we did not sign, Expired when its time is over."""
        payload = self._verified(token)
        try:
            version, *fields = self._decode(payload)
        except msgspec.DecodeError:
            version, fields = 0, []
        if version != _VERSION:
            raise NotFound("There is nothing at this address")
        ticket = Ticket(*fields)  # type: ignore[arg-type]  # the decoder has checked each
        if ticket.expires_at <= self._clock():
            raise Expired("This address has expired; ask for the post again")
        return ticket

    def _verified(self, token: str) -> bytes:
        try:
            if len(token) > _MAX_TOKEN:
                raise ValueError("too long")
            blob = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise NotFound("There is nothing at this address") from None
        payload, mark = blob[:-_MARK], blob[-_MARK:]
        genuine = False
        for secret in self._secrets:
            genuine |= hmac.compare_digest(_mark(secret, payload), mark)
        if not genuine:
            raise NotFound("There is nothing at this address")
        return payload


def _mark(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + payload, "sha256")[:_MARK]

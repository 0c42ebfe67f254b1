"""What a key looks like: `clp_`, a public id, a random secret, and a checksum that tells a typo without a look-up."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

_PREFIX = "clp_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID, _SECRET, _CHECK = 10, 32, 6  # 62**32 is more than 2**190; 62**6 holds every CRC32
_KEY = re.compile(rf"{_PREFIX}[0-9A-Za-z]{{{_ID + _SECRET + _CHECK}}}")
_MASKED = re.compile(rf"(?:{_PREFIX})?([0-9A-Za-z]{{{_ID}}})(?:…|\.\.\.)?")


@dataclass(frozen=True, slots=True)
class KeyText:
    """A well-formed key: `text` is to be shown once and kept nowhere, `digest` (SHA-256 of it) is what is stored."""

    id: str
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is stored and compared; the key is random, so that no slow hash is needed."""
        return hashlib.sha256(self.text.encode("ascii")).digest()


def make_key(key_id: str = "") -> KeyText:
    """A new key; with `key_id` a new secret for that id."""
    key_id = key_id or _random(_ID)
    body = f"{_PREFIX}{key_id}{_random(_SECRET)}"
    return KeyText(key_id, body + _checksum(body))


def read_key(text: str) -> KeyText | None:
    """The key that `text` is, or None if it cannot be one: misspelt, cut off, or something else altogether."""
    if not _KEY.fullmatch(text) or _checksum(text[:-_CHECK]) != text[-_CHECK:]:
        return None
    return KeyText(text[len(_PREFIX) : len(_PREFIX) + _ID], text)


def masked(key_id: str) -> str:
    """How a key is shown to those who may know of it."""
    return f"{_PREFIX}{key_id}…"


def id_in(text: str) -> str:
    """The id of what somebody calls a key by: its id, its masked form, or the whole of it; "" if it is none of them."""
    if key := read_key(text):
        return key.id
    found = _MASKED.fullmatch(text)
    return found[1] if found else ""


def _random(length: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def _checksum(body: str) -> str:
    rest, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(_CHECK):
        rest, digit = divmod(rest, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits

"""TikTok's "Please wait..." page: the sum it asks a browser to do, and the cookies that show it was done. All pure."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass

from clipstead.errors import ProviderFailed
from clipstead.resolve import loose

LIMIT = 1_000_000  # TikTok asks for a number up to here
_MOST_PAGE = 64 * 1024  # the real page has some 2 KB; anything larger is no challenge

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]{1,4096}", re.ASCII)  # cookie-octet of RFC 6265


@dataclass(frozen=True, slots=True)
class Challenge:
    """Find i with sha256(salt + str(i)) == digest. `cookie` names the answer's cookie; `extra` ones go along."""

    salt: bytes
    digest: bytes
    body: loose.Node
    cookie: str
    extra: tuple[tuple[str, str], ...] = ()


def find(page: bytes) -> Challenge | None:
    """The challenge on `page`, None where there is none; ProviderFailed for one that is not as it used to be."""
    if len(page) > _MOST_PAGE or b"cs" not in page:
        return None
    encoded = _class_of(page, "cs")
    if not encoded:
        return None
    body = loose.node(loose.decode(_unbase64(encoded), "TikTok's challenge"))
    values = loose.node(body, "v")
    digest = _unbase64(loose.text(values.get("c")))
    name = _class_of(page, "wci")
    if len(digest) != hashlib.sha256().digest_size or not _NAME.fullmatch(name):
        raise ProviderFailed("TikTok's challenge has an unknown shape")
    return Challenge(_unbase64(loose.text(values.get("a"))), digest, body, name, _extra(page))


def search(challenge: Challenge, start: int, stop: int) -> int | None:
    """The answer, if it is at least `start` and below `stop`. About 0.4 us a number, holding the interpreter."""
    base = hashlib.sha256(challenge.salt)
    for number in range(start, stop):
        attempt = base.copy()
        attempt.update(b"%d" % number)
        if attempt.digest() == challenge.digest:
            return number
    return None


def cookies(challenge: Challenge, answer: int) -> dict[str, str]:
    """The cookies for exactly one more request; they must not be kept after it."""
    body = {**challenge.body, "d": base64.b64encode(b"%d" % answer).decode()}
    told = json.dumps(body, separators=(",", ":")).encode()
    return {challenge.cookie: base64.b64encode(told).decode(), **dict(challenge.extra)}


def _extra(page: bytes) -> tuple[tuple[str, str], ...]:
    name, value = _class_of(page, "rci"), _class_of(page, "rs")
    return ((name, value),) if _NAME.fullmatch(name) and _VALUE.fullmatch(value) else ()


def _class_of(page: bytes, element: str) -> str:
    """The `class` of the element with that id, whichever of the two attributes comes first."""
    found = re.search(rb"<[a-z]+\b[^<>]*[\s\"']id=[\"']?%s[\"' >/]" % element.encode(), page)
    if not found:
        return ""
    end = page.find(b">", found.end() - 1)
    tag = page[found.start() : end if end >= 0 else len(page)]
    value = re.search(rb"[\s\"']class=(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", tag)
    return next((group.decode("latin-1") for group in value.groups() if group), "") if value else ""


def _unbase64(encoded: str) -> bytes:
    """Decoded, whatever its padding and alphabet; b"" for what is no base64."""
    try:
        return base64.b64decode(encoded.translate(_URL_SAFE).rstrip("=") + "==")
    except (binascii.Error, ValueError):
        return b""


_URL_SAFE = str.maketrans("-_", "+/")

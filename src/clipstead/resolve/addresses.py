"""Reads one word as a web address, strictly: whatever two URL parsers could read differently is refused."""

import re
import unicodedata
from typing import NamedTuple

from clipstead.errors import UnsupportedLink

LONGEST = 4096

# ASCII only: with Unicode case folding the long s of "httpſ" would be an s. Possessive: no backtracking.
_AUTHORITY = re.compile(r"(?:(https?)://)?([a-z0-9-]++(?:\.[a-z0-9-]++)++)\.?(:[0-9]*)?(?=[/?#]|\Z)", re.I | re.A)
_ODD_LABEL = re.compile(r"(?:^|\.)(?:-|xn--|[^.]{64})|-\.")
# Never part of a link in running text: here it ends. A quote ends it where a quotation can end.
_OUTSIDE = re.compile(r"""[<>{}|^\[\]]|["'`](?=[/)\]},;:>.!?]|[^\x00-\x7f]|\Z)""")
_ODD_PATH = re.compile(r"%(?![0-9a-f]{2})|%[01][0-9a-f]|%7f|%2f|%5c|%25|(?:/|^)(?:\.|%2e){1,2}(?:/|\Z)|:/", re.I | re.A)
_TRAILING = ".,;:!?)*~"


class Address(NamedTuple):
    """A judged address: lower-case `host`, `path` ("" or "/..."), `query` without "?"; these may hold any letters."""

    host: str
    path: str
    query: str


def read(word: str) -> Address:
    """The address that `word` begins with, with or without scheme; UnsupportedLink unless plain http(s), plain host."""
    if len(word) > LONGEST:
        raise UnsupportedLink("The link is too long")
    if "\\" in word:
        raise UnsupportedLink("A link with a backslash is not supported")
    if word.endswith("/.."):
        raise UnsupportedLink("The link's path is not a plain one")
    word = word.rstrip(_TRAILING)
    authority = _AUTHORITY.match(word)
    if authority is None:
        raise UnsupportedLink("This is not a plain http or https link")
    scheme, host, port = authority.groups()
    if port and port != (":80" if scheme and scheme.lower() == "http" else ":443"):
        raise UnsupportedLink("A link with a port is not supported")
    host = host.lower()
    if len(host) > 253 or _ODD_LABEL.search(host):
        raise UnsupportedLink("The link's host name is not a plain one")
    path, query = _split(word[authority.end() :])
    if _ODD_PATH.search(path):
        raise UnsupportedLink("The link's path is not a plain one")
    return Address(host, path, query)


def _split(rest: str) -> tuple[str, str]:
    """What follows the authority, up to where running text goes on, as path and query; the fragment goes."""
    if ends := _OUTSIDE.search(rest):
        rest = rest[: ends.start()].rstrip(_TRAILING)
    if not rest.isascii():
        rest = _within_words(rest).rstrip(_TRAILING)
    path, _, query = rest.partition("#")[0].partition("?")
    return path, query


def _within_words(rest: str) -> str:
    """Up to the first emoji, ideographic stop or other non-ASCII sign that is no letter, mark or number."""
    for at, sign in enumerate(rest):
        if sign > "\x7f" and unicodedata.category(sign)[0] not in "LMN":
            return rest[:at]
    return rest


def ascii_head(text: str) -> str:
    """Up to where a script without blanks or case (Chinese, Thai, ...) is glued on; UnsupportedLink for other letters.

    A full-width digit or a Cyrillic letter in an id is a look-alike, not the beginning of the next word.
    """
    if text.isascii():
        return text
    at = next(index for index, sign in enumerate(text) if sign > "\x7f")
    if unicodedata.category(text[at]) not in {"Lo", "Lm"}:
        raise UnsupportedLink("The link has look-alike letters in it")
    return text[:at]

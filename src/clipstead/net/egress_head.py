"""The head of a request to the egress proxy, read strictly; pure."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from clipstead.net.hosts import DEFAULT_PORTS, bracketed, read_host, read_port, split_url

_REQUEST_LINE = re.compile(r"([A-Z]{3,16}) ([\x21-\x7e]+) HTTP/1\.[01]")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([0-9]+)")
_PLAIN_METHODS = frozenset({"GET", "HEAD", "POST"})
_HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "te", "trailer", "upgrade", "content-length"})
_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """A request line and its headers, names in lower case."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        """Every value of one header."""
        return [value for known, value in self.headers if known == name]


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain http request, rewritten for its origin: `body` bytes of it are still to be read from the client."""

    host: str
    port: int
    head: bytes
    body: int


def read_head(raw: bytes) -> Head:
    """Bytes up to and with the empty line -> Head. Raises ValueError for anything that is not plain HTTP/1."""
    first, *rest = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    matches = [_HEADER.fullmatch(text) for text in rest]
    if line is None or None in matches:
        raise ValueError("not a proxy request")
    return Head(line[1], line[2], [(match[1].lower(), match[2].rstrip()) for match in matches if match])


def token_of(head: Head) -> str:
    """The password of `Proxy-Authorization: Basic`, "" for none."""
    match head.values("proxy-authorization"):
        case [value] if value[:6].lower() == "basic ":
            try:
                return base64.b64decode(value[6:].strip(), validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""


def read_tunnel(head: Head) -> tuple[str, int]:
    """Where a CONNECT wants to go: (canonical host, port). Raises ValueError."""
    match = _AUTHORITY.fullmatch(head.target)
    if match is None:
        raise ValueError("the target is not host:port")
    return read_host(match[1]), read_port(match[2])


def read_plain(head: Head) -> Plain:
    """A request in absolute form, for http alone -> Plain. Raises ValueError."""
    scheme, host, port, rest = split_url(head.target)
    if scheme != "http" or head.method not in _PLAIN_METHODS:
        raise ValueError("only GET, HEAD and POST of http, and CONNECT, are passed on")
    if head.values("transfer-encoding"):
        raise ValueError("a body needs a Content-Length")
    body = _body_length(head)
    dropped = {name.strip().lower() for value in head.values("connection") for name in value.split(",")} | _HOP_BY_HOP
    kept = [pair for pair in head.headers if pair[0] not in dropped and not pair[0].startswith("proxy-")]
    if body:
        kept.append(("content-length", str(body)))
    netloc = bracketed(host) if port == DEFAULT_PORTS["http"] else f"{bracketed(host)}:{port}"
    path = rest if rest.startswith("/") else "/" + rest
    lines = [f"{head.method} {path} HTTP/1.1", f"Host: {netloc}", "Connection: close"]
    text = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in kept), "", ""])
    return Plain(host, port, text.encode("latin-1"), body)


def _body_length(head: Head) -> int:
    lengths = head.values("content-length")
    if not lengths:
        return 0
    text = lengths[0]
    if len(lengths) > 1 or not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= _BODY_BYTES):
        raise ValueError("the body's length is not acceptable")
    return int(text)

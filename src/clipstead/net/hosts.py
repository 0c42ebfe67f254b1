"""Hosts and ports as written in links: one strict reading, so that no two parsers can disagree about a link."""

import re

from clipstead.net import addresses

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$")
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f]")
DEFAULT_PORTS = {"http": 80, "https": 443}


def read_host(text: str) -> str:
    """A host as a link writes it -> lower case, one trailing dot and IPv6 brackets off. Raises ValueError.

    Addresses count only in their canonical spelling: `127.1`, `0x7f.1`, `2130706433`, `[0:0::1]` are refused, since
    every resolver reads them differently.
    """
    if text.startswith("["):
        return _read_ipv6(text)
    host = text.lower()
    if not text.isascii():
        raise ValueError("the host is not written in ASCII")
    if addresses.parse(host) is not None and ":" not in host:
        return host
    name = host.removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise ValueError("the host is not a host name")
    if _NUMERIC_END.search(name):
        raise ValueError("the host is an address in an odd form")
    return name


def _read_ipv6(text: str) -> str:
    address = addresses.parse(text[1:-1])
    if not text.endswith("]") or address is None or str(address) != text[1:-1].lower():
        raise ValueError("the host is an address in an odd form")
    return str(address)


def read_port(text: str) -> int:
    """1 to 65535 in plain ASCII digits. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError("the port is not a number from 1 to 65535")
    return int(text)


def is_ip_literal(host: str) -> bool:
    """Whether a host from `read_host` is an address."""
    return addresses.parse(host) is not None


def bracketed(host: str) -> str:
    """A host from `read_host` as it stands in a URL or a Host header."""
    return f"[{host}]" if ":" in host else host


def split_url(url: str) -> tuple[str, str, int, str]:
    """An absolute http(s) URL -> (scheme, host, port, what follows the authority). Raises ValueError."""
    if _FORBIDDEN.search(url):
        raise ValueError("the address holds white space or control characters")
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("the address is not http or https")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None or "@" in match["authority"]:
        raise ValueError("the address names a user, or no proper host")
    scheme = match["scheme"].lower()
    port = DEFAULT_PORTS[scheme] if authority["port"] is None else read_port(authority["port"])
    return scheme, read_host(authority["host"]), port, match["rest"].partition("#")[0]

"""Entries of CONNECT_TO in curl's `--connect-to` form: parsed once, matched purely."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clipstead.net.hosts import is_ip_literal, read_host, read_port

_ENTRY = re.compile(r"(?P<h1>\[[^\[\]]*\]|[^:\[\]]*):(?P<p1>[^:]*):(?P<h2>\[[^\[\]]*\]|[^:\[\]]*):(?P<p2>[^:]*)")


@dataclass(frozen=True, slots=True)
class Mapping:
    """One entry: requests for `host` (None = any name; `wild` = it and all below it) and `port` (None = any)
    go to `to_host` and `to_port` (None = as asked)."""

    host: str | None
    wild: bool
    port: int | None
    to_host: str | None
    to_port: int | None

    def matches(self, host: str, port: int) -> bool:
        """Whether this entry speaks for `host` (canonical) and `port`.

        "Any" and wildcards mean names: an address speaks for itself, so that a mapping for the whole world does not
        turn its own target, named directly by a stranger's link, into a permitted one.
        """
        if self.port is not None and self.port != port:
            return False
        if self.host is None:
            return not is_ip_literal(host)
        return host == self.host or (self.wild and host.endswith("." + self.host))

    @property
    def fixes_port(self) -> bool:
        """Whether the operator, not the link, decides which port is dialled."""
        return self.port is not None or self.to_port is not None


def parse_entry(entry: str) -> Mapping:
    """`HOST1:PORT1:HOST2:PORT2` -> Mapping. Raises ValueError with one line that names the entry and its fault."""
    match = _ENTRY.fullmatch(entry.strip())
    if match is None:
        raise ValueError(f"{entry!r} is not HOST1:PORT1:HOST2:PORT2 (IPv6 in brackets, parts may be empty)")
    host = match["h1"]
    wild = host.startswith("*.")
    try:
        return Mapping(
            host=read_host(host.removeprefix("*.")) if host else None,
            wild=wild,
            port=read_port(match["p1"]) if match["p1"] else None,
            to_host=read_host(match["h2"]) if match["h2"] else None,
            to_port=read_port(match["p2"]) if match["p2"] else None,
        )
    except ValueError as error:
        raise ValueError(f"{entry!r}: {error}") from None


def first_match(mappings: Sequence[Mapping], host: str, port: int) -> Mapping | None:
    """The entry that decides for `host` and `port`: the first that matches, as in curl."""
    return next((mapping for mapping in mappings if mapping.matches(host, port)), None)

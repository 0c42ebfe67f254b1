"""Which Host header is believed; everything we write an address of ours from goes through here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(
    r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?)*)"
    r"\.?(?::(?P<port>[0-9]{1,5}))?"
)


class Hosts:
    """Loopback names, PUBLIC_URL's host, and what the operator lists: `name`, `name:port`, `*.name`, or `*` for all."""

    def __init__(self, allowed: Sequence[str] = (), public_url: str = "") -> None:
        public = urlsplit(public_url)
        names = [*_LOOPBACK, public.netloc.lower(), public.hostname or "", *(name.lower() for name in allowed)]
        self._any = "*" in names
        self._exact = frozenset(_bracketed(name) for name in names if name and not name.startswith("*"))
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self.check = lru_cache(maxsize=256)(self._check)

    def _check(self, raw: bytes) -> str | None:
        """The host as we may write it (`name` or `name:port`), or None when it is not believed."""
        match = _HOST.fullmatch(raw.decode("latin-1").lower()) if len(raw) <= 300 else None
        if match is None or int(match["port"] or 0) > 65535:
            return None
        name, port = match["name"], match["port"]
        full = f"{name}:{port}" if port else name
        believed = self._any or name in self._exact or full in self._exact or name.endswith(self._suffixes)
        return full if believed else None


def _bracketed(name: str) -> str:
    """An IPv6 address may be listed without its brackets."""
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name

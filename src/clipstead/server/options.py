"""What the server is told at start: plain values, since only `app` and `cli` read settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`secret` newest first: the first signs, all are believed. A limit of 0 means no such limit.

    `public_url` has no trailing slash; `trusted_proxies` are networks; `allowed_hosts` come on top of the loopback
    names and of `public_url`'s host. `lane_bytes` bounds the fast lane's memory, `max_upload_bytes` one uploaded file;
    `keep_alive_seconds` is the longest silence in a stream of events. Times in seconds.
    """

    secret: Sequence[bytes] = field(repr=False)
    version: str = "0"
    public_url: str = ""
    allowed_hosts: Sequence[str] = ()
    trusted_proxies: Sequence[str] = ()
    direct_links: bool = False
    clipx_per_minute: int = 10
    clipx_per_day: int = 100
    clipx_unlimited_tokens: Sequence[str] = field(default=(), repr=False)
    cache_seconds: float = 300.0
    lane_bytes: int = 16 * 1024 * 1024
    contact_email: str = ""
    max_upload_bytes: int = 2 * 1024**3
    keep_alive_seconds: float = 15.0

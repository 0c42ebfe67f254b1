"""What the server is told at start: plain values, since only `app` and `cli` read settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`secret` newest first: the first signs, all are believed. A limit of 0 means no such limit.

    `public_url` has no trailing slash; `trusted_proxies` are networks; `allowed_hosts` come on top of the loopback
    names and of `public_url`'s host. `lane_bytes` bounds the fast lane's memory, `max_upload_bytes` one uploaded file.
    Times in seconds. `dialects` names those that are on (empty: all), `dialect_hosts` pairs one with a host name that
    is its own. `staging` is the folder where TTSave prepares its answers (None: the system's temporary one), of at most
    `ttsave_max_bytes` each; `disk_floor_bytes` stay free there. `tiklive_auth_status` is the HTTP status for a missing
    or wrong key, `tiklive_per_minute` counts by key.
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
    dialects: Sequence[str] = ()
    dialect_hosts: Sequence[tuple[str, str]] = ()
    tiklive_auth_status: int = 401
    tiklive_per_minute: int = 200
    tiktokdl_per_minute: int = 60
    tiktokdl_stored_links: bool = False
    ttsave_per_minute: int = 10
    ttsave_hd: bool = False
    ttsave_max_bytes: int = 512 * 1024**2
    staging: Path | None = None
    disk_floor_bytes: int = 0

"""ClipX's other bodies: help, statistics, limits, contact, errors. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from clipstead import errors
from clipstead.resolve.cache import CacheStats
from clipstead.server.dialect import status_of
from clipstead.server.dialects.clipx.params import DEFAULTS, DESCRIPTIONS, QUALITIES
from clipstead.server.limits import Room, Window
from clipstead.server.options import ServerOptions

API_NAME = "ClipX API (Clipstead)"
_NO_LIMIT = 2**53 - 1  # what a window without a limit shows: JavaScript's largest safe integer, so nobody reads "spent"
_TEXTS: Mapping[type[errors.ClipsteadError], str] = {
    errors.UnsupportedLink: "Invalid TikTok URL",
    errors.PostUnavailable: "Content not found or not publicly accessible",
    errors.RateLimited: "Rate limit exceeded",
    errors.DeadlineExceeded: "Request timeout",
}


def contact(options: ServerOptions) -> dict[str, str]:
    """Whom to ask: whoever runs this server. Every mail domain has a postmaster (RFC 5321)."""
    host = urlsplit(options.public_url).hostname or "localhost"
    return {
        "email": options.contact_email or f"postmaster@{host}",
        "message": "This is a self-hosted Clipstead server; its operator sets the limits and gives out tokens.",
    }


def limits(windows: Sequence[Window], rooms: Sequence[Room], now: float) -> dict[str, int]:
    """The eight figures of the minute and the day; resets are epoch milliseconds."""
    shown: dict[str, int] = {}
    for prefix, window, room in zip(("", "daily_"), windows, rooms, strict=True):
        shown |= {
            f"{prefix}remaining": room.remaining if window.limit else _NO_LIMIT,
            f"{prefix}reset_time": math.ceil((now + room.reset_in) * 1000),
            f"{prefix}limit": window.limit or _NO_LIMIT,
            f"{prefix}window_ms": round(window.seconds * 1000),
        }
    return shown


def standing(figures: Mapping[str, int], *, unlimited: bool) -> dict[str, Any]:
    """`limits` as a status: whether the next request would be let in, and whether anything is counted at all."""
    allowed = unlimited or (figures["remaining"] > 0 and figures["daily_remaining"] > 0)
    return {"unlimited": unlimited, "allowed": allowed, **figures}


def error_body(error: errors.ClipsteadError) -> dict[str, Any]:
    """success, error, status_code; and why a post cannot be had."""
    text = next((_TEXTS[kind] for kind in type(error).__mro__ if kind in _TEXTS), str(error))
    body: dict[str, Any] = {"success": False, "error": text, "status_code": status_of(error)}
    return body | ({"reason": error.reason} if isinstance(error, errors.PostUnavailable) else {})


def statistics(stats: CacheStats, lane_hits: int) -> dict[str, Any]:
    """`data.cache` of stats=true; sizes in bytes. Hits of the fast lane are hits."""
    hits = stats.hits + lane_hits
    asked = hits + stats.misses
    return {
        "size": stats.size,
        "max_size": stats.max_size,
        "hits": hits,
        "misses": stats.misses,
        "hit_rate": round(hits / asked, 4) if asked else 0.0,
        "ttl_seconds": int(stats.seconds),
    }


def help_text(version: str, base_url: str) -> dict[str, Any]:
    """`data.help` of help=true."""
    link = "https://www.tiktok.com/@user/video/7608826249200356630"
    return {
        "name": API_NAME,
        "version": version,
        "endpoint": f"{base_url}/",
        "parameters": [
            {
                "name": name,
                "type": kind,
                "required": name == "url",
                **({} if name == "url" else {"default": DEFAULTS[name]}),
                "description": text,
            }
            for name, (kind, text) in DESCRIPTIONS.items()
        ],
        "examples": [
            f"{base_url}/?url={link}",
            f"{base_url}/?url={link}&format=true",
            f"{base_url}/?url={link}&quality=hd&audio=false",
            f"{base_url}/?rate_limit=true",
            f"{base_url}/?stats=true",
        ],
    }


def openapi_parameters() -> list[dict[str, Any]]:
    """The same table for /openapi.json. None is marked required: help, stats and rate_limit go without a url."""
    types = {"boolean": {"type": "boolean"}, "string": {"type": "string"}, "number": {"type": "number"}}
    schemas = types | {"enum": {"type": "string", "enum": list(QUALITIES)}}
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": text,
            "schema": {**schemas[kind], **({} if name == "url" else {"default": DEFAULTS[name]})},
        }
        for name, (kind, text) in DESCRIPTIONS.items()
    ]

"""Posts as JSON of our own: the one form that `--json` and info files share."""

from __future__ import annotations

from typing import Any

import orjson

from clipstead.model import Media, Post, Resolution

# Both change with every resolve and open the file to whoever reads them: only for the caller's own terminal.
_ADDRESS_FIELDS = ("url", "mirrors", "headers", "cookies", "expires_at")


def post_dict(post: Post, *, addresses: bool) -> dict[str, Any]:
    """Plain data of a post; upstream addresses and cookies only if asked for. Times in unix seconds."""
    return {
        "id": post.id,
        "platform": post.link.platform,
        "url": post.link.url,
        "title": post.title,
        "author": post.author,
        "created_at": post.created_at,
        "duration": post.duration,
        "region": post.region,
        "language": post.language,
        "stats": post.stats,
        "music": post.music,
        "media": [_media_dict(media, addresses) for media in post.media],
    }


def _media_dict(media: Media, addresses: bool) -> dict[str, Any]:
    fields = {name: getattr(media, name) for name in Media.__slots__ if name != "playlist"}
    kept = {name: value for name, value in fields.items() if addresses or name not in _ADDRESS_FIELDS}
    return {name: dict(value) if name in ("headers", "cookies") else value for name, value in kept.items()}


def post_json(post: Post, *, addresses: bool) -> bytes:
    """The same, as indented UTF-8 JSON."""
    return orjson.dumps(post_dict(post, addresses=addresses), option=orjson.OPT_INDENT_2)


def resolution_json(resolution: Resolution, *, addresses: bool) -> bytes:
    """A post with who gave it and every attempt it took."""
    return orjson.dumps(
        {
            **post_dict(resolution.post, addresses=addresses),
            "provider": resolution.provider,
            "attempts": resolution.attempts,
            "fetched_at": resolution.fetched_at,
            "expires_at": resolution.expires_at,
        },
        option=orjson.OPT_INDENT_2,
    )

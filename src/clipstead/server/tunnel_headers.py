"""What a tunnel says of the file it streams: type, name, length, range, and a strong ETag that outlives addresses."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from clipstead.errors import DownloadFailed
from clipstead.media.mime import OPAQUE, SHOWN, SUBTITLES
from clipstead.media.sniff import sniff, textual
from clipstead.model import MediaKind
from clipstead.server.responses import disposition
from clipstead.server.tokens import Ticket
from clipstead.server.tunnel_feed import Feed
from clipstead.server.tunnel_source import Source

HEAD_BYTES = 64
_POLICY = "default-src 'none'; sandbox"
_EXPECTED: dict[MediaKind, tuple[str, ...]] = {
    MediaKind.VIDEO: ("video/",),
    MediaKind.AUDIO: ("audio/", "video/"),  # a sound may come in an MP4 that does not say it is one
    MediaKind.IMAGE: ("image/",),
    MediaKind.COVER: ("image/", "video/"),  # some moving covers are films
    MediaKind.SUBTITLE: ("text/", "application/x-subrip"),
}


@dataclass(frozen=True, slots=True)
class Face:
    """What the file is shown as: `ext` without dot, `mime` from our own list."""

    ext: str
    mime: str


def judged(source: Source, head: bytes) -> Face:
    """The type of a file by its first bytes; DownloadFailed for nothing, web pages, and what is not what it claims."""
    if not head:
        raise DownloadFailed("The platform sent an empty file")
    seen = sniff(head)
    if seen is None:
        words = textual(head)
        if words is not None and (words != "text" or source.media.kind is not MediaKind.SUBTITLE):
            raise DownloadFailed(f"The platform sent {words} instead of the file")
        return Face(source.media.ext, OPAQUE)
    ext, mime = seen
    if not mime.startswith(_EXPECTED[source.media.kind]):
        raise DownloadFailed(f"The platform sent {mime} instead of the {source.media.kind}")
    return Face(ext, _told(ext))


def presumed(source: Source, content_type: str) -> Face:
    """The type of a file whose beginning is not in this part: what the post says, unless the CDN says it is text."""
    if content_type.startswith(("text/html", "application/json")):
        raise DownloadFailed("The platform sent a page instead of the file")
    ext = source.media.ext.lower()
    return Face(ext, _told(ext))


def _told(ext: str) -> str:
    mime = SHOWN.get(ext) or SUBTITLES.get(ext) or OPAQUE
    return f"{mime}; charset=utf-8" if mime.startswith("text/") else mime


def etag(provider: str, ticket: Ticket, size: int | None) -> str:
    """Strong: provider, post, variant and size name one run of bytes. Empty where the size is not known."""
    if size is None:
        return ""
    identity = "\x00".join((provider, ticket.post, ticket.variant, str(size)))
    return '"' + base64.urlsafe_b64encode(hashlib.sha256(identity.encode()).digest()[:15]).decode("ascii") + '"'


def media_headers(ticket: Ticket, feed: Feed, face: Face, *, inline: bool, max_age: int) -> dict[str, str]:
    """Every header of a 200 or 206 but the length's and the range's."""
    post = feed.source.post
    owner = post.author.username or post.link.platform
    name = f"{owner}-{post.id}-{ticket.variant}" + (f".{face.ext}" if face.ext else "")
    headers = {
        "content-type": face.mime,
        "content-disposition": disposition(name, inline=inline and face.mime in SHOWN.values()),
        "content-security-policy": _POLICY,
        "cross-origin-resource-policy": "cross-origin",
        "access-control-expose-headers": "Content-Length, Content-Range, Content-Disposition, ETag, X-Request-Id",
        "cache-control": f"private, max-age={max(0, max_age)}",
    }
    tag = etag(feed.source.provider, ticket, feed.total)
    return headers | ({"etag": tag, "accept-ranges": "bytes"} if tag else {})


def span_headers(feed: Feed) -> dict[str, str]:
    """Length and range of what `feed` sends."""
    if feed.part is None:
        return {} if feed.total is None else {"content-length": str(feed.total)}
    part = feed.part
    return {
        "content-length": str(part.last - part.start + 1),
        "content-range": f"bytes {part.start}-{part.last}/{part.total}",
    }

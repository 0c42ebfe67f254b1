"""What the archive holds, as answers and as tunnels: captured posts without asking anybody, files from the store."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from clipstead.archive.catalog import Captured, Catalog
from clipstead.archive.layout import sidecar_key
from clipstead.archive.record import Record
from clipstead.archive.sidecar import parse
from clipstead.archive.store import Store
from clipstead.errors import BadMedia, DownloadFailed, Expired, NotFound, StorageError
from clipstead.model import Link, LinkKind, Media, MediaKind, Post, Resolution, Stats
from clipstead.server.ranges import Sent, Span
from clipstead.server.tokens import Ticket
from clipstead.server.tunnel_source import Source

PROVIDER = "archive"
_COUNTERS = ("play", "digg", "comment", "share", "collect", "download", "repost")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptBytes:
    """A file, or a part of it, as it comes from the store; `length` in bytes."""

    store: Store
    key: str
    start: int
    length: int
    content_type: str

    async def chunks(self, _size: int) -> AsyncIterator[bytes]:
        """The bytes, in blocks of the store's own size. Raises DownloadFailed."""
        found = self.store.get(self.key, start=self.start, end=self.start + self.length)
        try:
            async for block in found:
                yield block
        except (NotFound, StorageError) as error:
            raise DownloadFailed(f"The archive cannot give this file: {error}") from None
        finally:
            if isinstance(found, AsyncGenerator):
                await found.aclose()


class Archived:
    """The captured posts of TikTok in `catalog`, their files and sidecars in `store`."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog = catalog
        self._store = store

    async def post(self, link: Link) -> Resolution | None:
        """The post as it was captured, its counters as last seen; None where it is not there, or not whole."""
        if link.platform != "tiktok" or link.kind is not LinkKind.POST or not link.post_id:
            return None
        try:
            captured = await self._catalog.get(link.post_id)
            record = parse(await self._store.read(sidecar_key(captured.post.storage_key)))
        except NotFound:
            return None
        except (StorageError, BadMedia) as error:
            log.warning("post %s is asked for elsewhere: %s", link.post_id, error)
            return None
        return Resolution(_post(record, captured), PROVIDER, fetched_at=captured.post.last_seen.timestamp())

    async def open(self, ticket: Ticket, span: Span | None) -> tuple[Source, KeptBytes, Sent | None]:
        """The file that a ticket of ours names, or the part `span` of it. Raises Expired where it is no more."""
        try:
            captured = await self._catalog.get(ticket.post)
        except NotFound:
            raise Expired("The archive does not hold this post any more") from None
        file = next((each for each in captured.files if each.variant == ticket.variant), None)
        if file is None or (ticket.size is not None and file.bytes != ticket.size):
            raise Expired("The archive does not hold this file any more")
        start, last = 0, file.bytes - 1
        if span is not None:
            start, last = span.start, min(last, file.bytes - 1 if span.last is None else span.last)
        part = Sent(start, last, file.bytes) if span is not None and start <= last else None
        media = Media(MediaKind(file.kind), file.variant, "", ext=_ext(file.key), size=file.bytes)
        post = Post(captured.post.aweme_id, Link("tiktok", captured.post.url, captured.post.aweme_id), media=(media,))
        length = last - start + 1 if part else file.bytes
        body = KeptBytes(self._store, file.key, part.start if part else 0, length, file.content_type)
        return Source(post, media, PROVIDER, captured.post.last_seen.timestamp()), body, part


def _post(record: Record, captured: Captured) -> Post:
    media = tuple(
        Media(
            file.kind,
            file.variant,
            "",
            ext=_ext(file.key),
            width=file.width,
            height=file.height,
            codec=file.codec,
            size=file.bytes,
            duration=file.duration,
            language=file.language or None,
        )
        for file in record.files
    )
    row = captured.post
    views, likes, comments, shares, saves, downloads, reposts = (getattr(row, f"{name}_count") for name in _COUNTERS)
    return Post(
        id=record.id,
        link=record.link,
        title=record.title,
        author=record.author,
        media=media,
        music=record.music,
        stats=Stats(views, likes, comments, shares, saves, downloads, reposts),
        created_at=record.created_at,
        duration=record.duration,
        region=record.region,
        language=record.language,
        raw=record.raw,
    )


def _ext(key: str) -> str:
    return key.rpartition("/")[2].rpartition(".")[2]

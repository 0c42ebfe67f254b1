"""What the archive keeps of one captured post: the form that catalog and sidecar share, field for field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from clipstead.media import Probe
from clipstead.model import Author, Link, MediaKind, Music, Resolution, Stats
from clipstead.resolve.tiktok_links import true_link

_NO_TOOLS: Mapping[str, str] = MappingProxyType({})
_NO_STATS = Stats()

LARGEST_SIDE = 2**31 - 1
"""Pixels: what the catalog's columns hold."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file in the store, under `key`: `variant` is the name of the quality it came from, `sha256` in hex digits.

    `bytes` is its size, `width` and `height` in pixels, `duration` in seconds, `codec` of its picture (of its sound,
    where it has none), `language` of subtitles; None or "" = it has none, or nobody knows.
    """

    kind: MediaKind
    variant: str
    key: str
    sha256: str
    bytes: int
    content_type: str = "application/octet-stream"
    width: int | None = None
    height: int | None = None
    codec: str | None = None
    duration: float | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One captured post. `Ledger.finish` takes it, the sidecar keeps it, `rehydrate` gives it back, equal.

    `id` is the ledger's id, `link` the canonical link, `source_link` the link as it was given or listed, `source` the
    canonical text of the source that it came from ("" = given by itself). `storage_key` is the base key, without an
    extension. `raw` is the provider's own answer, byte for byte. `subtitles` is the text of all subtitles, for search.
    `created_at` in unix seconds, `duration` in seconds. All times are aware datetimes in UTC; `archived_at` is the
    first capture and never changes. `attempt` counts from 1. No upstream address and no cookie is in here but in `raw`.
    """

    id: str
    link: Link
    source_link: str
    author: Author
    storage_key: str
    provider: str
    listed_at: datetime
    resolved_at: datetime
    downloaded_at: datetime
    archived_at: datetime
    files: tuple[FileRecord, ...]
    source: str = ""
    title: str = ""
    region: str = ""
    language: str = ""
    created_at: int | None = None
    duration: float | None = None
    stats: Stats = _NO_STATS
    music: Music | None = None
    tools: Mapping[str, str] = field(default_factory=lambda: _NO_TOOLS)
    attempt: int = 1
    subtitles: str = ""
    raw: bytes = field(default=b"", repr=False)

    @property
    def main(self) -> FileRecord:
        """The video, else the first photo, else whatever there is first."""
        order = (MediaKind.VIDEO, MediaKind.IMAGE, MediaKind.AUDIO)
        ranked = sorted(self.files, key=lambda file: order.index(file.kind) if file.kind in order else len(order))
        return ranked[0]

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.bytes for file in self.files)


def file_record(
    found: Probe, *, kind: MediaKind, variant: str, key: str, sha256: str, language: str = ""
) -> FileRecord:
    """The record of a file that was looked at; a picture larger than any there is has no measures."""
    measured = max(found.width or 0, found.height or 0) <= LARGEST_SIDE
    return FileRecord(
        kind=kind,
        variant=variant,
        key=key,
        sha256=sha256,
        bytes=found.size,
        content_type=found.mime,
        width=found.width if measured else None,
        height=found.height if measured else None,
        codec=found.video or found.audio,
        duration=found.duration,
        language=language,
    )


def record_of(
    resolution: Resolution,
    files: Sequence[FileRecord],
    *,
    post_id: str,
    source_link: str,
    storage_key: str,
    listed_at: datetime,
    resolved_at: datetime,
    downloaded_at: datetime,
    archived_at: datetime,
    source: str = "",
    tools: Mapping[str, str] = _NO_TOOLS,
    attempt: int = 1,
    subtitles: str = "",
) -> Record:
    """The record of a post that was resolved and captured: without addresses, its texts such as any database takes."""
    post = resolution.post
    return Record(
        id=post_id,
        link=true_link(post),
        source_link=clean(source_link),
        author=_author(post.author),
        storage_key=storage_key,
        provider=resolution.provider,
        listed_at=listed_at,
        resolved_at=resolved_at,
        downloaded_at=downloaded_at,
        archived_at=archived_at,
        files=tuple(files),
        source=clean(source),
        title=clean(post.title),
        region=clean(post.region),
        language=clean(post.language),
        created_at=post.created_at,
        duration=post.duration,
        stats=post.stats,
        music=_music(post.music) if post.music else None,
        tools=dict(tools),
        attempt=attempt,
        subtitles=clean(subtitles),
        raw=post.raw,
    )


def clean(text: str) -> str:
    """Without what UTF-8 or Postgres cannot hold: lone surrogates become a question mark, NULs go."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _author(author: Author) -> Author:
    return replace(
        author,
        id=clean(author.id),
        username=clean(author.username),
        nickname=clean(author.nickname),
        sec_uid=clean(author.sec_uid),
        avatar="",
    )


def _music(music: Music) -> Music:
    return replace(
        music,
        id=clean(music.id),
        title=clean(music.title),
        author=clean(music.author),
        album=clean(music.album),
        cover="",
    )

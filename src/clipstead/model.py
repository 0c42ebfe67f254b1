"""The nouns of the house: frozen dataclasses that every floor above may read and none may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from clipstead.errors import Attempt

_NOTHING: Mapping[str, str] = MappingProxyType({})


def _nothing() -> Mapping[str, str]:
    return _NOTHING


class LinkKind(StrEnum):
    """What a link points at."""

    POST = "post"
    SHORT = "short"
    USER = "user"
    TAG = "tag"
    SOUND = "sound"
    COLLECTION = "collection"
    PLAYLIST = "playlist"
    LIVE = "live"
    CDN = "cdn"
    OTHER = "other"


class MediaKind(StrEnum):
    """What a file of a post is."""

    VIDEO = "video"
    IMAGE = "image"
    AUDIO = "audio"
    COVER = "cover"
    SUBTITLE = "subtitle"


@dataclass(frozen=True, slots=True)
class Link:
    """What a user gave, understood: `url` is canonical and made by us, never the user's own text on TikTok.

    `platform` is lower case ("tiktok", "youtube"); `post_id` the platform's id where the link carries one;
    `target` the handle, tag, sound id, collection id, short code or room that a link of another kind names.
    """

    platform: str
    url: str
    post_id: str | None = None
    kind: LinkKind = LinkKind.POST
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """Who posted: `id` as the platform writes it, `username` the handle without @, `avatar` an upstream address."""

    id: str = ""
    username: str = ""
    nickname: str = ""
    avatar: str = ""
    verified: bool = False
    sec_uid: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """The sound of a post; its file is the Media of kind AUDIO. `duration` in seconds, `cover` an upstream address."""

    id: str = ""
    title: str = ""
    author: str = ""
    album: str = ""
    cover: str = ""
    duration: float | None = None
    original: bool = False


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters as last seen; None where the provider did not tell."""

    views: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None
    downloads: int | None = None
    reposts: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """One file of a post, in one quality.

    `variant` names it within its post and stays the same from one resolve to the next: tunnels and receipts
    carry it instead of `url`, which is an upstream address that expires (at `expires_at`, unix seconds, where
    known) and wants `headers` and `cookies`. `mirrors` are other addresses of the very same bytes.
    Sizes in bytes, bitrate in bit/s, width and height in pixels, duration in seconds, fps in frames a second;
    None = not told. `segmented` says that `url` is a list of pieces, not a file: an HLS playlist to fetch, unless
    `playlist` holds one already (zlib), as it does for DASH.
    """

    kind: MediaKind
    variant: str
    url: str
    ext: str = ""
    quality: str = ""
    width: int | None = None
    height: int | None = None
    codec: str | None = None
    bitrate: int | None = None
    size: int | None = None
    duration: float | None = None
    watermark: bool = False
    language: str | None = None
    mirrors: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=_nothing)
    cookies: Mapping[str, str] = field(default_factory=_nothing, repr=False)
    expires_at: float | None = None
    fps: float | None = None
    segmented: bool = False
    playlist: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """What a link points at. `media` is in order of preference within each kind; `raw` is the provider's own JSON."""

    id: str
    link: Link
    title: str = ""
    author: Author = Author()
    media: tuple[Media, ...] = ()
    music: Music | None = None
    stats: Stats = Stats()
    created_at: int | None = None
    duration: float | None = None
    region: str = ""
    language: str = ""
    raw: bytes = field(default=b"", repr=False)

    def of_kind(self, kind: MediaKind) -> tuple[Media, ...]:
        """The media of one kind, best first."""
        return tuple(media for media in self.media if media.kind is kind)

    def variant(self, name: str) -> Media | None:
        """The media of that variant name, or None."""
        return next((media for media in self.media if media.variant == name), None)


@dataclass(frozen=True, slots=True)
class Resolution:
    """A post, who gave it, and what it took. Times are unix seconds; `cached` says that nobody was asked this time."""

    post: Post
    provider: str
    attempts: tuple[Attempt, ...] = ()
    fetched_at: float = 0.0
    expires_at: float = 0.0
    cached: bool = False


class SourceKind(StrEnum):
    """What posts are found by."""

    USER = "user"
    TAG = "tag"
    SEARCH = "search"
    SOUND = "sound"
    PLAYLIST = "playlist"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class Source:
    """Where posts are found: `target` is the handle without @, the tag without #, the words searched for, or the id.

    On platforms other than TikTok it is a user, and `target` the address of their page. `region` is a country code or
    "", `publish_time` 0 or how many days back (1 7 30 90 180), `sort_by` 0 relevance, 1 likes, 2 date: for searches.
    """

    kind: SourceKind
    target: str
    platform: str = "tiktok"
    region: str = ""
    publish_time: int = 0
    sort_by: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a source: `posts` as far as its list tells them (their ids always), in the list's order.

    `cursor` asks `lister` for what comes next, and means nothing to another; `more` says whether there is any.
    """

    posts: tuple[Post, ...]
    cursor: str
    more: bool
    lister: str

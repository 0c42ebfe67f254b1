"""Posts remembered for a short while: bounded in bytes, in memory, never an error."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cachebox

from clipstead.model import Link, Media, Post, Resolution

CacheKey = tuple[str, ...]
"""Platform, post id (the link's url where it carries none), language; and a provider's name, where it was asked for."""

_POST_OVERHEAD = 1000
_MEDIA_OVERHEAD = 300
_TEXT_OVERHEAD = 60


@dataclass(frozen=True, slots=True)
class CacheStats:
    """`size` and `max_size` in bytes, `seconds` how long a post is kept; hits and misses since the start."""

    entries: int
    size: int
    max_size: int
    hits: int
    misses: int
    seconds: float


class PostCache:
    """Least recently used goes first when `max_bytes` are full; `seconds` or `max_bytes` of 0 keep nothing.

    cachebox is the engine for order and weight only: its own TTL caches read the wall clock, and let live entries
    grow past the limit. So each entry's end is the `expires_at` of its Resolution, judged by `clock` (unix seconds).
    """

    def __init__(
        self, seconds: float = 300.0, max_bytes: int = 32 * 1024 * 1024, clock: Callable[[], float] = time.time
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._max_bytes = max_bytes if seconds > 0 else 0
        self._entries: cachebox.LRUCache[CacheKey, Resolution] = cachebox.LRUCache(
            max(self._max_bytes, 1), getsizeof=lambda _, resolution: weigh(resolution.post)
        )
        self._hits = 0
        self._misses = 0

    @staticmethod
    def key(link: Link, language: str) -> CacheKey:
        """What makes two requests ask for the same thing."""
        return (link.platform, link.post_id or link.url, language)

    def get(self, key: CacheKey) -> Resolution | None:
        """The resolution kept for `key`, while it is fresh; counted as a hit or a miss."""
        found = self._fresh(key, self._entries.get(key))
        if found is None:
            self._misses += 1
        else:
            self._hits += 1
        return found

    def peek(self, key: CacheKey) -> Resolution | None:
        """As `get`, but leaving no trace in the counts and in the order of use."""
        return self._fresh(key, self._entries.peek(key))

    def _fresh(self, key: CacheKey, found: Resolution | None) -> Resolution | None:
        # A clock set back must not make an entry live longer than `seconds`: it is judged from both ends.
        if found is None or found.fetched_at <= self._clock() < found.expires_at:
            return found
        self._entries.pop(key, None)
        return None

    def put(self, key: CacheKey, resolution: Resolution) -> None:
        """Keep it until its `expires_at`; what is heavier than the whole cache is not kept."""
        if 0 < weigh(resolution.post) <= self._max_bytes:
            self._entries.insert(key, resolution)

    def stats(self) -> CacheStats:
        """The figures of now; what has expired is thrown out first."""
        for key in list(self._entries.keys()):
            self.peek(key)
        return CacheStats(
            entries=len(self._entries),
            size=self._entries.current_size(),
            max_size=self._max_bytes,
            hits=self._hits,
            misses=self._misses,
            seconds=self.seconds,
        )


def weigh(post: Post) -> int:
    """About how many bytes of memory a post holds, its raw JSON included (within a third of what tracemalloc says)."""
    texts = (post.title, post.link.url, post.author.nickname, post.author.avatar)
    weight = _POST_OVERHEAD + len(post.raw) + sum(map(_text, texts))
    return weight + sum(map(_weigh_media, post.media))


def _weigh_media(media: Media) -> int:
    weight = _MEDIA_OVERHEAD + _text(media.url) + sum(map(_text, media.mirrors)) + len(media.playlist)
    return weight + _mapping(media.headers) + _mapping(media.cookies)


def _mapping(mapping: Mapping[str, str]) -> int:
    return 230 + sum(_text(key) + _text(value) for key, value in mapping.items()) if mapping else 0


def _text(text: str) -> int:
    # ASCII takes a byte a character; anything else is stored in two or four.
    return _TEXT_OVERHEAD + len(text) * (1 if text.isascii() else 4)

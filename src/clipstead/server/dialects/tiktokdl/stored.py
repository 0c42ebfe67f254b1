"""The links that were asked for of late and are still in the cache, by an index: the cache itself is never searched."""

from __future__ import annotations

from clipstead.model import Link, Post
from clipstead.resolve.resolver import Resolver
from clipstead.resolve.tiktok_links import true_link

_MOST = 1000


class StoredLinks:
    """Remembers at most a thousand, the oldest go first; nothing is remembered unless `kept`."""

    def __init__(self, resolver: Resolver, *, kept: bool) -> None:
        self._resolver = resolver
        self._kept = kept
        self._links: dict[str, Link] = {}

    def add(self, post: Post) -> None:
        """It was asked for, and answered."""
        if not self._kept:
            return
        url = true_link(post).url
        self._links.pop(url, None)
        self._links[url] = post.link
        if len(self._links) > _MOST:
            del self._links[next(iter(self._links))]

    def links(self) -> list[str]:
        """Those whose posts the cache still has; the others are forgotten."""
        self._links = {url: link for url, link in self._links.items() if self._resolver.peek(link)}
        return list(self._links)

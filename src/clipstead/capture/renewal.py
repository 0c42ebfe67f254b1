"""Addresses that have died are asked for again, once in a capture, however many of its files need it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from clipstead.errors import DownloadFailed, PostUnavailable, UpstreamError
from clipstead.model import Link, Media, Post, Resolution

# What a CDN answers when an address, or the cookie that goes with it, is no longer good.
REFUSED = frozenset({401, 403, 404, 410})


class Resolves(Protocol):
    """As much of the resolver as a capture needs."""

    async def resolve(self, link: Link, *, fresh: bool = False, provider: str | None = None) -> Resolution: ...


class Renewal:
    """The second look at one post. `clock` gives unix seconds."""

    def __init__(self, resolver: Resolves, resolution: Resolution, clock: Callable[[], float]) -> None:
        self._resolver = resolver
        self._resolution = resolution
        self._clock = clock
        self._fresh: Post | None = None
        self._gone: PostUnavailable | None = None
        self._lock = asyncio.Lock()
        self.spent = False

    def current(self, media: Media) -> Media:
        """The same variant as it was last resolved."""
        return (self._fresh and self._fresh.variant(media.variant)) or media

    def expired(self, media: Media) -> bool:
        """Whether its address is known to be past its end."""
        return media.expires_at is not None and media.expires_at <= self._clock()

    async def renew(self, media: Media) -> Media | None:
        """The same variant under another address than the one in `media`, or None when there is none to be had.

        Raises PostUnavailable when the platform says by now that the post is gone.
        """
        async with self._lock:
            if not self.spent:
                self.spent = True
                await self._look_again()
        if self._gone is not None:
            raise self._gone
        renewed = self.current(media)
        return None if renewed is media else renewed

    async def _look_again(self) -> None:
        link, provider = self._resolution.post.link, self._resolution.provider
        try:
            self._fresh = (await self._resolver.resolve(link, fresh=True, provider=provider)).post
        except PostUnavailable as gone:
            self._gone = gone
        except UpstreamError:
            self._fresh = None  # the refusal itself is the better reason to report


def is_refusal(error: BaseException) -> bool:
    """Whether this failure says that the address is dead rather than that the way there is bad."""
    return isinstance(error, DownloadFailed) and error.status in REFUSED

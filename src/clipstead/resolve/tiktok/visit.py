"""Asking TikTok for pages: the headers and cookies of one visit, what an HTTP status means, when to ask once more."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from clipstead.errors import Blocked, ProviderFailed, UpstreamError
from clipstead.model import Post
from clipstead.resolve.tiktok import waf
from clipstead.resolve.web import Net, Reply, retry_after

T = TypeVar("T")

QUICK = 3.0  # seconds: a visit that took longer has used up the time that one more request would need
PAUSE = 0.25
LONGEST_PAUSE = 2.0  # a Retry-After up to here is waited for; a longer one is the rotation's business

_SLICE = 100_000  # numbers of a challenge tried in one go, some 40 ms of a thread
_CDN_COOKIE = "tt_chain_token"  # the CDN serves files only to those who have had the page
_RANDOM = random.SystemRandom()
_CONSONANTS = b"bcdfghjklmnpqrstvwxz"  # no vowels: nothing that could spell a real header's name
_LETTER_OF = bytes(_CONSONANTS[byte % len(_CONSONANTS)] for byte in range(256))


class Visitor:
    """One visit to TikTok: the same headers on each page, and the cookies of the pages before (`jar`).

    `pace` is held for the time of each request; `clock` gives seconds.
    """

    def __init__(
        self,
        net: Net,
        language: str,
        pace: AbstractAsyncContextManager[object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.jar: dict[str, str] = {}
        self._net = net
        self._headers = headers(language)
        self._pace = pace
        self._clock = clock
        self._began = clock()
        self._tried_again = False

    async def page(self, url: str) -> Reply:
        """The page; a challenge before it is solved once. Blocked, ProviderFailed, or what else `Net` raises."""
        reply = await self._get(url, {})
        challenge = waf.find(reply.body)
        if challenge is None:
            return reply
        return await self._get(url, waf.cookies(challenge, await _solve(challenge)))

    async def persist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives; asked once more after a quick fault that may have passed, as long as the visit lasts."""
        while True:
            try:
                return await ask()
            except UpstreamError as error:
                if not await self._may_try_again(error):
                    raise

    def with_cookie(self, post: Post) -> Post:
        """Every file gets the cookie of the visit in which it was named: the CDN asks for it."""
        token = self.jar.get(_CDN_COOKIE, "")
        if not token:
            return post
        cookies = {_CDN_COOKIE: token}
        return replace(post, media=tuple(replace(media, cookies=cookies) for media in post.media))

    async def _may_try_again(self, error: UpstreamError) -> bool:
        """Once a visit, after a quick fault that may have passed: waits as long as is polite, then True."""
        pause = _pause(error)
        if pause is None or self._tried_again or not self.is_quick():
            return False
        self._tried_again = True
        await asyncio.sleep(pause)
        return True

    def is_quick(self) -> bool:
        """Whether so little time has gone by that another request is of use."""
        return self._clock() - self._began < QUICK

    async def _get(self, url: str, once: Mapping[str, str]) -> Reply:
        """`once`: cookies for this request alone. A challenge's answer is never shown twice."""
        async with self._pace or nullcontext():
            reply = await self._net.page(url, headers=self._headers, cookies={**self.jar, **once})
        self.jar.update(reply.cookies)
        trouble = fault(reply)
        if trouble is not None:
            raise trouble
        return reply


def fault(reply: Reply) -> Blocked | ProviderFailed | None:
    """The error that a reply's HTTP status or final address stands for, None where its body is worth reading."""
    if urlsplit(reply.url).path.rstrip("/") == "/login":
        return Blocked("TikTok asks for a login")
    if reply.status == 429:
        return Blocked("TikTok gets too many requests", retry_after=retry_after(reply, 1.0))
    if reply.status >= 500:
        return ProviderFailed(f"TikTok had an error of its own ({reply.status})")
    return None


def headers(language: str) -> dict[str, str]:
    """The language, and 2 to 8 headers of random names.

    The random ones are yt-dlp's finding (August 2026): without them, impersonated requests are blocked far more often.
    """
    junk = {_letters(8, 24): _letters(16, 32) for _ in range(_RANDOM.randint(2, 8))}
    return {"Accept-Language": accept_language(language), **junk}


def accept_language(language: str) -> str:
    """A language tag the way a browser sends it, with English behind it."""
    main, _, region = language.partition("-")
    if main.lower() == "en":
        return f"en-{region.upper() or 'US'},en;q=0.9"
    return f"{language},{main};q=0.9,en;q=0.5" if region else f"{language},en;q=0.5"


def _pause(error: UpstreamError) -> float | None:
    """Seconds to wait before a second try; None where it would be of no use, or rude."""
    if not isinstance(error, Blocked):
        return PAUSE if error.transient else None
    if error.retry_after is None or error.retry_after > LONGEST_PAUSE:
        return None
    return max(error.retry_after, PAUSE)


async def _solve(challenge: waf.Challenge) -> int:
    """In slices in a thread: half a second at worst, during which the event loop keeps its turns."""
    for start in range(0, waf.LIMIT + 1, _SLICE):
        stop = min(start + _SLICE, waf.LIMIT + 1)
        answer = await asyncio.to_thread(waf.search, challenge, start, stop)
        if answer is not None:
            return answer
    raise Blocked("TikTok's challenge has no answer")


def _letters(fewest: int, most: int) -> str:
    return os.urandom(_RANDOM.randint(fewest, most)).translate(_LETTER_OF).decode("ascii")

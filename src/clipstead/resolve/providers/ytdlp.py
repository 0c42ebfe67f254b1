"""yt-dlp as a provider: any platform it knows, and a second opinion on TikTok; it runs in warm child processes."""

import asyncio
import time

from clipstead.model import Link, LinkKind, Post
from clipstead.resolve.loose import Node, decimal, nodes
from clipstead.resolve.providers.base import Net
from clipstead.resolve.providers.parts import Parts
from clipstead.resolve.ytdlp_pool import Pool
from clipstead.resolve.ytdlp_post import parse

_PATIENCE = 20.0  # seconds for it all, if that is enough: who asks has a deadline, and then nothing is left
_LONGEST_WAIT = 12.0  # seconds: beyond that a post without working files, for a while, is better than none


class YtDlp:
    """Asks the children of `pool`, which it closes."""

    name = "ytdlp"
    home = "https://github.com/yt-dlp/yt-dlp"
    maintenance = ""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def accepts(self, link: Link) -> bool:
        """Posts of any platform. Which extractor matches only the child can tell: it refuses what none does."""
        return link.kind is LinkKind.POST

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        """The post as yt-dlp sees it; `net` is not used, since the child goes out through the egress proxy.

        Where its files are given only after some seconds (behind YouTube's advertisements), it is handed out then.
        """
        began = time.monotonic()
        info = await self._pool.info(link.url, link.platform, language)
        post = parse(info, link)
        await asyncio.sleep(min(_wait(info), max(0.0, _PATIENCE - (time.monotonic() - began))))
        return post

    async def close(self) -> None:
        """End all children, also those at work: who waits for them is told that the provider failed."""
        await self._pool.close()


def _wait(info: Node) -> float:
    """Seconds until every file is given, by yt-dlp's reckoning."""
    given_at = max((decimal(each.get("available_at")) or 0.0 for each in nodes(info.get("formats"))), default=0.0)
    return min(max(given_at - time.time(), 0.0), _LONGEST_WAIT)


def build(parts: Parts) -> YtDlp:
    """The provider as an app uses it."""
    return YtDlp(parts.ytdlp)

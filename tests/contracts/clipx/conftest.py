"""A server that speaks ClipX over a real socket, with a handful of posts that never change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from yarl import URL

from clipstead.errors import Blocked, PostUnavailable
from clipstead.model import Author, Link, Media, MediaKind, Music, Post, Stats
from clipstead.net.download import Fetcher
from clipstead.net.guard import Guard
from clipstead.net.pages import Pages
from clipstead.resolve.cache import PostCache
from clipstead.resolve.providers.base import Net
from clipstead.resolve.resolver import Resolver
from clipstead.resolve.rotation import Rotation
from clipstead.server import ServerOptions, create

NOW = 1_795_000_000.0
_CDN = "https://v16.tiktokcdn.com"


def _file(kind: MediaKind, variant: str, ext: str, **more: Any) -> Media:
    return Media(kind, variant, f"{_CDN}/{variant}?x-signature=S", ext, **more)


_COVERS = tuple(_file(MediaKind.COVER, name, "jpg") for name in ("cover", "origin", "dynamic", "avatar", "music-cover"))
_SOUND = _file(MediaKind.AUDIO, "sound", "mp3", size=245_760)
_HD = _file(MediaKind.VIDEO, "hd", "mp4", quality="hd", width=1080, height=1920, codec="h264", size=6_291_456)
_SD = _file(MediaKind.VIDEO, "sd", "mp4", quality="sd", width=576, height=1024, codec="h264", size=3_093_299)
_WM = _file(MediaKind.VIDEO, "wm", "mp4", quality="wm", watermark=True)
_VIDEO = Post(
    id="",
    link=Link("tiktok", ""),
    title="A title",
    author=Author("65", "someone", "Some One", f"{_CDN}/a"),
    media=(_HD, _SD, _WM, _SOUND, *_COVERS),
    music=Music("77", "A sound", "A singer", "An album", f"{_CDN}/m", 15.4, False),
    stats=Stats(
        views=1_500_000, likes=1234, comments=999, shares=1000, saves=1_200_000_000, downloads=999_950, reposts=None
    ),
    created_at=1_700_000_000,
    duration=15.2,
    region="US",
)
_POSTS: dict[str, Post | Exception] = {
    "7608826249200356601": _VIDEO,
    "7608826249200356602": replace(
        _VIDEO,
        media=(*(_file(MediaKind.IMAGE, f"image-{n}", "jpg") for n in (1, 2)), _SOUND, *_COVERS),
        duration=None,
    ),
    "7608826249200356603": replace(
        _VIDEO, title="  ", media=(_SD,), music=None, created_at=None, stats=Stats(), region=""
    ),
    "7608826249200356604": PostUnavailable("deleted"),
    "7608826249200356605": PostUnavailable("private"),
    "7608826249200356606": Blocked("captcha"),
}


class Fixed:
    """A provider with a few posts; the one that ends in 9 never comes."""

    name = "fixed"
    home = ""
    maintenance = ""

    def accepts(self, link: Link) -> bool:
        """Everything."""
        return True

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        """The post of that id."""
        if link.post_id is None or link.post_id.endswith("9"):
            await asyncio.sleep(60)
        found = _POSTS[str(link.post_id)]
        if isinstance(found, Exception):
            raise found.with_traceback(None)
        return replace(found, id=str(link.post_id), link=link)


@dataclass
class ClipX:
    """Ask it as a client would."""

    base: str
    client: aiohttp.ClientSession

    async def ask(self, method: str, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body; `target` is sent exactly as written."""
        url = URL(self.base + target, encoded=True)
        async with self.client.request(method, url, headers=headers, allow_redirects=False) as reply:
            return reply.status, {k.lower(): v for k, v in reply.headers.items()}, await reply.read()


@pytest.fixture
async def clipx(serving: Any) -> AsyncIterator[ClipX]:
    """A fresh server with the contract's limits and one unlimited token, `word`."""
    async with AsyncExitStack() as stack:
        guard = Guard()
        net, fetcher = Pages(guard), Fetcher(guard)
        stack.push_async_callback(net.close)
        stack.push_async_callback(fetcher.close)
        resolver = Resolver(Rotation([Fixed()]), PostCache(300, clock=lambda: NOW), net, clock=lambda: NOW)
        stack.push_async_callback(resolver.close)
        options = ServerOptions(secret=[b"s" * 32], version="9.9", clipx_unlimited_tokens=("word",))
        app = create(resolver, fetcher, options, lambda: NOW, lambda: NOW)
        port = await stack.enter_async_context(serving(app))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield ClipX(f"http://127.0.0.1:{port}", client)

"""TikTok's own post page, asked the way a browser asks: the first provider, since it alone knows TikTok's reasons."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from clipstead.errors import Blocked, ProviderFailed, UpstreamError
from clipstead.model import Link, LinkKind, Post
from clipstead.resolve.platforms import TIKTOK
from clipstead.resolve.providers.parts import Parts
from clipstead.resolve.tiktok import embed, item, status
from clipstead.resolve.tiktok import page as pages
from clipstead.resolve.tiktok.visit import Visitor
from clipstead.resolve.web import Net

_OWN_ADDRESS = re.compile(r"https?://[a-z.]*tiktok\.com/@([\w.-]{1,64})/(?:video|photo)/(\d{1,20})(?:[/?#]|$)", re.A)


def parse(page: bytes, link: Link) -> Post:
    """The post on a TikTok page (also: in an answer of the web API `item/detail`). Pure; knows no cookies yet.

    Raises PostUnavailable where TikTok says that the post cannot be had, Blocked where the page keeps us out, and
    ProviderFailed where it is broken, unknown, or shows another post than `link.post_id`.
    """
    found = pages.find(page, link.post_id)
    if found.code and not (found.item and found.code in status.OF_THE_ACCOUNT):
        raise status.refusal(found.code, found.message)
    if not found.item:
        raise ProviderFailed("TikTok's page does not show the post")
    return item.build(found.item, link)


class TikTokWeb:
    """Post pages of www.tiktok.com, with the embed page behind them. `pace` bounds the requests under way."""

    name = "tiktok_web"
    home = "https://www.tiktok.com"
    maintenance = ""

    def __init__(
        self,
        pace: AbstractAsyncContextManager[object] | None = None,
        base: str = "https://www.tiktok.com",
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = pace
        self._base = base.rstrip("/")
        self._clock = clock

    def accepts(self, link: Link) -> bool:
        """Posts of TikTok whose id is known."""
        return link.platform == TIKTOK and link.kind is LinkKind.POST and bool(link.post_id)

    async def fetch(self, link: Link, net: Net, *, language: str = "en") -> Post:
        """The post from its page, or from its embed page; where both fail, the page's own error."""
        visitor = Visitor(net, language, self._pace, self._clock)
        try:
            post = await self._by_page(link, visitor)
        except (Blocked, ProviderFailed) as error:
            told_to_wait = isinstance(error, Blocked) and error.retry_after is not None
            embedded = None if told_to_wait or not visitor.is_quick() else await self._by_embed(link, visitor)
            if embedded is None:
                raise
            post = embedded
        return visitor.with_cookie(post)

    async def _by_page(self, link: Link, visitor: Visitor) -> Post:
        return await visitor.persist(lambda: self._read(f"{self._base}/@_/video/{link.post_id}", link, visitor))

    async def _read(self, url: str, link: Link, visitor: Visitor) -> Post:
        """The post at `url`; a page without it may name the post's own address, which is asked once."""
        reply = await visitor.page(url)
        try:
            return parse(reply.body, link)
        except Blocked:
            own = self._own_address(reply.body, link)
            if not own:
                if "x-tt-system-error" in reply.headers:
                    raise Blocked("TikTok intercepted the request") from None
                raise
        return parse((await visitor.page(own)).body, link)

    def _own_address(self, page: bytes, link: Link) -> str:
        """Only the handle is taken from the page; the address is made here."""
        found = _OWN_ADDRESS.match(pages.canonical(page))
        if found is None or found[2] != link.post_id or found[1] == "_":
            return ""
        return f"{self._base}/@{found[1]}/video/{link.post_id}"

    async def _by_embed(self, link: Link, visitor: Visitor) -> Post | None:
        try:
            reply = await visitor.page(f"{self._base}/embed/v2/{link.post_id}")
            return embed.parse(reply.body, link)
        except UpstreamError:
            return None


def build(parts: Parts) -> TikTokWeb:
    """The provider as an app uses it."""
    return TikTokWeb(parts.tiktok_pace)

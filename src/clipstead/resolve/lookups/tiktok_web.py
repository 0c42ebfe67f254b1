"""TikTok's own pages as an answerer: an account by its handle, a hashtag by its name, a sound by its id."""

from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

from clipstead.resolve.lookups.base import Call, TakesNone
from clipstead.resolve.nouns import Profile, Sound, Tag
from clipstead.resolve.tiktok import about
from clipstead.resolve.tiktok.visit import Visitor
from clipstead.resolve.web import Net


class TikTokPages(TakesNone):
    """Pages of www.tiktok.com; `pace` bounds the requests under way."""

    name = "tiktok_web"
    home = "https://www.tiktok.com"
    takes = frozenset({Call.PROFILE, Call.TAG, Call.SOUND})

    def __init__(
        self, pace: AbstractAsyncContextManager[object] | None = None, base: str = "https://www.tiktok.com"
    ) -> None:
        self._pace = pace
        self._base = base.rstrip("/")

    async def profile(self, net: Net, *, username: str = "", user_id: str = "") -> Profile:
        return about.profile(await self._read(net, f"/@{quote(username, safe='')}"))

    async def tag(self, net: Net, *, name: str = "", tag_id: str = "") -> Tag:
        return about.tag(await self._read(net, f"/tag/{quote(name, safe='')}"))

    async def sound(self, net: Net, sound_id: str) -> Sound:
        return about.sound(await self._read(net, f"/music/_-{sound_id}"))

    async def _read(self, net: Net, path: str) -> bytes:
        visitor = Visitor(net, "en", self._pace)
        return (await visitor.persist(lambda: visitor.page(self._base + path))).body

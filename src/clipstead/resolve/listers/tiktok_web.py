"""TikTok's own lists, asked the way its site asks them, unsigned.

Which of them answer the unsigned is TikTok's mood, as seen up to October 2026: `creator/item_list` (accounts) was long
the one that did and has been failing for some since the end of August 2026; `collection/item_list` does for yt-dlp;
`post/item_list` mostly answers with nothing unless an account's cookies go along; tags, sounds and playlists are asked
for in hope, searches want a login. What keeps us out is said as Blocked, and never taken for the end of a list.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from clipstead.errors import Blocked, SourceUnavailable
from clipstead.model import Page, Source, SourceKind
from clipstead.resolve.listers.base import Net, Place, not_ours, posts_of
from clipstead.resolve.platforms import TIKTOK
from clipstead.resolve.providers.parts import Parts
from clipstead.resolve.sources import BY_ID, SEC_UID
from clipstead.resolve.tiktok import about, item, lists
from clipstead.resolve.tiktok.lists import Listed
from clipstead.resolve.tiktok.visit import Visitor

_WEEK = 7 * 86_400_000
_BEGINNING = 1_472_706_000_000  # milliseconds: September 2016, before the first post
_WEEKS_A_PAGE = 26  # of silence that are passed over before the page is given as an empty one
_USER_LISTS = (("creator/item_list", 15), ("post/item_list", 35))


@dataclass(frozen=True, slots=True)
class _ByPlace:
    """A list whose cursor counts items: its path, the parameters for its id and its cursor, its largest page."""

    path: str
    about: str
    cursor: str = "cursor"
    most: int = 30


_LISTS: Mapping[SourceKind, _ByPlace] = {
    SourceKind.TAG: _ByPlace("challenge/item_list", "challengeID"),
    SourceKind.SOUND: _ByPlace("music/item_list", "musicID"),
    SourceKind.PLAYLIST: _ByPlace("mix/item_list", "mixId"),
    SourceKind.COLLECTION: _ByPlace("collection/item_list", "collectionId"),
    SourceKind.SEARCH: _ByPlace("search/item/full", "keyword", "offset", most=20),
}


class TikTokWebLists:
    """Lists of www.tiktok.com. `pace` bounds the requests under way, `clock` gives unix seconds."""

    name = "tiktok_web"
    home = "https://www.tiktok.com"

    def __init__(
        self,
        pace: AbstractAsyncContextManager[object] | None = None,
        base: str = "https://www.tiktok.com",
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pace = pace
        self._base = base.rstrip("/")
        self._clock = clock

    def lists(self, source: Source) -> bool:
        """Sources on TikTok, but not accounts by their number, nor what is narrowed by region, time or order."""
        narrowed = source.region or source.publish_time or source.sort_by
        return source.platform == TIKTOK and not narrowed and not source.target.startswith(BY_ID)

    async def page(self, source: Source, cursor: str, count: int, net: Net) -> Page:
        """One request; before a list's first page one more for the id of an account or a tag, after an empty first
        page one for why. A captcha, a login wall and an empty answer are Blocked."""
        visit = _Visit(Visitor(net, "en", self._pace), self._base)
        place = Place.read(cursor)
        if place.at and not (place.at.isascii() and place.at.isdecimal() and len(place.at) <= 20):
            raise not_ours()
        if source.kind is SourceKind.USER:
            return await self._of_user(source, place, count, visit)
        return await self._by_place(source, place, count, visit)

    async def _of_user(self, source: Source, place: Place, count: int, visit: "_Visit") -> Page:
        """By time: the cursor is when the last post was made, in milliseconds."""
        sec_uid, posted = place.id, None
        if not sec_uid:
            sec_uid, posted = await self._account(source, visit)
        before = int(place.at) if place.at else int(self._clock() * 1000)
        for _ in range(_WEEKS_A_PAGE):
            listed = await visit.older(sec_uid, before, count)
            before = listed.oldest() or before - _WEEK
            more = listed.more and before > _BEGINNING
            if listed.entries or not more:
                break
        if not listed.entries and not more and not place.at and posted != 0:
            raise Blocked("TikTok lists no posts for an account that may have some")
        return self._page(listed, Place(sec_uid, str(before)), more, visit)

    async def _account(self, source: Source, visit: "_Visit") -> tuple[str, int | None]:
        """The secUid, and how many posts there are as far as is known."""
        if SEC_UID.fullmatch(source.target):
            return source.target, None
        profile = about.profile(await visit.read(f"/@{quote(source.target, safe='')}"))
        if profile.private and not profile.videos:
            raise SourceUnavailable("private")
        if not profile.sec_uid:
            raise Blocked("TikTok's page does not tell which account it is")
        return profile.sec_uid, profile.videos

    async def _by_place(self, source: Source, place: Place, count: int, visit: "_Visit") -> Page:
        list_ = _LISTS[source.kind]
        named = place.id or source.target
        if source.kind is SourceKind.TAG and not place.id:
            named = about.tag(await visit.read(f"/tag/{quote(source.target, safe='')}")).id
        size = min(count, list_.most) if count > 0 else list_.most
        at = place.at or "0"
        listed = await visit.ask(list_.path, **{list_.about: named, list_.cursor: at, "count": str(size)})
        if not listed.entries and not listed.more and not place.at:
            await self._say_why(source, visit)
        ends = listed.cursor or str(int(at) + size)
        if listed.more and ends == at:
            raise Blocked("TikTok keeps sending the same page")
        kept = "" if source.kind is SourceKind.SEARCH else named
        return self._page(listed, Place(kept, ends), listed.more, visit)

    async def _say_why(self, source: Source, visit: "_Visit") -> None:
        """Why a list is empty: nothing found, nothing there, or nothing for us."""
        match source.kind:
            case SourceKind.SEARCH:
                return
            case SourceKind.TAG:
                of = about.tag(await visit.read(f"/tag/{quote(source.target, safe='')}")).videos
            case SourceKind.SOUND:
                of = about.sound(await visit.read(f"/music/_-{source.target}")).videos
            case _:
                raise SourceUnavailable("missing")
        if of != 0:
            raise Blocked("TikTok lists no posts where there should be some")

    def _page(self, listed: Listed, place: Place, more: bool, visit: "_Visit") -> Page:
        posts = posts_of(listed.entries, item.build)
        return Page(tuple(visit.visitor.with_cookie(post) for post in posts), place.text(), more, self.name)

    async def close(self) -> None:
        """It holds nothing."""


class _Visit:
    """The pages and lists of one visit, each asked once more after a quick fault."""

    def __init__(self, visitor: Visitor, base: str) -> None:
        self.visitor = visitor
        self._base = base

    async def read(self, path: str) -> bytes:
        """The page at `path`."""
        return (await self.visitor.persist(lambda: self.visitor.page(self._base + path))).body

    async def ask(self, path: str, **of_list: str) -> Listed:
        """The answer of one list."""
        return lists.parse(await self.read(f"/api/{path}/?{urlencode(lists.query(**of_list))}"))

    async def older(self, sec_uid: str, before: int, count: int) -> Listed:
        """An account's posts from before that time, of the first of its two lists that answers."""
        first: Blocked | None = None
        for path, most in _USER_LISTS:
            size = str(min(count, most) if count > 0 else most)
            try:
                listed = await self.ask(path, secUid=sec_uid, cursor=str(before), count=size, **_OF_USER[path])
            except Blocked as error:
                first = first or error
                continue
            if (listed.oldest() or 0) < before:
                return listed
            first = first or Blocked("TikTok keeps sending the same page")
        raise first or Blocked("TikTok answers no list of this account")


_OF_USER: Mapping[str, dict[str, str]] = {
    "creator/item_list": {"type": "1", "from_page": "user"},
    "post/item_list": {"post_item_list_request_type": "0", "needPinnedItemIds": "false", "from_page": "user"},
}


def build(parts: Parts) -> TikTokWebLists:
    """The lister as an app uses it."""
    return TikTokWebLists(parts.tiktok_pace)

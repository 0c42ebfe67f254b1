"""TikLive's lists of posts: of an account, a tag, a search, a sound, a playlist, a collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from clipstead.errors import InvalidParams, SourceUnavailable, UnsupportedLink
from clipstead.model import Page, Source
from clipstead.resolve.listing import Listing
from clipstead.resolve.sources import PUBLISH_TIMES, SORT_ORDERS, parse_source
from clipstead.server.dialects.base import Services
from clipstead.server.dialects.tiklive import cursors
from clipstead.server.dialects.tiklive.cursors import Place
from clipstead.server.dialects.tiklive.links import Links
from clipstead.server.dialects.tiklive.params import Params
from clipstead.server.dialects.tiklive.posts import video
from clipstead.server.dialects.tiklive.words import NobodyAnswers
from clipstead.server.recent import Recent

MOST = 35
_DEFAULT = 10
_EMPTY_PAGES = 3  # clients stop at a page without posts, whatever it says of more
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source, and the id by which listers know it, "" where its own name will do."""

    source: Source
    known_id: str = ""


class Lists:
    """The calls that answer `{videos, cursor, hasMore}`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tags: Recent[str] = Recent(_HOUR, services.ticks)  # names by ids, which stay

    async def of_user(self, params: Params, links: Links) -> dict[str, Any]:
        """/user-posts/"""
        return await self._page(params, links, Wanted(_user(params)))

    async def of_challenge(self, params: Params, links: Links) -> dict[str, Any]:
        """/challenge-posts/"""
        named = params.get("name") if not params.get("challenge_id") else ""
        tag_id, name = ("", named) if named else await self._tag(params.digits("challenge_id"))
        source = replace(_source("name" if named else "challenge_id", f"#{name}?"), region=params.region())
        return await self._page(params, links, Wanted(source, tag_id))

    async def of_search(self, params: Params, links: Links) -> dict[str, Any]:
        """/search-video/"""
        found = _source("keyword", f"search:{params.need('keyword')}?")
        source = replace(
            found,
            region=params.region(),
            publish_time=params.choice("publish_time", *PUBLISH_TIMES),
            sort_by=params.choice("sort_by", *SORT_ORDERS),
        )
        return await self._page(params, links, Wanted(source))

    def of(self, kind: str, name: str) -> Callable[[Params, Links], Any]:
        """/music-posts/, /playlist-posts/, /collection-posts/: `kind` as in a source's text, `name` the parameter."""

        async def listed(params: Params, links: Links) -> dict[str, Any]:
            return await self._page(params, links, Wanted(_source(name, f"{kind}:{params.need(name)}")))

        return listed

    async def _tag(self, tag_id: str) -> tuple[str, str]:
        """Its id and its name: lists are asked for by the one, sources are named by the other."""
        known = self._tags.get(tag_id)
        if known is None:
            if self._services.lookups is None:
                raise NobodyAnswers
            known = (await self._services.lookups.tag(tag_id=tag_id)).name
            self._tags.put(tag_id, known)
        return tag_id, known

    async def _page(self, params: Params, links: Links, wanted: Wanted) -> dict[str, Any]:
        listing, given = self._services.listing, params.get("cursor")
        first = next(iter(listing.listers_of(wanted.source)), "") if listing else ""
        if listing is None or not first:
            raise NobodyAnswers
        place = cursors.read(given, first, wanted.known_id)
        try:
            page = await _filled(listing, wanted.source, place, params.count(_DEFAULT, MOST))
        except SourceUnavailable as error:
            if error.reason != "private":
                raise
            return {"videos": [], "cursor": given or "0", "hasMore": False}
        videos = [video(post, links.of_listed(post, page.lister), listed=True) for post in page.posts]
        cursor = cursors.write(Place(page.cursor, page.lister), first, wanted.known_id, wanted.source.target)
        return {"videos": videos, "cursor": cursor, "hasMore": page.more}


async def _filled(listing: Listing, source: Source, place: Place, count: int) -> Page:
    """A page that has posts, or is the last, or is one of a few empty ones in a row."""
    for _ in range(_EMPTY_PAGES):
        page = await listing.page(source, place.cursor, place.lister, count)
        place = Place(page.cursor, page.lister)
        if page.posts or not page.more:
            break
    return page


def _user(params: Params) -> Source:
    """By numeric id, as the contract has it; a handle is understood wherever it stands."""
    named = params.get("userid") or params.get("username") or params.need("userid")
    return _source("userid", f"@id:{named}" if named.isascii() and named.isdigit() else f"@{named.removeprefix('@')}")


def _source(name: str, text: str) -> Source:
    try:
        return parse_source(text)
    except UnsupportedLink:
        raise InvalidParams({name: "is invalid"}) from None

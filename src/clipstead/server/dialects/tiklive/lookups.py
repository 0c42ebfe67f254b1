"""TikLive's look-ups: accounts, tags, sounds, comments, regions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from clipstead.errors import InvalidParams, ResolveFailed
from clipstead.model import Link, LinkKind
from clipstead.resolve.lookups import Lookups
from clipstead.resolve.nouns import Found, Profile
from clipstead.server.dialects.base import Services, tiktok_post
from clipstead.server.dialects.tiklive import nouns
from clipstead.server.dialects.tiklive.links import LANGUAGE, PATIENCE, Links
from clipstead.server.dialects.tiklive.params import Params
from clipstead.server.dialects.tiklive.regions import REGIONS
from clipstead.server.dialects.tiklive.words import NobodyAnswers

T = TypeVar("T")

_MOST_COMMENTS = 50
_MOST_FOUND = 35


@dataclass(frozen=True, slots=True)
class LookUps:
    """The calls about anything but posts."""

    services: Services

    async def user_id(self, params: Params, _: Links) -> dict[str, Any]:
        """/userid/"""
        return nouns.user_ids(await self._by_name(params))

    async def user_by_name(self, params: Params, links: Links) -> dict[str, Any]:
        """/userinfo-by-username/"""
        return nouns.user_info(await self._by_name(params), links.of_noun)

    async def user_by_id(self, params: Params, links: Links) -> dict[str, Any]:
        """/userinfo-by-id/"""
        user_id = params.digits("userid")
        return nouns.user_info(await self._ask().profile(user_id=user_id), links.of_noun)

    async def search_user(self, params: Params, links: Links) -> dict[str, Any]:
        """/search-user/"""
        words, cursor, count = params.need("keyword"), params.cursor(), params.count(10, _MOST_FOUND)
        with _named("words", "keyword"):
            found = await self._ask().search_profiles(words, cursor, count)
        users = [nouns.found_user(profile, links.of_noun) for profile in found.items]
        return {"user_list": users, **_place(found, int(cursor))}

    async def challenge_by_name(self, params: Params, links: Links) -> dict[str, Any]:
        """/challenge-info-name/"""
        name = params.need("name").removeprefix("#")
        return nouns.challenge(await self._ask().tag(name=name), links.of_noun)

    async def challenge_by_id(self, params: Params, links: Links) -> dict[str, Any]:
        """/challenge-info-id/"""
        tag_id = params.digits("id")
        return nouns.challenge(await self._ask().tag(tag_id=tag_id), links.of_noun)

    async def search_challenge(self, params: Params, links: Links) -> dict[str, Any]:
        """/search-challenge/"""
        words, cursor, count = params.need("keyword"), params.cursor(), params.count(10, _MOST_FOUND)
        with _named("words", "keyword"):
            found = await self._ask().search_tags(words, cursor, count)
        tags = [nouns.challenge_entry(tag, links.of_noun) for tag in found.items]
        return {"challenge_list": tags, **_place(found, int(cursor))}

    async def music(self, params: Params, links: Links) -> dict[str, Any]:
        """/music-info/"""
        return nouns.music(await self._ask().sound(params.digits("music_id")), links.of_noun)

    async def comments(self, params: Params, links: Links) -> dict[str, Any]:
        """/post-comments/"""
        cursor = params.cursor()
        link = await self._post(params.get("url") or params.get("video_id") or params.need("url"))
        found = await self._ask().comments(link, cursor, params.count(10, _MOST_COMMENTS))
        listed = [nouns.comment(each, links.of_noun) for each in found.items]
        return {"comments": listed, "total": _total(found), **_place(found, int(cursor))}

    async def replies(self, params: Params, links: Links) -> dict[str, Any]:
        """/post-comment-replies/"""
        comment_id, cursor = params.digits("comment_id"), params.cursor()
        link = await self._post(params.get("video_id") or params.get("url") or params.need("video_id"))
        found = await self._ask().replies(link.post_id or "", comment_id, cursor, params.count(10, _MOST_COMMENTS))
        listed = [nouns.comment(each, links.of_noun, reply=True) for each in found.items]
        return {"comments": listed, "total": _total(found), **_place(found, int(cursor))}

    async def regions(self, _params: Params, _links: Links) -> dict[str, Any]:
        """/region-list/"""
        return dict(REGIONS)

    async def _by_name(self, params: Params) -> Profile:
        return await self._ask().profile(username=params.need("username").removeprefix("@"))

    async def _post(self, text: str) -> Link:
        """The post that `text` leads to, by a short link too."""
        link = tiktok_post(text)
        if link.kind is not LinkKind.SHORT:
            return link
        return (await self.services.resolver.resolve(link, language=LANGUAGE, timeout=PATIENCE)).post.link

    def _ask(self) -> Lookups:
        if self.services.lookups is None:
            raise NobodyAnswers
        return self.services.lookups


def unanswered(error: ResolveFailed) -> bool:
    """Whether nobody among those we can ask takes such a question at all."""
    return not error.transient and not error.attempts


@contextmanager
def _named(ours: str, theirs: str) -> Iterator[None]:
    """What a look-up finds wrong with a value is said of the parameter that it came by."""
    try:
        yield
    except InvalidParams as error:
        raise InvalidParams({theirs if name == ours else name: rule for name, rule in error.fields.items()}) from None


def _place(found: Found[T], before: int) -> dict[str, Any]:
    """Whole numbers here, as its clients expect them; the last page says where it ended."""
    at = int(found.cursor) if found.cursor.isascii() and found.cursor.isdigit() else before
    return {"cursor": at, "hasMore": found.more}


def _total(found: Found[T]) -> int:
    return len(found.items) if found.total is None else found.total

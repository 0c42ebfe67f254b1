"""TikLive's calls about one post: all of it, its files, its sound, its advertisement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clipstead.errors import PostUnavailable, UnsupportedLink
from clipstead.model import LinkKind, Resolution
from clipstead.resolve.links import parse as parse_link
from clipstead.server.dialects.base import Services, tiktok_post
from clipstead.server.dialects.tiklive import nouns, posts
from clipstead.server.dialects.tiklive.links import LANGUAGE, PATIENCE, Links
from clipstead.server.dialects.tiklive.params import Params
from clipstead.server.dialects.tiklive.words import NobodyAnswers
from clipstead.server.roles import sound


@dataclass(frozen=True, slots=True)
class Details:
    """The calls that take the link of a post."""

    services: Services

    async def post(self, params: Params, links: Links) -> dict[str, Any]:
        """/post-detail/"""
        found = await self._resolve(params.need("url"))
        return posts.video(found.post, links.of_post(found))

    async def video(self, params: Params, links: Links) -> dict[str, Any]:
        """/download-video/"""
        found = await self._resolve(params.need("url"))
        whole = posts.video(found.post, links.of_post(found))
        return {"video": whole["play"], "video_hd": whole.get("hdplay", whole["play"])}

    async def music(self, params: Params, links: Links) -> dict[str, Any]:
        """/download-music/: of a post, or of a sound by its link."""
        url = params.get("url") or params.get("music_id") or params.need("url")
        link = parse_link(url)
        if link.kind is LinkKind.SOUND and link.platform == "tiktok":
            if self.services.lookups is None:
                raise NobodyAnswers
            told = nouns.music(await self.services.lookups.sound(link.target or ""), links.of_noun)
        else:
            found = await self._resolve(url)
            if sound(found.post) is None:
                raise PostUnavailable("missing", "The post has no sound of its own")
            told = posts.music(found.post, links.of_post(found))
        return {"music": told["play"], "play": told["play"], "title": told["title"]}

    async def advertisement(self, params: Params, links: Links) -> dict[str, Any]:
        """/ads-detail/"""
        found = await self._resolve(params.need("url"))
        return {**posts.commerce(found.post), **posts.video(found.post, links.of_post(found))}

    async def _resolve(self, url: str) -> Resolution:
        """What the archive holds, where it may be asked; else the resolver's."""
        link, archived = tiktok_post(url), self.services.workroom().archived
        kept = await archived.post(link) if archived is not None else None
        if kept is not None:
            return kept
        found = await self.services.resolver.resolve(link, language=LANGUAGE, timeout=PATIENCE)
        if found.post.link.platform != "tiktok":
            raise UnsupportedLink("Not a post of TikTok")
        return found

"""A post in TikLive's words: the object that every list and detail of it is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clipstead.errors import ProviderFailed
from clipstead.model import Media, MediaKind, Post
from clipstead.resolve import loose
from clipstead.server.roles import pick, sound

Address = Callable[[Media], str]
_PICTURES = {"cover": "cover", "ai_dynamic_cover": "dynamic", "origin_cover": "origin"}
_COUNTERS = {
    "play_count": "views",
    "digg_count": "likes",
    "comment_count": "comments",
    "share_count": "shares",
    "download_count": "downloads",
    "collect_count": "saves",
}
_COMMERCE = ("adv_promotable", "auction_ad_invited", "with_comment_filter_words")


def video(post: Post, address: Address, *, listed: bool = False) -> dict[str, Any]:
    """`address` gives the link under which a client gets a file; `listed` for lists, which name no HD video and no
    pieces of the title, but know what is pinned.

    The three ids are one and the same; what nobody told is 0, "" or false, and never null but for `anchors`.
    """
    told = raw(post.raw)
    return {
        "aweme_id": post.id,
        "video_id": post.id,
        "id": post.id,
        "region": post.region,
        "title": post.title,
        **({} if listed else _descriptions(told)),
        **_covers(post, address),
        **_files(post, address, listed=listed),
        "music_info": music(post, address),
        **{name: getattr(post.stats, ours) or 0 for name, ours in _COUNTERS.items()},
        "create_time": post.created_at or _moment(post.id),
        "anchors": None,
        "anchors_extras": loose.text(told.get("anchors_extras")),
        **commerce(post),
        "item_comment_settings": loose.number(told.get("item_comment_settings")) or 0,
        "mentioned_users": loose.text(told.get("mentioned_users")),
        "author": _author(post, address),
        **({"is_top": int(loose.flag(told.get("is_top")) or loose.flag(told.get("isPinnedItem")))} if listed else {}),
        **_images(post, address),
    }


def commerce(post: Post) -> dict[str, Any]:
    """Whether it is an advertisement, as far as the provider told."""
    told = raw(post.raw)
    info = loose.node(told, "commerce_info")
    return {
        "is_ad": loose.flag(told.get("is_ad")) or loose.flag(told.get("isAd")),
        "commerce_info": {
            **{name: loose.flag(info.get(name)) for name in _COMMERCE},
            "branded_content_type": loose.number(info.get("branded_content_type")) or 0,
        },
        "commercial_video_info": loose.text(told.get("commercial_video_info")),
    }


def music(post: Post, address: Address) -> dict[str, Any]:
    """The sound that it is set to."""
    told, picture, file = post.music, post.variant("music-cover"), sound(post)
    seconds = told.duration if told else None
    return {
        "id": told.id if told else "",
        "title": told.title if told else "",
        "play": address(file) if file else "",
        "cover": address(picture) if picture else told.cover if told else "",
        "author": told.author if told else "",
        "original": bool(told and told.original),
        "duration": round(seconds if seconds is not None else post.duration or 0),
        "album": told.album if told else "",
    }


def raw(body: bytes) -> loose.Node:
    """The provider's own object, empty where it is none."""
    try:
        return loose.node(loose.decode(body, "It")) if body[:1] == b"{" else {}
    except ProviderFailed:
        return {}


def _descriptions(told: loose.Node) -> dict[str, list[str]]:
    listed = told.get("content_desc")
    return {"content_desc": [text for text in listed if isinstance(text, str)]} if isinstance(listed, list) else {}


def _covers(post: Post, address: Address) -> dict[str, str]:
    """All three whenever there is a picture at all: clients take the first that they meet."""
    found = {name: media for name, ours in _PICTURES.items() if (media := post.variant(ours)) is not None}
    spare = next(iter((*found.values(), *post.of_kind(MediaKind.IMAGE))), None)
    if spare is None:
        spare = Media(MediaKind.COVER, "as-cover", "", ext="jpg")
    return {name: address(found.get(name, spare)) for name in _PICTURES}


def _files(post: Post, address: Address, *, listed: bool) -> dict[str, Any]:
    """Of photos there is neither length nor size, and the sound stands under every name that a video has."""
    photos, videos, file = post.of_kind(MediaKind.IMAGE), pick(post), sound(post)
    link = address(file) if file else ""
    if photos:
        names = ("play", "wmplay") if listed else ("play", "wmplay", "hdplay")
        return {"duration": 0, **dict.fromkeys(names, link), "size": 0, "wm_size": 0, "music": link}
    plain = videos.standard or videos.hd or Media(MediaKind.VIDEO, "as-play", "", ext="mp4")
    marked, hd = videos.watermarked or plain, None if listed else videos.hd
    return {
        "duration": round(post.duration or 0),
        "play": address(plain),
        "wmplay": address(marked),
        **({"hdplay": address(hd)} if hd else {}),
        "size": plain.size or 0,
        "wm_size": marked.size or 0,
        **({"hd_size": hd.size or 0} if hd else {}),
        "music": link,
    }


def _images(post: Post, address: Address) -> dict[str, list[str]]:
    images = post.of_kind(MediaKind.IMAGE)
    return {"images": [address(image) for image in images]} if images else {}


def _author(post: Post, address: Address) -> dict[str, str]:
    author, picture = post.author, post.variant("avatar")
    return {
        "id": author.id,
        "unique_id": author.username,
        "nickname": author.nickname or author.username,
        "avatar": address(picture) if picture else author.avatar,
    }


def _moment(post_id: str) -> int:
    """The upper 32 bits of an id are the unix time it was given out at."""
    return int(post_id) >> 32 if post_id.isascii() and post_id.isdigit() and len(post_id) <= 20 else 0

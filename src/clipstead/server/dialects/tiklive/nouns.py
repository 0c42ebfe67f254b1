"""Accounts, tags, sounds and comments in TikLive's words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clipstead.model import Post
from clipstead.resolve import loose
from clipstead.resolve.nouns import Comment, Profile, Sound, Tag
from clipstead.server.dialects.tiklive.posts import raw
from clipstead.server.nouns import of_profile, of_sound, of_tag

Picture = Callable[[Post, str], str]
"""The link under which a client gets one file (by its variant) of an account, a tag or a sound."""


def user_info(profile: Profile, picture: Picture) -> dict[str, Any]:
    """`stats` stands in three places, since clients look in each."""
    stats = _stats(profile)
    return {"user": {**_user(profile, picture), **stats, "stats": stats}, "stats": stats}


def found_user(profile: Profile, picture: Picture) -> dict[str, Any]:
    """An entry of a search: both names that it goes by."""
    told = user_info(profile, picture)
    return {**told, "user_info": told["user"]}


def user_ids(profile: Profile) -> dict[str, str]:
    """The id under every name that it is asked for by."""
    return {"userid": profile.id, "user_id": profile.id, "id": profile.id, "username": profile.username}


def _stats(profile: Profile) -> dict[str, int]:
    return {
        "followingCount": profile.following or 0,
        "followerCount": profile.followers or 0,
        "heartCount": profile.likes or 0,
        "videoCount": profile.videos or 0,
        "diggCount": profile.liked or 0,
        "heart": profile.likes or 0,
    }


def _user(profile: Profile, picture: Picture) -> dict[str, Any]:
    told = raw(profile.raw)
    told = loose.node(told, "user") or told
    post = of_profile(profile)
    links = {name: picture(post, variant) if post else "" for name, variant in _AVATARS.items()}
    return {
        "id": profile.id,
        "uniqueId": profile.username,
        "nickname": profile.nickname or profile.username,
        **{name: links[name] or next(filter(None, links.values()), "") for name in _AVATARS},
        "signature": profile.signature,
        "verified": profile.verified,
        "secUid": profile.sec_uid,
        "secret": profile.private,
        "ftc": loose.flag(told.get("ftc")),
        "relation": loose.number(told.get("relation")) or 0,
        "openFavorite": loose.flag(told.get("openFavorite")),
        **({"bioLink": {"link": profile.bio_link, "risk": _risk(told)}} if profile.bio_link else {}),
        **{name: loose.number(told.get(name)) or 0 for name in ("commentSetting", "duetSetting", "stitchSetting")},
        "privateAccount": profile.private,
        "isADVirtual": loose.flag(told.get("isADVirtual")),
        "isUnderAge18": loose.flag(told.get("isUnderAge18")),
        **{name: loose.text(told.get(name)) for name in _ELSEWHERE},
    }


_AVATARS = {"avatarThumb": "avatar-small", "avatarMedium": "avatar-medium", "avatarLarger": "avatar"}
_ELSEWHERE = ("ins_id", "twitter_id", "youtube_channel_title", "youtube_channel_id")


def _risk(told: loose.Node) -> int:
    return loose.number(loose.node(told, "bioLink").get("risk")) or 0


def follower(profile: Profile, picture: Picture) -> dict[str, Any]:
    """An account as comments show it."""
    told, post = raw(profile.raw), of_profile(profile)
    links = [picture(post, variant) for variant in ("avatar-medium", "avatar", "avatar-small")] if post else []
    return {
        "id": profile.id,
        "region": profile.region,
        "sec_uid": profile.sec_uid,
        "unique_id": profile.username,
        "nickname": profile.nickname or profile.username,
        "signature": profile.signature,
        "avatar": next(filter(None, links), ""),
        "aweme_count": profile.videos or 0,
        "follower_count": profile.followers or 0,
        "following_count": profile.following or 0,
        "favoriting_count": profile.liked or 0,
        "total_favorited": profile.likes or 0,
        "verified": profile.verified,
        **{name: loose.text(told.get(name)) for name in _NAMES_ELSEWHERE},
    }


_NAMES_ELSEWHERE = ("youtube_channel_title", "youtube_channel_id", "twitter_name", "twitter_id")


def challenge(tag: Tag, picture: Picture) -> dict[str, Any]:
    """A hashtag: flat, and once more under `challenge_info`."""
    flat = challenge_entry(tag, picture)
    return {**flat, "challenge_info": flat}


def challenge_entry(tag: Tag, picture: Picture) -> dict[str, Any]:
    """A hashtag as lists show it."""
    told, post = raw(tag.raw), of_tag(tag)
    flags = {name: loose.flag(told.get(name)) for name in ("is_pgcshow", "is_challenge", "is_strong_music")}
    return {
        "id": tag.id,
        "cha_name": tag.name,
        "desc": tag.description,
        "user_count": tag.users or 0,
        "view_count": tag.views or 0,
        "is_pgcshow": flags["is_pgcshow"],
        "is_commerce": tag.commercial,
        "is_challenge": flags["is_challenge"],
        "is_strong_music": flags["is_strong_music"],
        "type": loose.number(told.get("type")) or 1,
        "cover": picture(post, "cover") if post and tag.cover else "",
    }


def music(sound: Sound, picture: Picture) -> dict[str, Any]:
    """A sound: flat, and once more under `music_info`."""
    post = of_sound(sound)
    flat = {
        "id": sound.id,
        "title": sound.title,
        "play": picture(post, "sound"),
        "cover": picture(post, "cover"),
        "author": sound.author,
        "original": sound.original,
        "duration": round(sound.duration or 0),
        "album": sound.album,
        "video_count": sound.videos or 0,
    }
    return {**flat, "music_info": flat}


def comment(found: Comment, picture: Picture, *, reply: bool = False) -> dict[str, Any]:
    """A comment; replies have no `reply_total`."""
    return {
        "id": found.id,
        "video_id": found.post_id,
        "text": found.text,
        "create_time": found.created_at or 0,
        "digg_count": found.likes or 0,
        **({} if reply else {"reply_total": found.replies or 0}),
        "user": follower(found.author, picture),
        "status": 1,
    }

"""The objects of TikWM's shape that are no posts: their JSON to our nouns. Pure, and as loose as the posts' reader."""

import json

from clipstead.errors import ProviderFailed
from clipstead.resolve import loose
from clipstead.resolve.loose import Node
from clipstead.resolve.nouns import Comment, Found, Profile, Sound, Tag


def profile(told: Node, who: str) -> Profile:
    """An account as `{"user": {...}, "stats": {...}}`; ProviderFailed for one without an id."""
    user = loose.node(told, "user")
    stats = loose.node(told, "stats") or loose.node(user, "stats") or user
    user_id = loose.text(user.get("id"))
    if not user_id:
        raise ProviderFailed(f"{who} answered with no account")
    return Profile(
        id=user_id,
        username=loose.text(user.get("uniqueId")),
        nickname=loose.text(user.get("nickname")),
        sec_uid=loose.text(user.get("secUid")),
        signature=loose.text(user.get("signature")),
        avatar_small=loose.address(user.get("avatarThumb")),
        avatar_medium=loose.address(user.get("avatarMedium")),
        avatar=loose.address(user.get("avatarLarger")),
        bio_link=loose.text(loose.node(user, "bioLink").get("link")),
        verified=loose.flag(user.get("verified")),
        private=loose.flag(user.get("privateAccount")) or loose.flag(user.get("secret")),
        region=loose.text(user.get("region")),
        followers=loose.number(stats.get("followerCount")),
        following=loose.number(stats.get("followingCount")),
        likes=loose.number(stats.get("heartCount")),
        videos=loose.number(stats.get("videoCount")),
        liked=loose.number(stats.get("diggCount")),
        friends=loose.number(stats.get("friendCount")),
        created_at=loose.moment(user.get("createTime")),
        raw=json.dumps({"user": user, "stats": stats if stats is not user else {}}).encode(),
    )


def follower(told: Node) -> Profile:
    """An account in snake_case, as comments carry it; its counters are 0 there for everybody, so not told."""
    avatar = loose.address(told.get("avatar"))
    return Profile(
        id=loose.text(told.get("id")),
        username=loose.text(told.get("unique_id")),
        nickname=loose.text(told.get("nickname")),
        sec_uid=loose.text(told.get("sec_uid")),
        signature=loose.text(told.get("signature")),
        avatar_small=avatar,
        avatar_medium=avatar,
        avatar=avatar,
        region=loose.text(told.get("region")),
        followers=loose.positive(told.get("follower_count")),
        videos=loose.positive(told.get("aweme_count")),
        likes=loose.positive(told.get("total_favorited")),
        raw=json.dumps(told).encode(),
    )


def tag(told: Node, who: str) -> Tag:
    """A hashtag, flat or within `challenge_info`; ProviderFailed for one without an id."""
    told = told if told.get("id") else loose.node(told, "challenge_info")
    tag_id = loose.text(told.get("id"))
    if not tag_id:
        raise ProviderFailed(f"{who} answered with no hashtag")
    return Tag(
        id=tag_id,
        name=loose.text(told.get("cha_name")) or loose.text(told.get("title")),
        description=loose.text(told.get("desc")),
        cover=loose.address(told.get("cover")),
        users=loose.number(told.get("user_count")),
        views=loose.number(told.get("view_count")),
        videos=loose.number(told.get("video_count")),
        commercial=loose.flag(told.get("is_commerce")),
        raw=json.dumps(told).encode(),
    )


def sound(told: Node, who: str) -> Sound:
    """A sound, flat or within `music_info`; ProviderFailed for one without an id."""
    told = told if told.get("id") else loose.node(told, "music_info")
    sound_id = loose.text(told.get("id"))
    if not sound_id:
        raise ProviderFailed(f"{who} answered with no sound")
    return Sound(
        id=sound_id,
        title=loose.text(told.get("title")),
        author=loose.text(told.get("author")),
        album=loose.text(told.get("album")),
        play=loose.address(told.get("play")),
        cover=loose.address(told.get("cover")),
        duration=loose.length(told.get("duration")),
        original=loose.flag(told.get("original")),
        videos=loose.number(told.get("video_count")),
        raw=json.dumps(told).encode(),
    )


def comments(told: Node, post_id: str, who: str) -> Found[Comment]:
    """A page of comments or replies; ProviderFailed where there is no list of any."""
    if not isinstance(told.get("comments"), list):
        raise ProviderFailed(f"{who} answered with no comments")
    items = tuple(_comment(entry, post_id) for entry in loose.nodes(told.get("comments")) if _id(entry))
    return Found(items, cursor(told), loose.flag(told.get("hasMore")), loose.number(told.get("total")))


def _comment(told: Node, post_id: str) -> Comment:
    return Comment(
        id=_id(told),
        post_id=loose.text(told.get("video_id")) or post_id,
        text=loose.text(told.get("text")),
        author=follower(loose.node(told, "user")),
        created_at=loose.moment(told.get("create_time")),
        likes=loose.number(told.get("digg_count")),
        replies=loose.number(told.get("reply_total")),
        raw=json.dumps(told).encode(),
    )


def _id(told: Node) -> str:
    return loose.text(told.get("id")) or loose.text(told.get("cid"))


def cursor(told: Node) -> str:
    """The place of the next page, in digits; "" where it is not told."""
    at = loose.number(told.get("cursor"))
    return "" if at is None else str(at)

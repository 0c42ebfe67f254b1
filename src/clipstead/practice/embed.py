"""Embeds: /embed/v2/ID and /embed/@user with their __FRONTITY_CONNECT_STATE__, and /oembed."""

import re

import orjson
from aiohttp import web

from clipstead.practice.addresses import FileRef, file_url
from clipstead.practice.catalog import PracticePost, PracticeUser
from clipstead.practice.faults import STATES
from clipstead.practice.files import PLAIN
from clipstead.practice.item import Json, author_json, author_stats, counters, music_json, textual_tags
from clipstead.practice.stage import Stage
from clipstead.practice.video_json import cover_url, photo_addresses
from clipstead.practice.wire import Reply

_POST = re.compile(r"/embed/(?:v2/)?(\d+)/?")
_USER = re.compile(r"/embed/@([\w.-]+)/?")
_ANY_ID = re.compile(r"/(?:video|photo|v)/(\d+)")


async def answer(stage: Stage, request: web.BaseRequest, path: str) -> web.StreamResponse:
    """An embed page or an oEmbed document."""
    if path.startswith("/oembed"):
        return await _oembed(stage, request)
    if found := _POST.fullmatch(path):
        return await _post(stage, request, found[1])
    found = _USER.fullmatch(path)
    name = found[1] if found else ""
    await stage.note("embed", name)
    user = stage.catalog.user(name)
    body: Json = _user_state(stage, user) if user else {"isError": True, "errorStatus": 404}
    return await _page(stage, request, f"/embed/@{name}", body, name)


async def _post(stage: Stage, request: web.BaseRequest, post_id: str) -> web.StreamResponse:
    await stage.note("embed", post_id)
    post = stage.catalog.by_id(post_id)
    gone: Json = {"isError": True, "errorStatus": 404, "videoData": {"itemInfos": {}}}
    state = {"videoData": _video_data(stage, post), "isError": False} if post else gone
    fault = stage.faults.take(("embed", "post"), post_id)
    if fault and fault.name in STATES:
        return await _page(stage, request, f"/embed/v2/{post_id}", gone, "")
    reply = stage.dressed(request, _frontity(f"/embed/v2/{post_id}", state))
    return await stage.wire.send(request, reply, fault)


async def _page(stage: Stage, request: web.BaseRequest, key: str, state: Json, name: str) -> web.StreamResponse:
    fault = stage.fault("embed", name) if name else None
    return await stage.wire.send(request, stage.dressed(request, _frontity(key, state)), fault)


def _frontity(key: str, state: Json) -> bytes:
    data = {"source": {"data": {key: state}}, "frontity": {"mode": "amp"}, "theme": {}}
    return (
        b'<!DOCTYPE html><html lang="en"><head><title>TikTok</title></head><body><div id="root"></div>'
        b'<script id="__FRONTITY_CONNECT_STATE__" type="application/json">'
        + orjson.dumps(data).replace(b"<", b"\\u003C")
        + b"</script></body></html>"
    )


def _video_data(stage: Stage, post: PracticePost) -> Json:
    width, height = PLAIN.size(post)
    cover, stats = cover_url(post), counters(post)
    urls = [file_url(FileRef("n", post.id), "video_mp4")] if post.kind == "video" else []
    user, music = author_json(post.author), music_json(post.sound)
    data: Json = {
        "itemInfos": {
            "id": post.id,
            "text": post.title,
            "createTime": str(post.created),
            **{name: count for name, count in stats.items() if name != "collectCount"},
            "authorId": post.author.id,
            "musicId": post.sound.id,
            "covers": [cover],
            "coversOrigin": [cover],
            "coversDynamic": [cover],
            "video": {
                "urls": urls,
                "videoMeta": {"width": width, "height": height, "duration": post.seconds, "ratio": 14},
            },
            "isAd": False,
        },
        "authorInfos": {
            "userId": post.author.id,
            "uniqueId": post.author.username,
            "nickName": post.author.nickname,
            "secUid": post.author.sec_uid,
            "verified": post.author.verified,
            "covers": [user["avatarThumb"]],
            "coversMedium": [user["avatarMedium"]],
            "coversLarger": [user["avatarLarger"]],
        },
        "authorStats": author_stats(post.author, stage.catalog),
        "musicInfos": {
            "musicId": post.sound.id,
            "musicName": post.sound.title,
            "authorName": post.sound.artist,
            "original": post.sound.original,
            "playUrl": [music["playUrl"]],
            "covers": [music["coverThumb"]],
        },
        "challengeInfoList": [],
        "textExtra": textual_tags(post, stage.catalog),
    }
    if post.kind == "photo":
        images = [{"displayImage": {"urlList": photo_addresses(post, index)}} for index in range(post.images)]
        data["imagePostInfo"] = {"displayImages": images, "images": images}
    return data


def _user_state(stage: Stage, user: PracticeUser) -> Json:
    posts = [stage.catalog[number] for number in stage.catalog.of_user(user)[:11]]
    videos = [
        {
            "id": post.id,
            "desc": post.title,
            "playAddr": file_url(FileRef("n", post.id), "video_mp4"),
            "coverUrl": cover_url(post),
            "playCount": post.views,
            "privateItem": False,
        }
        for post in posts
        if post.kind == "video"
    ]
    info = {"uniqueId": user.username, "nickname": user.nickname, "signature": user.bio, "verified": user.verified}
    return {"isError": False, "userInfo": {**info, **author_stats(user, stage.catalog)}, "videoList": videos}


async def _oembed(stage: Stage, request: web.BaseRequest) -> web.StreamResponse:
    found = _ANY_ID.search(request.query.get("url", ""))
    post = stage.catalog.by_id(found[1]) if found else None
    await stage.note("oembed", post.id if post else "")
    fault = stage.post_fault("oembed", post) if post else stage.fault("oembed")
    if post is None or (fault and fault.name in STATES):
        body = orjson.dumps({"code": 400, "message": "Something went wrong"})
        return await stage.wire.send(request, Reply(body, "application/json", 400))
    reply = stage.dressed(request, orjson.dumps(_oembed_json(post)), "application/json")
    return await stage.wire.send(request, reply, fault)


def _oembed_json(post: PracticePost) -> Json:
    handle, title = f"@{post.author.username}", post.title.replace("<", "&lt;")
    html = (
        f'<blockquote class="tiktok-embed" cite="{post.url}" data-video-id="{post.id}" data-embed-from="oembed" '
        f'style="max-width:605px; min-width:325px;"> <section> <a target="_blank" title="{handle}" '
        f'href="https://www.tiktok.com/{handle}?refer=embed">{handle}</a> <p>{title}</p> <a target="_blank" '
        f'title="♬ {post.sound.title}" href="{post.sound.url}?refer=embed">♬ {post.sound.title}</a> </section> '
        '</blockquote> <script async src="https://www.tiktok.com/embed.js"></script>'
    )
    return {
        "version": "1.0",
        "type": "video",
        "title": post.title,
        "author_url": post.author.url,
        "author_name": post.author.nickname,
        "width": "100%",
        "height": "100%",
        "html": html,
        "thumbnail_width": 576,
        "thumbnail_height": 1024,
        "thumbnail_url": cover_url(post),
        "provider_url": "https://www.tiktok.com",
        "provider_name": "TikTok",
        "author_unique_id": post.author.username,
        "embed_product_id": post.id,
        "embed_type": post.kind,
    }

"""The embed page, TikTok's player for other sites: less than the post page, but another door to the same file."""

import json

from clipstead.errors import ProviderFailed
from clipstead.model import Author, Link, Media, MediaKind, Music, Post
from clipstead.resolve import loose
from clipstead.resolve.loose import Node
from clipstead.resolve.tiktok import cdn, item, media, page

STATE = b"__FRONTITY_CONNECT_STATE__"


def parse(body: bytes, link: Link) -> Post:
    """The post of an embed page. ProviderFailed for all else: an embed page never says why a post is not there."""
    state = page.script(body, STATE)
    if state is None:
        raise ProviderFailed("TikTok's embed page holds no data")
    data = _video_data(loose.node(loose.decode(state, "TikTok's embed data"), "source", "data"), link.post_id)
    info = loose.node(data, "itemInfos")
    files = _files(data, info)
    if not any(file.kind in (MediaKind.VIDEO, MediaKind.IMAGE) for file in files):
        raise ProviderFailed("TikTok's embed page names no files")
    return Post(
        id=loose.text(info.get("id")),
        link=link,
        title=loose.text(info.get("text")),
        author=_author(loose.node(data, "authorInfos")),
        media=files,
        music=_music(loose.node(data, "musicInfos")),
        stats=item.stats(info),
        created_at=loose.moment(info.get("createTime")),
        duration=loose.length(loose.node(info, "video", "videoMeta").get("duration")),
        raw=json.dumps(data).encode(),
    )


def _video_data(routes: Node, post_id: str | None) -> Node:
    """The data of that very post: the page may name others beside it."""
    for route in routes.values():
        data = loose.node(route, "videoData")
        found = loose.text(loose.node(data, "itemInfos").get("id"))
        if found and found == (post_id or found):
            return data
    raise ProviderFailed("TikTok's embed page does not show the post")


def _files(data: Node, info: Node) -> tuple[Media, ...]:
    """Pictures first: a photo post has the video part too, only empty or with the sound in it."""
    pictures = _pictures(loose.node(data, "imagePostInfo"))
    authors, music = loose.node(data, "authorInfos"), loose.node(data, "musicInfos")
    return (
        *(pictures or _video(loose.node(info, "video"))),
        *media.sound(music, {}),
        *media.covers(
            (
                ("cover", info.get("covers")),
                ("origin", info.get("coversOrigin")),
                ("dynamic", info.get("coversDynamic")),
                ("avatar", authors.get("covers")),
                ("music-cover", music.get("covers")),
            )
        ),
    )


def _video(video: Node) -> list[Media]:
    urls = [url for url in media.usable(loose.addresses(video.get("urls"))) if not cdn.is_audio(url)]
    if not urls:
        return []
    size = loose.node(video, "videoMeta")
    width, height = loose.positive(size.get("width")), loose.positive(size.get("height"))
    return [media.media(MediaKind.VIDEO, "sd", urls, "mp4", quality="sd", width=width, height=height)]


def _pictures(post: Node) -> list[Media]:
    found = []
    for index, picture in enumerate(loose.nodes(post.get("displayImages")), 1):
        urls = media.usable(loose.addresses(picture.get("urlList")))
        if urls:
            width, height = loose.positive(picture.get("width")), loose.positive(picture.get("height"))
            ext = cdn.ext(urls[0], "jpg")
            found.append(media.media(MediaKind.IMAGE, f"image-{index}", urls, ext, width=width, height=height))
    return found


def _author(told: Node) -> Author:
    return Author(
        id=loose.text(told.get("userId")),
        username=loose.text(told.get("uniqueId")),
        nickname=loose.text(told.get("nickName")),
        avatar=next(loose.addresses(told.get("covers")), ""),
        verified=loose.flag(told.get("verified")),
        sec_uid=loose.text(told.get("secUid")),
    )


def _music(told: Node) -> Music | None:
    if not told:
        return None
    return Music(
        id=loose.text(told.get("musicId")),
        title=loose.text(told.get("musicName")),
        author=loose.text(told.get("authorName")),
        cover=next(loose.addresses(told.get("covers")), ""),
        original=loose.flag(told.get("original")),
    )

"""A post in Clipi's words: the `data` of /api/video/info. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clipstead.capture import Format, formats
from clipstead.capture.pick import SLIDESHOW
from clipstead.errors import DownloadFailed
from clipstead.media.images import Image
from clipstead.model import Media, MediaKind, Post
from clipstead.tools.slideshow import Slideshow

_NOT_THE_COVER = frozenset({"avatar", "music-cover"})


def info(post: Post, url: str, address: Callable[[Media], str]) -> dict[str, Any]:
    """`address` gives the link under which a client gets a picture. Raises DownloadFailed where no format is left."""
    found = formats(post)
    if not found:
        raise DownloadFailed("The post has no file that can be downloaded", transient=False)
    return {
        "url": url,
        "title": _title(post),
        "thumbnail": _thumbnail(post, address),
        "duration": _number(post.duration or _slideshow_seconds(post)),
        "platform": post.link.platform,
        "uploader": post.author.nickname or post.author.username,
        "formats": [_format(each, post) for each in found],
    }


def _format(each: Format, post: Post) -> dict[str, Any]:
    return {
        "id": each.id,
        "ext": each.ext,
        "quality": each.quality,
        "resolution": _slideshow_size(post) if each.id == SLIDESHOW else each.resolution,
        "filesize": each.filesize,
        "fps": None if each.fps is None else _number(each.fps),
        "label": each.label,
    }


def _slideshow_seconds(post: Post) -> float:
    return len(post.of_kind(MediaKind.IMAGE)) * Slideshow().seconds


def _slideshow_size(post: Post) -> str:
    """As it will be rendered: in the shape of its first photo."""
    first = post.of_kind(MediaKind.IMAGE)[0]
    if not (first.width and first.height):
        return "unknown"
    return "{}x{}".format(*Slideshow().size(Image("jpg", first.width, first.height, 0)))


def _title(post: Post) -> str:
    return post.title.strip() or f"{post.link.platform} post by {post.author.username or 'unknown'}"


def _thumbnail(post: Post, address: Callable[[Media], str]) -> str:
    covers = [cover for cover in post.of_kind(MediaKind.COVER) if cover.variant not in _NOT_THE_COVER]
    pictures = [*covers, *post.of_kind(MediaKind.IMAGE)]
    return address(pictures[0]) if pictures else ""


def _number(value: float) -> int | float:
    """Whole where it is whole, as the document writes it."""
    return int(value) if float(value).is_integer() else round(value, 3)

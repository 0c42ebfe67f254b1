"""The embed page: less than the post page, never a word about why a post is not there."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from clipstead.errors import ProviderFailed
from clipstead.model import Link, MediaKind
from clipstead.resolve.tiktok import embed

VIDEO = Link("tiktok", "", "7500000000000000001")
PHOTO = Link("tiktok", "", "7500000000000000002")
Shape = Callable[[str], dict[str, Any]]


def embed_page(state: Any) -> bytes:
    before = "<script>window.__FRONTITY_CONNECT_STATE__ = null;</script>"
    data = json.dumps(state)
    return (
        f'<html>{before}<script id="__FRONTITY_CONNECT_STATE__" type="application/json">{data}</script></html>'
    ).encode()


def test_an_embedded_video(shape: Shape) -> None:
    """Of the posts on the page, the one that was asked for."""
    post = embed.parse(embed_page(shape("tiktok/embed_video.json")), VIDEO)
    assert (post.id, post.title) == (VIDEO.post_id, "Two cats, one box #cats")
    assert (post.author.username, post.author.nickname, post.author.id) == (
        "box.cats",
        "Box & Cats",
        "6900000000000000001",
    )
    assert (post.stats.views, post.stats.likes, post.stats.saves) == (3000000, 120, None)
    assert (post.created_at, post.duration) == (1746230000, 15.0)
    [video] = post.of_kind(MediaKind.VIDEO)
    assert (video.variant, video.width, video.height) == ("sd", 576, 1024)
    assert video.expires_at == 1900000000.0
    [sound] = post.of_kind(MediaKind.AUDIO)
    assert (sound.ext, post.music.title if post.music else "") == ("mp3", "original sound")
    assert [cover.variant for cover in post.of_kind(MediaKind.COVER)] == ["cover", "avatar"]


def test_an_embedded_photo_post_is_pictures_and_no_empty_video(shape: Shape) -> None:
    post = embed.parse(embed_page(shape("tiktok/embed_photo.json")), PHOTO)
    assert not post.of_kind(MediaKind.VIDEO)
    first, second = post.of_kind(MediaKind.IMAGE)
    assert (first.variant, first.width, first.height, len(first.mirrors)) == ("image-1", 1080, 1350, 1)
    assert (second.variant, second.mirrors) == ("image-2", ())


def test_whatever_else_it_shows_is_a_failure(shape: Shape) -> None:
    empty = shape("tiktok/embed_photo.json")
    empty["source"]["data"]["/embed/v2/7500000000000000002"]["videoData"]["imagePostInfo"] = None
    bodies = [
        (b"", PHOTO),
        (b"<html>Access Denied</html>", PHOTO),
        (embed_page({"source": {"data": {"/embed/v2/1": {"code": 404}}}}), PHOTO),
        (embed_page(shape("tiktok/embed_video.json")), PHOTO),
        (embed_page(empty), PHOTO),
        (embed_page([]), PHOTO),
        (embed_page(shape("tiktok/embed_video.json"))[:900], VIDEO),
    ]
    for body, link in bodies:
        with pytest.raises(ProviderFailed):
            embed.parse(body, link)

"""An address that has died is asked for once more, and the same variant is then fetched."""

from dataclasses import dataclass

import pytest

from clipstead.errors import DownloadFailed, PostUnavailable, ProviderFailed
from clipstead.model import Media, MediaKind, Post

from .conftest import LINK, NOW, Desk, Studio, post, status, video


@dataclass
class _Moving:
    """A desk whose post carries the CDN's present signature, and a capture that starts from an older one."""

    studio: Studio
    desk: Desk

    @classmethod
    def of(cls, studio: Studio, *names: str, kind: MediaKind = MediaKind.VIDEO, **told: object) -> "_Moving":
        studio.cdn.signature = "old"

        def make() -> Post:
            if kind is MediaKind.VIDEO:
                return post(*(video(studio.cdn.url(n), n.partition(".")[0], **told) for n in names))
            return post(*(Media(kind, f"image-{i}", studio.cdn.url(n), ext="jpg") for i, n in enumerate(names, 1)))

        first = make()
        studio.cdn.signature = "new"
        answers = iter([first])
        return cls(studio, Desk(lambda: next(answers, None) or make()))


@pytest.mark.parametrize("refusal", [401, 403, 404, 410])
async def test_an_address_that_is_refused_is_asked_for_again(studio: Studio, refusal: int) -> None:
    """Once, from the same provider, past the cache; and the same variant is then fetched."""
    moving = _Moving.of(studio, "video.mp4", "small.mp4")
    studio.cdn.refusal = refusal
    (captured,) = await studio.take(desk=moving.desk)
    assert captured.media.url.endswith("s=new") and captured.path.name == "video.mp4"
    assert moving.desk.asked == [(LINK, True, "practice")]
    assert studio.cdn.asked == ["video.mp4"] * 2


async def test_an_address_past_its_end_is_asked_for_again_without_trying_it(studio: Studio) -> None:
    stale = video(studio.cdn.url("nothing.mp4"), expires_at=NOW - 1)
    answers = iter([post(stale)])
    desk = Desk(lambda: next(answers, None) or post(video(studio.cdn.url("video.mp4"), expires_at=NOW + 60)))
    await studio.take(desk=desk)
    assert studio.cdn.asked == ["video.mp4"] and len(desk.asked) == 1


async def test_all_expired_images_of_a_post_cost_one_look(studio: Studio) -> None:
    moving = _Moving.of(studio, *["one.jpg", "two.png", "three.webp"] * 3, kind=MediaKind.IMAGE)
    assert len(await studio.take(desk=moving.desk)) == 9
    assert len(moving.desk.asked) == 1


async def test_an_address_that_is_refused_again_is_not_asked_for_twice(studio: Studio) -> None:
    studio.cdn.always["dead.mp4"] = status(403)
    desk = Desk(lambda: post(video(studio.cdn.url("dead.mp4")), video(studio.cdn.url("small.mp4"), "sd")))
    (captured,) = await studio.take(desk=desk)
    assert captured.media.variant == "sd" and len(desk.asked) == 1


async def test_mirrors_are_tried_once_the_second_look_is_spent(studio: Studio) -> None:
    studio.cdn.always["dead.mp4"] = status(403)
    desk = Desk(lambda: post(video(studio.cdn.url("dead.mp4"), mirrors=(studio.cdn.url("video.mp4"),))))
    (captured,) = await studio.take(desk=desk)
    assert captured.path.read_bytes() == studio.cdn.files["video.mp4"] and len(desk.asked) == 1


async def test_a_post_that_is_gone_by_now_is_said_to_be_gone(studio: Studio) -> None:
    moving = _Moving.of(studio, "video.mp4")
    moving.desk.error = PostUnavailable("deleted")
    with pytest.raises(PostUnavailable) as caught:
        await studio.take(desk=moving.desk)
    assert caught.value.reason == "deleted" and studio.names() == []


async def test_a_second_look_that_fails_leaves_the_refusal_as_the_reason(studio: Studio) -> None:
    moving = _Moving.of(studio, "video.mp4")
    moving.desk.error = ProviderFailed("the provider is down")
    with pytest.raises(DownloadFailed, match="answered 403") as caught:
        await studio.take(desk=moving.desk)
    assert caught.value.status == 403 and caught.value.transient

"""Every fault of a CDN is got round, or ends in its true reason with no file left; one test for each kind."""

import asyncio
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from clipstead.errors import DownloadFailed, PostUnavailable, ProviderFailed, StorageError
from clipstead.model import Media, MediaKind, Post

from .conftest import (
    FAULTS,
    LINK,
    NOW,
    Desk,
    Fault,
    Studio,
    body,
    endless,
    post,
    redirect,
    reset,
    stall,
    status,
    video,
)

# Requests that two tries make; aiohttp itself repeats one that a closed connection swallowed.
TWICE = {False: (2,), True: (2, 3, 4)}
ONCE = pytest.mark.parametrize("fault", [fault for _, fault in FAULTS], ids=[name for name, _ in FAULTS])


@ONCE
async def test_one_passing_fault_is_tried_again(studio: Studio, fault: Fault) -> None:
    studio.cdn.faults["video.mp4"] = [fault]
    (captured,) = await studio.take(video(studio.cdn.url("video.mp4")))
    assert captured.path.read_bytes() == studio.cdn.files["video.mp4"]
    assert studio.cdn.asked == ["video.mp4"] * 2 and studio.names() == ["hd.mp4"]


@ONCE
async def test_a_fault_that_stays_is_got_round_by_a_mirror(studio: Studio, fault: Fault) -> None:
    studio.cdn.always["bad.mp4"] = fault
    studio.cdn.files["bad.mp4"] = studio.cdn.files["video.mp4"]
    media = video(studio.cdn.url("bad.mp4"), mirrors=(studio.cdn.url("video.mp4", "v2.cdn.test"),))
    (captured,) = await studio.take(media, attempts=2)
    assert captured.path.read_bytes() == studio.cdn.files["video.mp4"]
    assert studio.cdn.asked[-1] == "video.mp4" and studio.cdn.asked.count("bad.mp4") in TWICE[fault is reset]


@ONCE
async def test_a_fault_that_stays_is_got_round_by_another_variant(studio: Studio, fault: Fault) -> None:
    studio.cdn.always["bad.mp4"] = fault
    studio.cdn.files["bad.mp4"] = studio.cdn.files["video.mp4"]
    (captured,) = await studio.take(
        video(studio.cdn.url("bad.mp4")), video(studio.cdn.url("small.mp4"), "sd"), attempts=2
    )
    assert captured.media.variant == "sd" and studio.names() == ["sd.mp4"]


@ONCE
async def test_a_fault_without_end_is_told_and_leaves_nothing(studio: Studio, fault: Fault) -> None:
    studio.cdn.always["video.mp4"] = fault
    with pytest.raises(DownloadFailed, match="No file could be had") as caught:
        await studio.take(video(studio.cdn.url("video.mp4")), attempts=2)
    assert caught.value.transient and studio.names() == []
    assert len(studio.cdn.asked) in TWICE[fault is reset]


async def test_a_dead_cdn_does_not_cost_a_try_for_every_address_of_every_variant(studio: Studio) -> None:
    studio.cdn.always |= dict.fromkeys((f"v{n}.mp4" for n in range(60)), status(500))
    media = [
        video(studio.cdn.url(f"v{n}.mp4"), f"v{n}", mirrors=(studio.cdn.url(f"v{n + 1}.mp4"),)) for n in range(0, 60, 2)
    ]
    with pytest.raises(DownloadFailed):
        await studio.take(*media)
    assert len(studio.cdn.asked) == 12


async def test_a_long_wait_that_a_site_asks_for_is_cut_short(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    real = asyncio.sleep

    async def watched(seconds: float, *rest: object) -> None:
        waited.append(seconds)
        await real(0)

    studio.cdn.faults["video.mp4"] = [status(429, Retry_After="86400")]
    monkeypatch.setattr("clipstead.capture.hunt.asyncio.sleep", watched)
    await studio.take(video(studio.cdn.url("video.mp4")))
    assert max(waited) == 10.0


# --- addresses that are over


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
    media = video(studio.cdn.url("dead.mp4"), mirrors=(studio.cdn.url("video.mp4"),))
    desk = Desk(lambda: post(media))
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


# --- bytes that are not what they claim


REFUSALS = {
    "HTML as video/mp4": (body(b"<!DOCTYPE html><html><body>Access denied</body></html>"), "text where a media file"),
    "JSON as video/mp4": (body(b'{"code": -1}'), "text where a media file"),
    "a text": (body(b"Forbidden"), r"not a media file \(text\)"),
    "garbage": (body(os.urandom(64).replace(b"<", b"x").replace(b"{", b"x") + b"\x00" * 5000), "not a media file"),
    "garbage that begins well": (body(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\x91" * 5000), "truncated"),
    "nothing": (body(b""), "0 bytes"),
    "a redirect loop": (redirect("/loop.mp4"), "redirect loop"),
    "an endless body": (endless, "larger than"),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_file_that_is_none_is_refused_with_its_reason(studio: Studio, kind: str) -> None:
    fault, reason = REFUSALS[kind]
    studio.cdn.always |= {"bad.mp4": fault, "loop.mp4": fault}
    with pytest.raises(DownloadFailed, match=reason):
        await studio.take(video(studio.cdn.url("bad.mp4")), max_bytes=1_000_000, attempts=2)
    assert studio.names() == []


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_file_that_is_none_is_got_round(studio: Studio, kind: str) -> None:
    studio.cdn.always |= {"bad.mp4": REFUSALS[kind][0], "loop.mp4": REFUSALS[kind][0]}
    (captured,) = await studio.take(
        video(studio.cdn.url("bad.mp4")), video(studio.cdn.url("small.mp4"), "sd"), max_bytes=1_000_000, attempts=2
    )
    assert captured.media.variant == "sd" and studio.names() == ["sd.mp4"]


async def test_what_cannot_pass_is_not_tried_again(studio: Studio) -> None:
    studio.cdn.always["bad.mp4"] = body(b"<html>")
    with pytest.raises(DownloadFailed):
        await studio.take(video(studio.cdn.url("bad.mp4")))
    assert studio.cdn.asked == ["bad.mp4"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("one.jpg", "an image where a video"), ("sound.mp3", "an audio where a video"), ("sub.vtt", "a subtitle where")],
)
async def test_a_good_file_of_the_wrong_type_is_refused(studio: Studio, name: str, reason: str) -> None:
    with pytest.raises(DownloadFailed, match=reason):
        await studio.take(video(studio.cdn.url(name)))
    assert studio.names() == []


async def test_a_video_is_no_image(studio: Studio) -> None:
    with pytest.raises(DownloadFailed, match="a video where an image"):
        await studio.take(Media(MediaKind.IMAGE, "image-1", studio.cdn.url("video.mp4")))


async def test_a_video_of_another_length_is_another_video(studio: Studio) -> None:
    with pytest.raises(DownloadFailed, match="60 s long where 4 s were told"):
        await studio.take(video(studio.cdn.url("long.mp4")))
    (captured,) = await studio.take(video(studio.cdn.url("long.mp4")), video(studio.cdn.url("video.mp4"), "sd"))
    assert captured.media.variant == "sd"


async def test_a_video_of_untold_length_is_taken_as_it_is(studio: Studio) -> None:
    desk = Desk(lambda: Post("1", LINK, media=(Media(MediaKind.VIDEO, "hd", studio.cdn.url("long.mp4")),)))
    assert len(await studio.take(desk=desk)) == 1


# --- silent variants


async def test_a_silent_variant_is_passed_over_for_one_with_sound(studio: Studio) -> None:
    silent, sounding = video(studio.cdn.url("silent.mp4")), video(studio.cdn.url("small.mp4"), "sd")
    (captured,) = await studio.take(silent, sounding)
    assert captured.media.variant == "sd" and studio.names() == ["sd.mp4"]


async def test_when_all_are_silent_the_best_is_kept(studio: Studio) -> None:
    studio.cdn.files["other.mp4"] = studio.cdn.files["silent.mp4"]
    media = video(studio.cdn.url("silent.mp4")), video(studio.cdn.url("other.mp4"), "sd")
    (captured,) = await studio.take(*media, video(studio.cdn.url("nothing.mp4"), "wm", watermark=True), sound=False)
    assert (captured.media.variant, captured.probe.audio) == ("hd", None)
    assert studio.names() == ["hd.mp4"]


# --- addresses that may not be dialled


@dataclass
class _Trap:
    """A listener on a refused address; it counts who comes."""

    port: int = 0
    connections: int = 0


@pytest.fixture
async def trap() -> AsyncIterator[_Trap]:
    found = _Trap()

    async def seen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        writer.close()

    with socket.socket() as probe:  # port 80 where we may have it, so that a slip would be seen there too
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 80))
            port = 80
        except OSError:
            port = 0
    server = await asyncio.start_server(seen, "127.0.0.1", port)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
    await server.wait_closed()


PRIVATE = [
    "http://127.0.0.1/v",
    "http://127.0.0.1:{port}/v",
    "http://localhost/v",
    "http://[::ffff:127.0.0.1]/v",
    "http://2130706433/v",
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_in_the_post_is_refused_and_never_dialled(
    studio: Studio, trap: _Trap, address: str
) -> None:
    url = address.format(port=trap.port)
    with pytest.raises(DownloadFailed, match="Refused") as caught:
        await studio.take(video(url))
    assert not caught.value.transient
    (captured,) = await studio.take(video(url), video(studio.cdn.url("small.mp4"), "sd"))
    assert captured.media.variant == "sd" and trap.connections == 0


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_redirect_to_a_private_address_is_refused_and_never_dialled(
    studio: Studio, trap: _Trap, address: str
) -> None:
    studio.cdn.always["away.mp4"] = redirect(address.format(port=trap.port))
    with pytest.raises(DownloadFailed, match="Refused"):
        await studio.take(video(studio.cdn.url("away.mp4")))
    assert trap.connections == 0 and studio.names() == [] and studio.cdn.asked == ["away.mp4"]


# --- our own disk


async def test_a_full_disk_is_a_storage_error_and_leaves_nothing(studio: Studio) -> None:
    """A limit on file sizes stands in for the disk; nothing is tried again, for no other variant would fit either."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StorageError, match="Cannot write"):
            await studio.take(video(studio.cdn.url("video.mp4")), video(studio.cdn.url("small.mp4"), "sd"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert studio.names() == [] and studio.cdn.asked == ["video.mp4"]


async def test_a_folder_that_is_a_file_is_a_storage_error(studio: Studio) -> None:
    (studio.folder / "taken").write_bytes(b"")
    studio.folder = studio.folder / "taken"
    with pytest.raises(StorageError, match="Cannot write"):
        await studio.take(video(studio.cdn.url("video.mp4")))


async def test_a_caller_s_deadline_ends_it_at_once_and_leaves_nothing(studio: Studio) -> None:
    studio.cdn.always["video.mp4"] = stall
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await studio.take(video(studio.cdn.url("video.mp4")))
    assert studio.names() == []

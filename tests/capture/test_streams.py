"""Streams in pieces: what a playlist may lead to, what is tried again, and that nothing has no end."""

from __future__ import annotations

import asyncio
import zlib

import pytest
from aiohttp import web

from clipstead.capture import Capture
from clipstead.capture.choose import Want
from clipstead.errors import DownloadFailed
from clipstead.media.hls import LONGEST, MOST_PIECES
from clipstead.model import Media

from .conftest import (
    NOW,
    Desk,
    Fault,
    Studio,
    Trap,
    body,
    cut,
    endless,
    post,
    redirect,
    reset,
    stall,
    status,
    video,
)

PIECES = [b"G" + bytes([number]) * 3000 for number in range(9)]
WHOLE = b"".join(PIECES)


def stream(studio: Studio, *lines: str, name: str = "list.m3u8", end: str = "#EXT-X-ENDLIST") -> Media:
    """A stream of these lines, or of nine pieces that are on the CDN."""
    studio.cdn.files |= {f"{number}.ts": piece for number, piece in enumerate(PIECES)}
    told = lines or [f"{number}.ts" for number in range(len(PIECES))]
    studio.cdn.files[name] = "\n".join(["#EXTM3U", *told, end]).encode()
    return video(studio.cdn.url(name), segmented=True)


async def taken(studio: Studio, media: Media, **options: object) -> bytes:
    """The file that becomes of it."""
    return await _by(Desk(lambda: post(media)), studio, media, **options)


async def _by(desk: Desk, studio: Studio, media: Media, **options: object) -> bytes:
    capture = Capture(desk, studio.fetcher, **{"backoff": 0.01, "clock": lambda: NOW, **options})  # type: ignore[arg-type]

    def progress(media: Media, done: int, total: int | None) -> None:
        studio.told.append((media.variant, done, total))

    (captured,) = await capture.files(desk.now(), [Want((media,))], studio.name, progress)
    return captured.path.read_bytes()


async def test_pieces_are_put_together_in_their_order(studio: Studio) -> None:
    """Whatever the order in which they come; told how much of how much."""
    studio.cdn.faults["2.ts"] = [_late]
    assert await taken(studio, stream(studio)) == WHOLE
    assert studio.names() == ["hd.ts"]
    assert studio.told[-1] == ("hd", len(WHOLE), len(WHOLE))
    assert all(total is None or done <= total for _, done, total in studio.told)


async def _late(_: web.Request, data: bytes) -> web.StreamResponse:
    await asyncio.sleep(0.05)
    return web.Response(body=data)


@pytest.mark.parametrize(
    "fault", [status(500), status(503, Retry_After="0"), status(429), reset, cut, stall, body(b"")]
)
async def test_a_piece_that_fails_once_is_fetched_again_and_no_other(studio: Studio, fault: Fault) -> None:
    """The others stay as they are."""
    studio.cdn.faults["4.ts"] = [fault]
    assert await taken(studio, stream(studio)) == WHOLE
    assert studio.cdn.asked.count("4.ts") == 2 and studio.cdn.asked.count("3.ts") == 1
    assert studio.told[-1] == ("hd", len(WHOLE), len(WHOLE))


async def test_a_list_that_fails_once_is_fetched_again(studio: Studio) -> None:
    """It is a piece like any other."""
    media = stream(studio)
    studio.cdn.faults["list.m3u8"] = [status(502)]
    assert await taken(studio, media) == WHOLE


async def test_a_piece_that_keeps_failing_ends_it_with_the_reason(studio: Studio) -> None:
    """After three tries of that piece, not of the stream; nothing is left, and no later piece was asked for."""
    studio.cdn.always["2.ts"] = status(500)
    with pytest.raises(DownloadFailed, match="answered 500") as caught:
        await taken(studio, stream(studio))
    assert caught.value.transient and studio.cdn.asked.count("2.ts") == 3 and studio.cdn.asked.count("0.ts") == 1
    assert studio.names() == [] and "7.ts" not in studio.cdn.asked


async def test_a_piece_that_is_gone_has_the_post_resolved_again_once(studio: Studio) -> None:
    """Its address may have run out; then the reason is told."""
    studio.cdn.always["5.ts"] = status(404)
    media = stream(studio)
    desk = Desk(lambda: post(video(studio.cdn.url("list.m3u8") + "new", segmented=True)))
    with pytest.raises(DownloadFailed, match="answered 404"):
        await _by(desk, studio, media)
    assert len(desk.asked) == 1 and studio.cdn.asked.count("5.ts") == 2 and studio.names() == []


async def test_addresses_are_relative_to_where_the_list_really_was(studio: Studio) -> None:
    """Behind a redirect, that is."""
    media = stream(studio, name="deep/in/list.m3u8")
    studio.cdn.files |= {f"deep/in/{number}.ts": piece for number, piece in enumerate(PIECES)}
    studio.cdn.always["go"] = redirect(studio.cdn.url("deep/in/list.m3u8", "v2.mirror.test"))
    assert await taken(studio, video(studio.cdn.url("go"), segmented=True)) == WHOLE
    assert {name for name in studio.cdn.asked if name.endswith(".ts")} == {f"deep/in/{n}.ts" for n in range(9)}
    assert media.segmented


async def test_cookies_go_to_nobody_else(studio: Studio) -> None:
    """A list can name any host; headers that say no more than where we come from travel along."""
    seen: dict[str, web.Request] = {}

    async def look(request: web.Request, data: bytes) -> web.StreamResponse:
        seen[request.host] = request
        return web.Response(body=data)

    studio.cdn.always["0.ts"] = look
    media = stream(studio, "0.ts?own", "http://v2.mirror.test/0.ts")
    media = video(
        media.url, segmented=True, cookies={"sid": "1"}, headers={"Referer": "http://site.test/", "X-Token": "2"}
    )
    assert await taken(studio, media) == PIECES[0] * 2
    own, other = seen["v1.cdn.test"].headers, seen["v2.mirror.test"].headers
    assert (own["Cookie"], own["Referer"], own["X-Token"]) == ("sid=1", "http://site.test/", "2")
    assert other["Referer"] == "http://site.test/" and not {"Cookie", "X-Token"} & set(other)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/v",
        "http://127.0.0.1:{port}/v",
        "http://localhost:{port}/v",
        "http://[::1]:{port}/v",
        "http://[::ffff:127.0.0.1]:{port}/v",
        "http://2130706433:{port}/v",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/v",
        "http://user@127.0.0.1:{port}/v",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/v",
        "data:text/plain,G",
        "gopher://127.0.0.1:{port}/v",
        "concat:/etc/passwd",
        "//127.0.0.1:{port}/v",
        "http://[::1",
    ],
)
@pytest.mark.parametrize("place", ["piece", "head", "key", "redirect", "told"])
async def test_nothing_in_a_list_leads_inside(studio: Studio, trap: Trap, address: str, place: str) -> None:
    """As a piece, a head, a key, behind a redirect, or in a list that came along: refused, nobody is dialled."""
    url = address.format(port=trap.port)
    studio.cdn.always["away.ts"] = redirect(url)
    lines = {
        "piece": ["0.ts", url],
        "head": [f'#EXT-X-MAP:URI="{url}"', "0.ts"],
        "key": [f'#EXT-X-KEY:METHOD=AES-128,URI="{url}"', "0.ts"],
        "redirect": ["0.ts", "away.ts"],
        "told": ["0.ts", url],
    }[place]
    media = stream(studio, *lines)
    if place == "told":
        packed = zlib.compress(studio.cdn.files["list.m3u8"])
        media = video(media.url, segmented=True, playlist=packed)
    with pytest.raises(DownloadFailed, match=r"Refused|cannot be read") as caught:
        await taken(studio, media)
    assert not caught.value.transient and trap.connections == 0 and studio.names() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#EXTM3U\n" + b"0.ts\n" * (2 * MOST_PIECES) + b"#EXT-X-ENDLIST", "too many pieces"),
        (b"#EXTM3U\n" + b"#" * LONGEST, "more than"),
        (b"#EXTM3U\n0.ts\n", "still live"),
        (b'#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"\n0.ts\n#EXT-X-ENDLIST', "protected"),
        (b"<html>", "not a playlist"),
        (b"", "not a playlist"),
    ],
)
async def test_lists_without_measure_or_end_are_refused_at_once(studio: Studio, content: bytes, words: str) -> None:
    """No piece is asked for, and it is not tried again."""
    media = stream(studio)
    studio.cdn.files["list.m3u8"] = content
    with pytest.raises(DownloadFailed, match=words) as caught:
        await taken(studio, media)
    assert not caught.value.transient and set(studio.cdn.asked) == {"list.m3u8"} and studio.names() == []


async def test_a_packed_list_that_unpacks_to_no_end_is_refused(studio: Studio) -> None:
    """A bomb."""
    packed = zlib.compress(b"#EXTM3U\n" + bytes(LONGEST * 4))
    with pytest.raises(DownloadFailed, match="not a playlist"):
        await taken(studio, video(studio.cdn.url("x.mpd"), segmented=True, playlist=packed))
    assert studio.cdn.asked == []


async def test_a_list_without_end_ends(studio: Studio) -> None:
    """A body that never stops."""
    media = stream(studio)
    studio.cdn.always["list.m3u8"] = endless
    with pytest.raises(DownloadFailed, match="more than"):
        await taken(studio, media)


async def test_a_piece_without_end_ends_where_the_stream_must(studio: Studio) -> None:
    """In memory up to a point, beyond it on the disk; nothing stays there."""
    studio.cdn.always["3.ts"] = endless
    with pytest.raises(DownloadFailed, match="larger than the 8000000 bytes"):
        await taken(studio, stream(studio), max_bytes=8_000_000)
    assert studio.names() == []


async def test_pieces_larger_than_what_is_held_in_memory(studio: Studio) -> None:
    """Come whole, from the disk."""
    large = [b"G" + bytes([number]) * 5_000_000 for number in range(6)]
    media = stream(studio, *(f"{number}.ts" for number in range(6)))
    studio.cdn.files |= {f"{number}.ts": piece for number, piece in enumerate(large)}
    assert await taken(studio, media) == b"".join(large)
    assert studio.names() == ["hd.ts"]


@pytest.mark.parametrize("knows", [True, False])
async def test_ranges_of_one_file(studio: Studio, knows: bool) -> None:
    """Also from a server that sends the whole file each time; where less comes than the list says, it is not good."""

    async def ranged(request: web.Request, data: bytes) -> web.StreamResponse:
        if not knows or "Range" not in request.headers:
            return web.Response(body=data)
        first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1]
        told = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
        return web.Response(status=206, body=part, headers={"Content-Range": told})

    studio.cdn.files["all.ts"] = WHOLE
    studio.cdn.always["all.ts"] = ranged
    lines = [f"#EXT-X-BYTERANGE:{len(PIECES[0])}\nall.ts"] * 9
    assert await taken(studio, stream(studio, *lines)) == WHOLE
    assert studio.told[0][2] == len(WHOLE)
    with pytest.raises(DownloadFailed, match="came short"):
        await taken(studio, stream(studio, *lines, "#EXT-X-BYTERANGE:7000@22000", "all.ts"))


async def test_who_leaves_in_the_middle_leaves_nothing(studio: Studio) -> None:
    """Cancelled while pieces are under way."""
    studio.cdn.always["6.ts"] = stall
    task = asyncio.ensure_future(taken(studio, stream(studio)))
    while "6.ts" not in studio.cdn.asked:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert studio.names() == []

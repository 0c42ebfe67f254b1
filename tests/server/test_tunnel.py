"""Media addresses: the very bytes of the CDN, under ranges, faults, expiry, and readers who stop reading."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from clipstead.errors import PostUnavailable, ProviderFailed
from clipstead.model import MediaKind

VIDEO_ID = "7608826249200356630"
PHOTO_ID = "7663591047909379341"
LINK = f"https://www.tiktok.com/@someone/video/{VIDEO_ID}"
PHOTO = f"https://www.tiktok.com/@someone/photo/{PHOTO_ID}"
Build = Callable[..., Awaitable[Any]]


async def hd(stage: Any) -> str:
    """The address of the HD video, out of an answer."""
    address: str = (await stage.get(f"/?url={LINK}")).json["data"]["video"]["hd_mp4"]
    return address


async def test_every_address_of_a_video_answer_gives_its_file(stage: Any) -> None:
    """Right bytes, type, length and name, by a plain GET with no header at all."""
    data = (await stage.get(f"/?url={LINK}")).json["data"]
    expected = {
        data["video"]["hd_mp4"]: ("/hd.mp4", "video/mp4", "someone-7608826249200356630-hd.mp4"),
        data["video"]["standard_mp4"]: ("/sd.mp4", "video/mp4", "someone-7608826249200356630-sd.mp4"),
        data["video"]["wmplay"]: ("/wm.mp4", "video/mp4", "someone-7608826249200356630-wm.mp4"),
        data["audio"]["play"]: ("/sound.mp3", "audio/mpeg", "someone-7608826249200356630-sound.mp3"),
        data["audio"]["cover"]: ("/music-cover.jpg", "image/jpeg", "someone-7608826249200356630-music-cover.jpg"),
        data["cover"]: ("/cover.jpg", "image/jpeg", "someone-7608826249200356630-cover.jpg"),
        data["ai_dynamic_cover"]: ("/dynamic.jpg", "image/jpeg", "someone-7608826249200356630-dynamic.jpg"),
        data["origin_cover"]: ("/origin.jpg", "image/jpeg", "someone-7608826249200356630-origin.jpg"),
        data["author"]["profile"]: ("/avatar.jpg", "image/jpeg", "someone-7608826249200356630-avatar.jpg"),
    }
    assert len(expected) == 9
    for address, (path, mime, name) in expected.items():
        reply = await stage.get(address)
        assert (reply.status, reply.body) == (200, stage.cdn.files[path])
        assert reply.headers["content-type"] == mime
        assert reply.headers["content-length"] == str(len(reply.body))
        assert reply.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["accept-ranges"] == "bytes"
        assert reply.headers["etag"].startswith('"')
    assert len({(await stage.get(address)).headers["etag"] for address in expected}) == 9
    assert len(stage.provider.asked) == 1


async def test_images_of_a_photo_post(stage: Any) -> None:
    """In their order, each its own."""
    images = (await stage.get(f"/?url={PHOTO}")).json["data"]["images"]
    bodies = [(await stage.get(address)).body for address in images]
    assert bodies == [stage.cdn.files[f"/image-{n}.jpg"] for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=0-1", 206, slice(0, 2)),
        ("bytes=100-199", 206, slice(100, 200)),
        ("bytes=399000-", 206, slice(399_000, None)),
        ("bytes=-500", 206, slice(-500, None)),
        ("bytes=399999-1000000", 206, slice(399_999, None)),
        ("bytes=0-0,5-9", 200, slice(None)),
        ("bytes=" + ",".join(["0-0"] * 2000), 200, slice(None)),
        ("bytes=9-5", 200, slice(None)),
        ("lines=1-5", 200, slice(None)),
    ],
)
async def test_ranges(stage: Any, asked: str, status: int, part: slice) -> None:
    """One range is honoured to the byte, all else is answered in full; the type never changes."""
    whole = stage.cdn.files["/hd.mp4"]
    reply = await stage.get(await hd(stage), headers={"Range": asked})
    assert (reply.status, reply.body) == (status, whole[part])
    assert reply.headers["content-type"] == "video/mp4"
    if status == 206:
        start, stop, _ = part.indices(len(whole))
        assert reply.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
        assert len(stage.cdn.requests) == 1
        assert stage.cdn.requests[0][1] == f"bytes={start}-{stop - 1}"


async def test_a_range_beyond_the_file_is_416(stage: Any) -> None:
    """In words, with the size, without asking the CDN."""
    reply = await stage.get(await hd(stage), headers={"Range": "bytes=400000-"})
    assert (reply.status, reply.headers["content-range"]) == (416, "bytes */400000")
    assert stage.cdn.requests == []


async def test_a_range_beyond_a_file_of_unknown_size_is_416(stage: Any) -> None:
    """There the CDN knows."""
    address = (await stage.get(f"/?url={LINK}")).json["data"]["cover"]
    assert (await stage.get(address, headers={"Range": "bytes=10-19"})).status == 206
    assert (await stage.get(address, headers={"Range": "bytes=5000-"})).status == 416


async def test_if_range_and_if_none_match(stage: Any) -> None:
    """The ETag of the whole is that of a part; another one's half is never continued."""
    address = await hd(stage)
    tag = (await stage.get(address)).headers["etag"]
    part = await stage.get(address, headers={"Range": "bytes=5-9", "If-Range": tag})
    assert (part.status, part.headers["etag"], part.body) == (206, tag, stage.cdn.files["/hd.mp4"][5:10])
    for other in ('"other"', "Wed, 21 Oct 2015 07:28:00 GMT", f"W/{tag}"):
        whole = await stage.get(address, headers={"Range": "bytes=5-9", "If-Range": other})
        assert (whole.status, whole.body) == (200, stage.cdn.files["/hd.mp4"])
    count = len(stage.cdn.requests)
    fresh = await stage.get(address, headers={"If-None-Match": f'"x", {tag}'})
    assert (fresh.status, fresh.body, len(stage.cdn.requests)) == (304, b"", count)
    beyond = await stage.get(address, headers={"If-None-Match": tag, "Range": "bytes=999999999-"})
    assert beyond.status == 304  # who has the file is told so, whatever part is asked for


@pytest.mark.parametrize("kind", ["video", "cover"])
async def test_half_of_a_longer_file_is_replaced_and_not_refused(stage: Any, kind: str) -> None:
    """Where If-Range names another file, Range counts for nothing, even beyond this file's end (RFC 9110, 13.1.5)."""
    data = (await stage.get(f"/?url={LINK}")).json["data"]
    address, path = (data["video"]["hd_mp4"], "/hd.mp4") if kind == "video" else (data["cover"], "/cover.jpg")
    reply = await stage.get(address, headers={"Range": "bytes=500000-", "If-Range": '"longer"'})
    assert (reply.status, reply.body) == (200, stage.cdn.files[path])
    mine = reply.headers["etag"]
    again = await stage.get(address, headers={"Range": "bytes=500000-", "If-Range": mine})
    assert again.status == (416 if kind == "video" else 200)  # whose size we were not told, we cannot be sure of


async def test_an_address_made_again_has_the_same_etag(stage: Any) -> None:
    """So a download can go on with the address of a later answer."""
    first = await stage.get(await hd(stage))
    stage.clock.now += 400
    second = await stage.get(await hd(stage))
    assert first.headers["etag"] == second.headers["etag"]
    assert len(stage.provider.asked) == 2


async def test_head_tells_what_get_would(stage: Any) -> None:
    """Length, type and ETag of the whole, no body, and next to nothing asked of the CDN."""
    address = await hd(stage)
    head = await stage.ask("HEAD", address)
    assert stage.cdn.requests == [("/hd.mp4", "bytes=0-1023")]
    whole = await stage.get(address)
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "content-disposition"):
        assert head.headers[name] == whole.headers[name]


async def test_inline_only_where_asked_and_harmless(stage: Any) -> None:
    """?inline=1 shows films, sounds and raster images; subtitles stay a download."""
    data = (await stage.get(f"/?url={LINK}")).json["data"]
    for address in (data["video"]["hd_mp4"], data["cover"], data["audio"]["play"]):
        reply = await stage.get(address + "?inline=1")
        assert reply.headers["content-disposition"].startswith("inline; filename=")
        assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
    subtitle = await stage.get(await _address_of(stage, "sub-en-1") + "?inline=1")
    assert subtitle.headers["content-type"] == "text/vtt; charset=utf-8"
    assert subtitle.headers["content-disposition"].startswith("attachment")


async def test_expired_is_410_and_forged_is_404(stage: Any) -> None:
    """In the root's words, and nobody is asked."""
    address = await hd(stage)
    token = address.split("/")[4]
    for forged in (
        address.replace(token, token[:-1] + ("A" if token[-1] != "A" else "B")),
        address.replace(token, "x"),
    ):
        reply = await stage.get(forged)
        assert (reply.status, reply.json["success"], reply.json["status_code"]) == (404, False, 404)
    stage.clock.now += 900
    reply = await stage.get(address)
    assert (reply.status, reply.json["status_code"]) == (410, 410)
    assert stage.cdn.requests == []
    assert len(stage.provider.asked) == 1


async def test_the_name_in_the_path_is_only_for_people(stage: Any) -> None:
    """Whatever stands there, the file is called what it is."""
    address = await hd(stage)
    reply = await stage.get(address.rpartition("/")[0] + "/invoice.exe")
    assert reply.headers["content-disposition"].endswith('-hd.mp4"')


async def test_what_the_client_sends_stays_with_us(stage: Any) -> None:
    """The CDN sees the cookies and the Referer of the media, nothing of the client's."""
    seen: list[web.Request] = []

    async def spy(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        response: web.Response = stage.cdn.part(request, stage.cdn.files["/hd.mp4"])
        return response

    stage.cdn.faults["/hd.mp4"] = [spy]
    private = {
        "Cookie": "mine=1",
        "Authorization": "Bearer mine",
        "X-Api-Key": "mine",
        "Referer": "https://mine.example/",
    }
    assert (await stage.get(await hd(stage), headers=private)).status == 200
    assert dict(seen[0].cookies) == {"tt_chain_token": "chain"}
    assert seen[0].headers["Referer"] == "https://www.tiktok.com/"
    assert "mine" not in str(seen[0].headers)


@pytest.mark.parametrize("code", [401, 403, 404, 410])
async def test_an_expired_cdn_address_is_renewed_once(stage: Any, faults: Any, code: int) -> None:
    """The client sees nothing of it."""
    address = await hd(stage)
    stage.cdn.faults["/hd.mp4"] = [faults.status(code)]
    reply = await stage.get(address, headers={"Range": "bytes=10-19"})
    assert (reply.status, reply.body) == (206, stage.cdn.files["/hd.mp4"][10:20])
    assert len(stage.provider.asked) == 2


async def test_a_file_that_stays_refused_is_502_and_renewals_are_rare(stage: Any, faults: Any) -> None:
    """Fifty requests at a dead file ask the platform once more in ten seconds, not fifty times."""
    address = await hd(stage)
    stage.cdn.faults["/hd.mp4"] = [faults.status(403) for _ in range(500)]
    replies = await asyncio.gather(*(stage.get(address) for _ in range(50)))
    assert {reply.status for reply in replies} == {502}
    assert len(stage.provider.asked) == 2
    stage.clock.now += 11
    await stage.get(address)
    assert len(stage.provider.asked) == 3


async def test_many_readers_of_an_expired_address_share_one_renewal(stage: Any) -> None:
    """A player asks for twenty parts at once as the address ends: all are served, the platform is asked once more."""
    post = stage.provider.posts[VIDEO_ID]
    stage.provider.posts[VIDEO_ID] = lambda: replace(
        post, media=tuple(replace(m, url=f"{m.url}&n={len(stage.provider.asked)}") for m in post.media)
    )

    async def old_is_over(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        if request.query["n"] == "1":
            return web.Response(status=403)
        part: web.Response = stage.cdn.part(request, stage.cdn.files["/hd.mp4"])
        return part

    address = await hd(stage)
    stage.provider.pause = 0.1
    stage.cdn.faults["/hd.mp4"] = [old_is_over] * 100
    parts = [stage.get(address, headers={"Range": f"bytes={n}-{n + 9}"}) for n in range(20)]
    assert {reply.status for reply in await asyncio.gather(*parts)} == {206}
    assert len(stage.provider.asked) == 2


async def test_many_cold_tunnels_share_one_resolve(stage: Any) -> None:
    """After the cache has forgotten the post, thirty readers cost one request to the platform."""
    address = await hd(stage)
    stage.clock.now += 301
    stage.provider.pause = 0.05
    replies = await asyncio.gather(*(stage.get(address, headers={"Range": "bytes=0-9"}) for _ in range(30)))
    assert {reply.status for reply in replies} == {206}
    assert len(stage.provider.asked) == 2


async def test_a_player_does_not_resolve_for_every_range(build: Build) -> None:
    """Even where nothing is cached, a post is asked for once in ten seconds, whoever holds its ticket."""
    stage = await build(clipx_per_minute=0, clipx_per_day=0, cache_seconds=0)
    address = await hd(stage)
    stage.provider.asked.clear()
    for start in range(20):
        assert (await stage.get(address, headers={"Range": f"bytes={start}-{start}"})).status == 206
    assert len(stage.provider.asked) == 1
    stage.clock.now += 10
    assert (await stage.get(address, headers={"Range": "bytes=0-0"})).status == 206
    assert len(stage.provider.asked) == 2


async def test_an_expired_cdn_address_is_renewed_once_without_a_cache(build: Build, faults: Any) -> None:
    """The renewed one is what the next readers get."""
    stage = await build(clipx_per_minute=0, clipx_per_day=0, cache_seconds=0)
    address = await hd(stage)
    assert (await stage.get(address, headers={"Range": "bytes=0-0"})).status == 206
    stage.provider.asked.clear()
    stage.clock.now += 1
    stage.cdn.faults["/hd.mp4"] = [faults.status(403)]
    for _ in range(5):
        assert (await stage.get(address, headers={"Range": "bytes=0-0"})).status == 206
    assert len(stage.provider.asked) == 1


async def test_a_post_deleted_meanwhile_is_404(stage: Any) -> None:
    """With its reason, and the platform is not asked again at every try."""
    address = await hd(stage)
    stage.clock.now += 301
    stage.provider.posts[VIDEO_ID] = PostUnavailable("deleted")
    for _ in range(5):
        reply = await stage.get(address)
        assert (reply.status, reply.json["reason"]) == (404, "deleted")
    assert len(stage.provider.asked) == 2


async def test_a_platform_that_is_down_meanwhile_is_502(stage: Any) -> None:
    """And well again once it is up."""
    address = await hd(stage)
    good = stage.provider.posts[VIDEO_ID]
    stage.clock.now += 301
    stage.provider.posts[VIDEO_ID] = ProviderFailed("odd answer")
    assert (await stage.get(address)).status == 502
    stage.provider.posts[VIDEO_ID] = good
    stage.clock.now += 11
    assert (await stage.get(address)).status == 200


async def test_another_size_than_the_tickets_is_never_spliced(stage: Any, faults: Any) -> None:
    """Under Range the new file comes whole, with another ETag; a variant that is gone is 410."""
    address = await hd(stage)
    old = (await stage.get(address)).headers["etag"]
    other = stage.cdn.files["/hd.mp4"] = faults.media_bytes("mp4", 300_000)
    for headers in ({"Range": "bytes=100-"}, {"Range": "bytes=100-", "If-Range": old}, {"Range": "bytes=350000-"}, {}):
        reply = await stage.get(address, headers=headers)
        assert (reply.status, reply.body) == (200, other)
        assert reply.headers["etag"] != old
    post = stage.provider.posts[VIDEO_ID]
    stage.clock.now += 301
    stage.provider.posts[VIDEO_ID] = replace(post, media=tuple(m for m in post.media if m.variant != "hd"))
    assert (await stage.get(address)).status == 410


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (b"<!DOCTYPE html><html><body>blocked</body></html>", "video/mp4"),
        (b"\xef\xbb\xbf \n<html>", "application/octet-stream"),
        (b'{"error": "signature"}', "video/mp4"),
        (b"Access denied.", "video/mp4"),
        (b"#EXTM3U\nfile:///etc/passwd", "video/mp4"),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "image/svg+xml"),
        (b"\xff\xd8\xff\xe0 a picture", "video/mp4"),
        (b"", "video/mp4"),
    ],
)
async def test_what_is_no_media_is_502_before_the_status_line(stage: Any, faults: Any, body: bytes, label: str) -> None:
    """HTML, JSON, text, a playlist, SVG, another kind, nothing: never handed on, whatever its label."""
    address = await hd(stage)
    stage.cdn.faults["/hd.mp4"] = [faults.page(body, label) for _ in range(3)]
    reply = await stage.get(address)
    assert (reply.status, reply.json["status_code"]) == (502, 502)
    assert body[:20] not in reply.body or not body


async def test_unknown_bytes_are_a_download_of_no_type(stage: Any, faults: Any) -> None:
    """Neither known media nor text: octet-stream, never shown inline."""
    address = await hd(stage)
    stage.cdn.faults["/hd.mp4"] = [faults.page(b"\x00\x01\x02\x03" * 50, "text/html")]
    reply = await stage.get(address + "?inline=1")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
    assert reply.headers["content-disposition"].startswith("attachment")


async def test_a_cut_is_mended_at_the_very_byte(stage: Any, faults: Any) -> None:
    """The CDN hangs up twice on the way; the client gets every byte once, in one answer."""
    address = await hd(stage)
    whole = stage.cdn.files["/hd.mp4"]
    stage.cdn.faults["/hd.mp4"] = [faults.truncated(whole, 100_000), faults.truncated(whole, 50_000)]
    reply = await stage.get(address)
    assert (reply.status, reply.body) == (200, whole)
    ranges = [asked for _, asked in stage.cdn.requests]
    assert ranges[0] is None
    assert all(asked is not None and asked.endswith("-399999") for asked in ranges[1:])


async def test_a_part_is_mended_within_its_bounds(stage: Any, faults: Any) -> None:
    """And ends where the part ends."""
    address = await hd(stage)
    whole = stage.cdn.files["/hd.mp4"]
    stage.cdn.faults["/hd.mp4"] = [faults.truncated(whole, 60_000)]
    reply = await stage.get(address, headers={"Range": "bytes=1000-"})
    assert (reply.status, reply.body) == (206, whole[1000:])


@pytest.mark.parametrize("endless", [False, True])
async def test_more_than_was_promised_is_left_with_the_cdn(stage: Any, endless: bool) -> None:
    """A part whose body is longer than its Content-Range says: the client gets what it was told, and the end of it."""
    body = stage.cdn.files["/hd.mp4"]
    ended = asyncio.Event()

    async def longer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=206, headers={"Content-Range": f"bytes 0-99/{len(body)}"})
        await response.prepare(request)
        try:
            await response.write(body)
            while endless:
                await asyncio.sleep(0.01)
                await response.write(bytes(1000))
        finally:
            ended.set()
        return response

    stage.cdn.faults["/hd.mp4"] = [longer]
    reply = await stage.get(await hd(stage), headers={"Range": "bytes=0-99"})
    assert (reply.status, reply.body) == (206, body[:100])
    await asyncio.wait_for(ended.wait(), 5)
    await stage.settled()


async def test_what_cannot_be_mended_breaks_the_connection(stage: Any, faults: Any) -> None:
    """A file that was half of another never ends as if it were whole."""
    address = await hd(stage)
    whole = stage.cdn.files["/hd.mp4"]
    stage.cdn.faults["/hd.mp4"] = [faults.truncated(whole, 100_000)]
    stage.cdn.files["/hd.mp4"] = faults.media_bytes("mp4", 300_000)
    with pytest.raises(aiohttp.ClientPayloadError):
        await stage.get(address)
    assert (await stage.get("/healthz")).status == 200


@pytest.mark.parametrize("code", [500, 503, 429])
async def test_a_passing_fault_of_the_cdn_is_tried_again(stage: Any, faults: Any, code: int) -> None:
    """Without troubling the platform."""
    address = await hd(stage)
    stage.cdn.faults["/hd.mp4"] = [faults.status(code)]
    assert (await stage.get(address)).status == 200
    assert len(stage.provider.asked) == 1


async def test_mirrors_stand_in(stage: Any, faults: Any) -> None:
    """The same bytes from another address, at once."""
    post = stage.provider.posts[VIDEO_ID]
    media = tuple(
        replace(m, url="http://dead.cdn.test/hd.mp4?a", mirrors=(m.url,)) for m in post.media if m.variant == "hd"
    )
    stage.provider.posts[VIDEO_ID] = replace(post, media=media)
    stage.cdn.faults["/hd.mp4"] = [faults.status(500)]
    assert (await stage.get(await hd(stage))).status == 200
    assert len(stage.cdn.requests) == 2


async def test_a_private_address_in_a_post_is_never_dialled(stage: Any) -> None:
    """502 in words, and the listener there has heard nothing."""
    post = stage.provider.posts[VIDEO_ID]
    for url in (
        f"http://127.0.0.1:{stage.cdn.port}/hd.mp4",
        "http://127.0.0.1/",
        "http://169.254.169.254/",
        "file:///etc/hosts",
    ):
        stage.provider.posts[VIDEO_ID] = replace(post, media=tuple(replace(m, url=url) for m in post.media))
        stage.clock.now += 301
        reply = await stage.get(await hd(stage))
        assert (reply.status, reply.json["status_code"]) == (502, 502)
    assert stage.cdn.requests == []


async def test_a_stalled_reader_holds_no_more_than_buffers(stage: Any) -> None:
    """64 MB are to be had, the reader takes a few KB and stops: the CDN gets rid of less than 16 MB."""
    sent = 0
    size = 64 * 1024 * 1024
    head = stage.cdn.files["/hd.mp4"][:1024]

    async def pour(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for piece in (head, *[bytes(65536)] * 1023):
            await response.write(piece)
            sent += len(piece)
        return response

    stage.cdn.faults["/hd.mp4"] = [pour]
    address = await hd(stage)
    async with stage.client.get(address) as reply:
        assert len(await reply.content.readexactly(4096)) == 4096
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.3)
        assert 0 < sent < 16 * 1024 * 1024


async def test_a_reader_who_leaves_ends_the_download(stage: Any) -> None:
    """The CDN's side is closed soon after the client's."""
    ended = asyncio.Event()

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(10**9)})
        await response.prepare(request)
        try:
            await response.write(stage.cdn.files["/hd.mp4"])
            while True:
                await asyncio.sleep(0.01)
                await response.write(bytes(1000))
        finally:
            ended.set()

    stage.cdn.faults["/hd.mp4"] = [trickle]
    async with stage.client.get(await hd(stage)) as reply:
        await reply.content.readexactly(1000)
        reply.close()
    await asyncio.wait_for(ended.wait(), 5)
    await stage.settled()
    assert (await stage.get("/healthz")).status == 200


async def test_a_cdn_that_ignores_ranges_is_answered_in_full(stage: Any) -> None:
    """200 with everything, which every client must take for an answer to Range."""
    stage.cdn.ranges = False
    address = await hd(stage)
    reply = await stage.get(address, headers={"Range": "bytes=5-9"})
    assert (reply.status, reply.body) == (200, stage.cdn.files["/hd.mp4"])
    assert (await stage.ask("HEAD", address)).headers["content-length"] == "400000"


async def test_names_of_any_author_survive(stage: Any) -> None:
    """RFC 8187 for what is not ASCII; no quote, line break or path gets through."""
    post = stage.provider.posts[VIDEO_ID]
    author = replace(post.author, username='né "x"\r\n../日本')
    stage.provider.posts[VIDEO_ID] = replace(post, author=author)
    header = (await stage.get(await hd(stage))).headers["content-disposition"]
    assert header.isascii()
    assert "filename*=UTF-8''n%C3%A9" in header
    assert ".." not in header.partition("filename*")[0].replace(".._", "")


async def test_old_secrets_still_open_their_addresses(build: Build) -> None:
    """Two servers, the second with a new secret before the old one."""
    one = await build(clipx_per_minute=0, clipx_per_day=0, secret=[b"old" * 10])
    two = await build(clipx_per_minute=0, clipx_per_day=0, secret=[b"new" * 10, b"old" * 10])
    path = (await hd(one)).removeprefix(one.base)
    assert (await two.get(path)).status == 200
    back = (await hd(two)).removeprefix(two.base)
    assert (await one.get(back)).status == 404


async def _address_of(stage: Any, variant: str) -> str:
    """An address no ClipX answer holds, as another dialect would mint it."""
    from clipstead.server.addresses import MediaAddresses
    from clipstead.server.tokens import Signer

    resolution = await stage.resolver.resolve(LINK)
    media = resolution.post.variant(variant)
    assert media.kind is MediaKind.SUBTITLE
    mint = MediaAddresses(Signer([b"s" * 32], stage.clock), stage.clock, cache_seconds=300, direct=False)
    return mint.of(resolution, media, base_url=stage.base, language="en")

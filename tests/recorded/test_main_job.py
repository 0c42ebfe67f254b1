"""The main job on real input: recorded TikTok pages go in at the wire and come out as ClipX answers and as files.

The recorded media addresses have long expired, so the wire serves files made for the test behind them; everything
between the page's bytes and the answer is what a live page would go through.
"""

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from clipstead.app import App, open_app
from clipstead.capture import Wanted
from clipstead.capture.naming import DEFAULT_TEMPLATE, render
from clipstead.cli.serve import listen, serve
from clipstead.errors import PostUnavailable, ResolveFailed
from clipstead.practice import tls
from clipstead.practice.jpeg import jpeg
from clipstead.practice.mp3 import mp3
from clipstead.practice.mp4 import Shape, mp4
from clipstead.settings import Settings, load

HOSTS = ("www.tiktok.com", "*.tiktok.com", "*.us.tiktok.com", "*.tiktokcdn-us.com")
VIDEOS = {"7608826249200356630": "video_emthenutritionist", "7660566211100511518": "video_mysticaquarium"}
PHOTOS = {"7663591047909379341": "photo_duolingo"}


@dataclass
class Wire:
    """TikTok's hosts, answered from recorded pages; every CDN address from files made here."""

    pages: dict[str, bytes]
    seconds: dict[str, int] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        host = request.host.split(":")[0]
        post = re.search(r"/(\d{15,20})", request.path)
        if host == "www.tiktok.com":
            self.asked["page"] += 1
            page = self.pages.get(post[1] if post else "", self.pages["missing"])
            return web.Response(
                body=page, content_type="text/html", headers={"Set-Cookie": "tt_chain_token=abc==; Path=/"}
            )
        self.asked["cdn"] += 1
        if request.headers.get("Referer") != "https://www.tiktok.com/" or "tt_chain_token" not in request.cookies:
            return web.Response(status=403)
        return web.Response(body=self.file(request.path_qs), content_type="application/octet-stream")

    def file(self, path: str) -> bytes:
        """What stands behind a CDN address: told from the path what kind of file is meant."""
        if "mime_type=video_mp4" in path:
            return mp4(Shape(160, 288, self.seconds["video"], 60_000, True), 0.3, path[:40])
        if "mime_type=audio" in path:
            return mp3(20, "sound", "nobody")
        return jpeg(160, 288, (200, 120, 40), (20, 30, 90))


def _item(page: bytes) -> dict[str, Any]:
    """The recorded item, read by other means than ours."""
    found = re.search(rb'<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    scope = json.loads(found[1])["__DEFAULT_SCOPE__"]
    item: dict[str, Any] = scope["webapp.video-detail"]["itemInfo"]["itemStruct"]
    return item


@pytest.fixture
def wire(samples: Path) -> Wire:
    """The recorded pages, ready to be served."""
    named = {**VIDEOS, **PHOTOS}
    pages = {post: (samples / "tiktok" / f"{name}_{post}.html").read_bytes() for post, name in named.items()}
    pages["missing"] = (samples / "tiktok" / "error_10204_item_doesnt_exist_mbedfx.html").read_bytes()
    pages["7000000000000000001"] = (samples / "tiktok" / "homepage_no_detail_scope.html").read_bytes()
    return Wire(pages)


@pytest.fixture
async def settings(wire: Wire, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings that lead to the wire, and nobody else to ask."""
    ca_file, context = tls.authority(tmp_path, HOSTS)
    runner = web.ServerRunner(web.Server(wire.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    yield load(
        port=0,
        data_dir=tmp_path / "data",
        ca_file=str(ca_file),
        connect_to=tuple(f"{host}:443:127.0.0.1:{port}" for host in HOSTS),
        providers=("tiktok_web",),
    )
    await runner.cleanup()


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    """The house on that wire."""
    async with open_app(settings) as app:
        yield app


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a server on that wire."""
    with listen("127.0.0.1", 0) as listener:
        started = asyncio.Event()
        running = asyncio.create_task(serve(settings, listener, started.set))
        await started.wait()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            yield client
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("post_id", VIDEOS)
async def test_a_recorded_video_page_becomes_a_clipx_answer(
    wire: Wire, client: aiohttp.ClientSession, post_id: str
) -> None:
    """Every figure equals what stands in the page; the file behind the answer's address is the CDN's."""
    item = _item(wire.pages[post_id])
    wire.seconds["video"] = item["video"]["duration"]
    async with client.get("/", params={"url": f"https://www.tiktok.com/@x/video/{post_id}"}) as reply:
        body = await reply.json()
    assert reply.status == 200, body
    data = body["data"]
    assert (data["id"], data["title"]) == (item["id"], item["desc"])
    assert data["author"] == {
        "id": item["author"]["id"],
        "username": item["author"]["uniqueId"],
        "nickname": item["author"]["nickname"],
        "profile": data["author"]["profile"],
    }
    assert data["create_time"] == int(item["createTime"])
    assert data["duration"] == item["video"]["duration"]
    counted = {
        "play_count": "playCount",
        "digg_count": "diggCount",
        "comment_count": "commentCount",
        "share_count": "shareCount",
        "collect_count": "collectCount",
    }
    for ours, theirs in counted.items():
        assert data["stats"][ours] == int(item["statsV2"][theirs])
    sizes = {int(each["PlayAddr"]["DataSize"]) for each in item["video"]["bitrateInfo"]}
    assert {data["video"]["hd_mp4_size"], data["video"]["standard_mp4_size"]} <= sizes
    async with client.get(data["video"]["hd_mp4"]) as reply:
        assert (reply.status, reply.content_type) == (200, "video/mp4")
        assert (await reply.read())[4:8] == b"ftyp"


async def test_a_recorded_photo_page_becomes_images(wire: Wire, client: aiohttp.ClientSession) -> None:
    """As many as the page has, no `video`, each served as what it is."""
    (post_id,) = PHOTOS
    item = _item(wire.pages[post_id])
    async with client.get("/", params={"url": f"https://www.tiktok.com/@x/photo/{post_id}"}) as reply:
        body = await reply.json()
    assert len(body["data"]["images"]) == len(item["imagePost"]["images"])
    assert "video" not in body["data"]
    async with client.get(body["data"]["images"][0]) as reply:
        assert (reply.status, reply.content_type) == (200, "image/jpeg")


async def test_a_recorded_missing_post_is_404_and_a_bot_page_is_502(client: aiohttp.ClientSession) -> None:
    """10204 is final; a page without the post is "blocked", not "deleted"."""
    async with client.get("/", params={"url": "https://www.tiktok.com/@x/video/7000000000000000002"}) as reply:
        body = await reply.json()
    assert (reply.status, body["reason"]) == (404, "missing")
    assert body["trace"]["attempts"][0]["outcome"] == "post_unavailable"
    async with client.get("/", params={"url": "https://www.tiktok.com/@x/video/7000000000000000001"}) as reply:
        body = await reply.json()
    assert reply.status == 502
    assert body["trace"]["attempts"][0]["outcome"] == "blocked"


@pytest.mark.parametrize("post_id", [*VIDEOS, *PHOTOS])
async def test_a_recorded_page_becomes_files(app: App, wire: Wire, tmp_path: Path, post_id: str) -> None:
    """Named by author and id, whole, with the hashes that the wire sent."""
    wire.seconds["video"] = int(_item(wire.pages[post_id])["video"].get("duration") or 0)
    resolution = await app.resolver.resolve(post_id)
    captured = await app.capture.capture(
        resolution,
        Wanted(),
        lambda media, ext: tmp_path / render(DEFAULT_TEMPLATE, resolution.post, media, ext),
    )
    author = resolution.post.author.username
    names = [item.path.name for item in captured]
    if post_id in VIDEOS:
        assert names == [f"{author}_{post_id}.mp4"]
    else:
        assert names == [*(f"{author}_{post_id}_{n:02d}.jpg" for n in range(1, 6)), f"{author}_{post_id}.mp3"]
    for item in captured:
        expected = wire.file(item.media.url.split(".com", 1)[1])
        assert hashlib.sha256(item.path.read_bytes()).digest() == hashlib.sha256(expected).digest()


async def test_recorded_failures_are_typed(app: App) -> None:
    """The library raises what the answers say."""
    with pytest.raises(PostUnavailable) as caught:
        await app.resolver.resolve("https://www.tiktok.com/@x/video/7000000000000000002")
    assert caught.value.reason == "missing"
    with pytest.raises(ResolveFailed):
        await app.resolver.resolve("https://www.tiktok.com/@x/video/7000000000000000001")

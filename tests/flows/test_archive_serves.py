"""With ARCHIVE_SERVES the TikLive API answers from the archive: nobody is asked, and the files come from the store."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from clipstead.archive.store import open_store
from clipstead.practice import World
from clipstead.server.tokens import Signer

if TYPE_CHECKING:
    from tests.flows.conftest import Command

COMMAND = Path(sys.executable).with_name("clipstead")
BUCKET, SECRET = "kept-for-serving", "a-secret-that-only-this-test-knows"


@asynccontextmanager
async def serving(environment: Mapping[str, str]) -> AsyncIterator[str]:
    """`clipstead serve` as a process that is ready to work; its address."""
    child = await asyncio.create_subprocess_exec(
        COMMAND, "serve", env=dict(environment), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert child.stdout
        base = re.search(r"http://127\.0\.0\.1:\d+", (await child.stdout.readline()).decode())
        assert base
        async with asyncio.timeout(60), aiohttp.ClientSession(base[0]) as session:
            while (await session.get("/readyz")).status != 200:
                await asyncio.sleep(0.05)
        yield base[0]
    finally:
        child.terminate()
        await asyncio.wait_for(child.communicate(), 30)


@pytest.mark.parametrize("video_bytes", [60_000])
async def test_a_captured_post_is_answered_without_asking_anybody(
    environment: dict[str, str], command: Command, world: World
) -> None:
    """A video and photos: the words they were captured with, the very bytes, ranges; what is not there is resolved."""
    video, photo, other = world.post("video"), world.post("photo"), world.post("video", 1)
    key = (await command("keys", "create")).out.strip()
    added = await command("archive", "add", video.url, photo.url)
    assert added.code == 0, added.err
    run = await command("archive", "run")
    assert run.code == 0, run.err
    before = world.requests.copy()
    served = {**environment, "CLIPSTEAD_WORKERS": "0", "CLIPSTEAD_ARCHIVE_SERVES": "1"}
    headers = {"X-Api-Key": key}
    async with serving(served) as base, aiohttp.ClientSession(base, headers=headers) as session:
        for post in (video, photo):
            body = await detail(session, post.id)
            assert (body["aweme_id"], body["title"], body["create_time"]) == (post.id, post.title, post.created)
            assert (body["author"]["id"], body["author"]["unique_id"]) == (post.author.id, post.author.username)
            assert (body["author"]["nickname"], body["play_count"]) == (post.author.nickname, post.views)
            assert (body["music_info"]["id"], body["music_info"]["title"]) == (post.sound.id, post.sound.title)
            assert len(body.get("images", ())) == post.images
            await check_file(session, body)
        assert world.requests == before, "somebody was asked"
        assert (await detail(session, other.id))["aweme_id"] == other.id
        assert world.requests != before


@pytest.mark.parametrize("video_bytes", [60_000])
async def test_the_files_may_lie_in_a_bucket(
    environment: dict[str, str],
    command: Command,
    world: World,
    moto: str,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A real S3 server: plain GETs, parts, HEADs; what is over, or erased, or gone from the bucket is said so."""
    environment |= {**await bucket(moto), "CLIPSTEAD_DATABASE_URL": database_url}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environment[name])
    video, photo, erased = world.post("video"), world.post("photo"), world.post("video", 1)
    key = (await command("keys", "create", **environment)).out.strip()
    for words in (("add", video.url, photo.url, erased.url), ("run",), ("verify", "--read-data")):
        ended = await command("archive", *words, **environment)
        assert ended.code == 0, ended.err
    kept = json.loads((await command("archive", "show", video.id, "--json", **environment)).out)
    before = world.requests.copy()
    served = {**environment, "CLIPSTEAD_WORKERS": "0", "CLIPSTEAD_ARCHIVE_SERVES": "1"}
    async with serving(served) as base, aiohttp.ClientSession(base, headers={"X-Api-Key": key}) as session:
        for post in (video, photo):
            await check_file(session, await detail(session, post.id))
        async with session.get("/download-video/", params={"url": video.url}) as answer:
            told = await answer.json()
            assert answer.status == 200, told
        best = told["video_hd"]
        whole = await check_parts(session, best)
        assert hashlib.sha256(whole).hexdigest() == kept["files"][0]["sha256"]
        async with session.get(told["video"]) as answer:
            assert (answer.status, len(await answer.read()) > 1000) == (200, True)
        assert world.requests == before, "somebody was asked"
        for address, status in ((over(best), 410), (best.replace("/media/", "/media/A"), 404)):
            async with session.get(address) as answer:
                assert answer.status == status
        gone = (await detail(session, erased.id))["play"]
        ended = await command("archive", "erase", "--post", erased.id, **environment)
        assert ended.code == 0, ended.err
        async with session.get(gone) as answer:
            assert answer.status == 410
        store = open_store(environment["CLIPSTEAD_ARCHIVE_STORE"], tmp_path / "staging")
        assert await store.delete(kept["files"][0]["key"])
        await store.close()
        async with session.get(best) as answer:
            assert answer.status == 502


async def bucket(moto: str) -> dict[str, str]:
    """Settings for one of it, made now."""
    async with aiohttp.ClientSession() as session, session.put(f"{moto}/{BUCKET}") as answer:
        assert answer.status == 200
    return {
        "CLIPSTEAD_ARCHIVE_STORE": f"s3://{BUCKET}/some/where?endpoint={moto}&region=us-east-1",
        "CLIPSTEAD_SECRET": SECRET,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "moto believes any",
    }


def over(address: str) -> str:
    """The same address as it would have been made long ago."""
    token = address.split("/media/")[1].split("/")[0]
    ticket = Signer([SECRET.encode()], lambda: 0.0).open(token)
    return address.replace(token, Signer([SECRET.encode()], lambda: 0.0).token(replace(ticket, expires_at=1)))


async def check_parts(session: aiohttp.ClientSession, address: str) -> bytes:
    """The file, which is the same in parts."""
    async with session.get(address) as answer:
        whole, tag = await answer.read(), answer.headers["ETag"]
        assert (answer.status, int(answer.headers["Content-Length"])) == (200, len(whole))
    for asked, part in (("100-299", whole[100:300]), ("-50", whole[-50:]), (f"{len(whole) - 7}-", whole[-7:])):
        async with session.get(address, headers={"Range": f"bytes={asked}"}) as answer:
            assert (answer.status, await answer.read()) == (206, part)
    async with session.get(address, headers={"Range": f"bytes={len(whole)}-"}) as answer:
        assert answer.status == 416
    async with session.head(address) as answer:
        assert (answer.status, int(answer.headers["Content-Length"])) == (200, len(whole))
    async with session.get(address, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    return whole


async def detail(session: aiohttp.ClientSession, post_id: str) -> dict[str, Any]:
    """/post-detail/ of it."""
    async with session.get("/post-detail/", params={"url": post_id}) as answer:
        body: dict[str, Any] = await answer.json()
        assert answer.status == 200, body
        return body


async def check_file(session: aiohttp.ClientSession, body: dict[str, Any]) -> None:
    best, size = body.get("hdplay") or body["play"], body.get("hd_size") or body["size"]
    async with session.get(best) as answer:
        whole = await answer.read()
        assert answer.status == 200
        assert len(whole) == (size or len(whole)) > 1000
    async with session.get(best, headers={"Range": "bytes=100-299"}) as answer:
        assert (answer.status, await answer.read()) == (206, whole[100:300])
        assert answer.headers["Content-Range"] == f"bytes 100-299/{len(whole)}"
    for picture in (body["cover"], *body.get("images", ())):
        async with session.get(picture) as answer:
            assert (answer.status, (await answer.read())[:3]) == (200, b"\xff\xd8\xff")

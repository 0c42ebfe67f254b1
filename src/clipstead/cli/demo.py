"""`clipstead demo`: the practice world and a server that looks into it, a walk through both, then both stay."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from clipstead.cli.exits import CannotWork, Exit, tell
from clipstead.cli.loop import fast_loop
from clipstead.cli.serve import address_of, listen, serve
from clipstead.cli.words import size_words
from clipstead.practice import World
from clipstead.server import configure_logs
from clipstead.settings import load


def run(*, stay: bool, folder: Path | None) -> Exit:
    """Walk through once; with `stay`, leave everything running until Ctrl-C."""
    configure_logs(level="warning")
    with (
        tempfile.TemporaryDirectory(prefix="clipstead-demo-") as temporary,
        asyncio.Runner(loop_factory=fast_loop()) as runner,
    ):
        runner.run(_demo(folder or Path(temporary), stay=stay))
    return Exit.DONE


async def _demo(folder: Path, *, stay: bool) -> None:
    async with World(seed=1, folder=folder / "world") as world, _server(world, folder) as (address, running):
        tell(f"The practice world listens on 127.0.0.1:{world.port}, Clipstead on {address}; files go to {folder}\n")
        async with aiohttp.ClientSession(address) as client:
            await _Walk(client, address, world, folder / "files").all()
        if stay:
            _invite(address, world)
            await running


@asynccontextmanager
async def _server(world: World, folder: Path) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """Our server, looking into that world; without limits, so that playing with it never ends in a 429."""
    settings = load(
        data_dir=folder / "data",
        ca_file=str(world.ca_file),
        connect_to=tuple(world.connect_to),
        clipx_per_minute=0,
        clipx_per_day=0,
    )
    try:
        listener = listen(settings.host, settings.port)
    except CannotWork:
        listener = listen(settings.host, 0)  # a server of theirs runs already: the demo takes a free port
    with listener:
        running = asyncio.create_task(serve(settings, listener))
        try:
            yield f"http://{address_of(listener)}", running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


class _Walk:
    """Four steps, each shown as the command to type and what came of it."""

    def __init__(self, client: aiohttp.ClientSession, address: str, world: World, folder: Path) -> None:
        self._client, self._address, self._world, self._folder = client, address, world, folder

    async def all(self) -> None:
        """Resolve, download, a photo post, an error."""
        self._folder.mkdir(parents=True, exist_ok=True)
        video = await self._ask("1. A link becomes a post", self._world.post("video").url)
        await self._download("2. Its address is ours, and plain", video["data"]["video"]["hd_mp4"], "video.mp4")
        photos = await self._ask("3. A photo post, by its short link", self._world.post("photo").short_url)
        await self._download("   its first photo", photos["data"]["images"][0], "photo.jpg")
        gone = self._world.post("video", 1)
        self._world.fault(gone.id, "deleted")
        await self._ask("4. A post that its author has deleted", gone.url)

    async def _ask(self, title: str, link: str) -> dict[str, Any]:
        tell(f"{title}\n   curl '{self._address}/?url={link}'")
        async with self._client.get("/", params={"url": link}) as reply:
            body: dict[str, Any] = await reply.json()
        tell(f"   {reply.status} {json.dumps(_gist(body), ensure_ascii=False)}\n")
        return body

    async def _download(self, title: str, url: str, name: str) -> None:
        shown = url if len(url) < 110 else f"{url[:100]}..."
        tell(f"{title}\n   curl -o {name} '{shown}'")
        async with self._client.get(url) as reply:
            body = await reply.read()
        await asyncio.to_thread((self._folder / name).write_bytes, body)
        tell(f"   {reply.status} {reply.content_type}, {size_words(len(body))} -> {self._folder / name}\n")


def _gist(body: dict[str, Any]) -> dict[str, Any]:
    """The few fields of an answer that fit on a line."""
    if not body["success"]:
        return {name: body[name] for name in ("error", "reason", "status_code") if name in body}
    data = body["data"]
    files = {"images": len(data["images"])} if "images" in data else {"video": sorted(data["video"])}
    return {
        "id": data["id"],
        "title": data["title"],
        "author": data["author"]["username"],
        "plays": data["stats"]["play_count"],
        **files,
    }


def _invite(address: str, world: World) -> None:
    tell("Both stay until Ctrl-C. Links to paste:")
    for post in (world.post("video", 2), world.post("video", 3), world.post("photo", 1)):
        tell(f"   {address}/?url={post.url}")
    tell("The same with the command, in another terminal:")
    for name, value in world.environment.items():
        tell(f"   export {name}='{value}'")
    tell(f"   clipstead get {world.post('video', 2).url}")
    tell(f"What can go wrong can be switched on: http://127.0.0.1:{world.http_port}/_/")

"""The practice world itself: its listeners, its certificate, its hosts, and the handles that tests pull."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from clipstead.practice import control, tiklive, tls
from clipstead.practice.catalog import Catalog, Kind, PracticePost, PracticeSound, PracticeTag, PracticeUser
from clipstead.practice.cdn import Cdn
from clipstead.practice.site import Site
from clipstead.practice.stage import Stage
from clipstead.practice.tikwm import Tikwm
from clipstead.practice.wire import redirect

CONTROL_HOST = "practice.tiktok.test"
PAGE_HOSTS = ("www.tiktok.com", "tiktok.com", "m.tiktok.com", "vm.tiktok.com", "vt.tiktok.com", "lite.tiktok.com")
_TIKWM, _TIKLIVE = ("www.tikwm.com", "tikwm.com"), "api.tikliveapi.com"
_CDN_SUFFIXES = (".tiktok.com", ".tiktokcdn.com", ".tiktokcdn-us.com", ".tiktokcdn-eu.com")
HOSTS = (
    "tiktok.com", "*.tiktok.com", "www.tiktokv.com", "*.tiktokcdn.com", "*.tiktokcdn-us.com", "*.tiktokcdn-eu.com",
    *_TIKWM, _TIKLIVE, CONTROL_HOST,
)  # fmt: skip


class World:
    """An offline TikTok on loopback, inside `async with`.

    `posts` is how many there are, `video_bytes` the size of the best quality of each, `address_seconds` how long a CDN
    address lives. Ports 0 mean any; `folder` keeps the CA (a temporary one goes with the world). Attributes once open:
    port, http_port, ca_file, connect_to, trap_port, trap_hits; and always: posts, users, tags, sounds, requests, asked.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        posts: int = 60,
        users: int = 6,
        video_bytes: int = 200_000,
        address_seconds: int = 6 * 3600,
        tikwm_per_second: float = 0,
        port: int = 0,
        http_port: int = 0,
        folder: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        catalog = Catalog(seed, posts, users)
        self.stage = Stage(catalog, video_bytes=video_bytes, address_seconds=address_seconds, clock=clock)
        self._site, self._cdn, self._tikwm = Site(self.stage), Cdn(self.stage), Tikwm(self.stage)
        self._tikwm.per_second = tikwm_per_second
        self.port, self.http_port, self.trap_port, self.trap_hits = port, http_port, 0, 0
        self._folder, self._temporary = folder, None if folder else tempfile.TemporaryDirectory(prefix="practice-")
        self.ca_file = Path()
        self._runner: web.ServerRunner | None = None
        self._trap: asyncio.Server | None = None

    # -- what there is

    @property
    def posts(self) -> Catalog:
        """Every post, oldest first."""
        return self.stage.catalog

    @property
    def users(self) -> list[PracticeUser]:
        return self.stage.catalog.users

    @property
    def tags(self) -> list[PracticeTag]:
        return self.stage.catalog.tags

    @property
    def sounds(self) -> list[PracticeSound]:
        return self.stage.catalog.sounds

    def post(self, kind: Kind = "video", number: int = 0) -> PracticePost:
        """The n-th post of that kind, the oldest being 0."""
        found = self.stage.catalog.of_kind(kind)
        for _ in range(number):
            next(found)
        return next(found)

    def publish(self, count: int = 1) -> list[PracticePost]:
        """Somebody posts something new."""
        return self.stage.catalog.publish(count)

    @property
    def tiklive_key(self) -> str:
        """The API key that the TikLive shape wants."""
        return self.stage.tiklive_key

    # -- what was asked

    @property
    def requests(self) -> Counter[str]:
        """How often, by kind: page, user, tag, sound, home, short, list, embed, oembed, tikwm, tiklive, cdn, cdn:video,
        cdn:image, cdn:sound, cdn:cover, cdn:subtitle, cdn:picture, "cdn refused: ..."."""
        return self.stage.requests

    def asked(self, key: str, kind: str = "page") -> int:
        """How often that kind of request was made about that post (or user, tag, sound, code)."""
        return self.stage.asked[key, kind]

    # -- what goes wrong

    def fault(self, key: str, name: str, times: int | None = None) -> None:
        """Plan a fault (see faults.py) for a post's id, a user's handle, or `*`; ValueError for a name unknown."""
        self.stage.faults.add(key, name, times)

    def fault_rate(self, name: str, rate: float) -> None:
        """Plan a fault for that share of all requests to its target."""
        self.stage.faults.add_rate(name, rate)

    def clear(self, key: str | None = None) -> None:
        """Forget the faults planned for that key, or all of them."""
        self.stage.faults.clear(key)

    @property
    def delay(self) -> dict[str, float]:
        """Seconds before the first byte, by kind of request ("page", "cdn:video", "tikwm", ...)."""
        return self.stage.delay

    @property
    def bytes_per_second(self) -> int:
        """How fast one connection gets a body; 0 is as fast as can be."""
        return self.stage.wire.bytes_per_second

    @bytes_per_second.setter
    def bytes_per_second(self, rate: int) -> None:
        self.stage.wire.bytes_per_second = rate

    @property
    def tikwm_per_second(self) -> float:
        """How many requests a second the tikwm shape allows; 0 is any number."""
        return self._tikwm.per_second

    @tikwm_per_second.setter
    def tikwm_per_second(self, rate: float) -> None:
        self._tikwm.per_second = rate

    @property
    def address_seconds(self) -> int:
        """How long the CDN addresses of pages made from now on live; below 0 they are born expired."""
        return self.stage.signer.life

    @address_seconds.setter
    def address_seconds(self, seconds: int) -> None:
        self.stage.signer.life = seconds

    # -- how to reach it

    @property
    def connect_to(self) -> list[str]:
        """curl's --connect-to strings for every host, with `*.` wildcards."""
        secure = [f"{host}:443:127.0.0.1:{self.port}" for host in HOSTS]
        return secure + [f"{host}:80:127.0.0.1:{self.http_port}" for host in HOSTS]

    @property
    def environment(self) -> dict[str, str]:
        """The settings that send a Clipstead into this world."""
        return {"CLIPSTEAD_CONNECT_TO": ",".join(self.connect_to), "CLIPSTEAD_CA_FILE": str(self.ca_file)}

    async def __aenter__(self) -> Self:
        folder = self._folder or Path(self._temporary.name if self._temporary else "")
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_file, context = tls.authority(folder, HOSTS)
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context, backlog=1024).start()
        await web.TCPSite(self._runner, "127.0.0.1", self.http_port).start()
        self.port, self.http_port = (address[1] for address in self._runner.addresses)
        self._trap = await asyncio.start_server(self._spring, "127.0.0.1", 0)
        self.trap_port = self._trap.sockets[0].getsockname()[1]
        self.stage.items.trap = f"http://127.0.0.1:{self.trap_port}"
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.stage.wire.closing.set()
        if self._trap:
            self._trap.close()
            await self._trap.wait_closed()
        if self._runner:
            await self._runner.cleanup()
        if self._temporary:
            self._temporary.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        host = (request.headers.get("Host") or "").lower().rsplit(":", 1)[0]
        if host in (CONTROL_HOST, "127.0.0.1", "localhost"):
            return await control.answer(self.stage, request)
        if not request.secure:
            return await self.stage.wire.send(request, redirect(f"https://{host}{request.path_qs}", 301))
        if host in PAGE_HOSTS or host == "www.tiktokv.com":
            return await self._site.answer(request, host)
        if host in _TIKWM:
            return await self._tikwm.answer(request)
        if host == _TIKLIVE:
            return await tiklive.answer(self.stage, request)
        if host.endswith(_CDN_SUFFIXES):
            return await self._cdn.answer(request)
        return web.Response(status=421, text="no such host in the practice world")

    async def _spring(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody came to the private address: count it and answer as a careless internal service would."""
        self.trap_hits += 1
        body = b"internal secret\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

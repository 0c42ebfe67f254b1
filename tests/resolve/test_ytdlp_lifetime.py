"""The workers of yt-dlp: how many there are, what they get to see, and that they are gone when they should be."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from clipstead.errors import ProviderFailed, UpstreamError
from clipstead.model import Link
from clipstead.resolve.providers.ytdlp import YtDlp
from clipstead.resolve.ytdlp_pool import LARGEST_WORKER, WORKERS

if TYPE_CHECKING:
    from tests.resolve.conftest import NoNet, Site, Workers

PAGE = '<html><head><title>A film</title></head><video src="/film.mp4" poster="/film.jpg"></video></html>'

Open = Callable[..., Awaitable[YtDlp]]


def link(path: str = "/post") -> Link:
    return Link("web", f"http://site.example{path}")


def html() -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


class Stall:
    """A page that never comes."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.reached.set()
        await asyncio.sleep(60)
        return html()


async def test_a_site_that_stalls_costs_no_more_than_the_timeout(
    opened: Open, site: Site, no_net: NoNet, workers: Workers
) -> None:
    """The worker is dead afterwards, not left behind."""

    site.pages["/stall"] = Stall()
    ytdlp = await opened(timeout=2.0)
    request = asyncio.ensure_future(ytdlp.fetch(link("/stall"), no_net))
    while not workers.pids():
        await asyncio.sleep(0.01)
    (pid,) = workers.pids()
    with pytest.raises(ProviderFailed, match="within 2 s"):
        await request
    assert not workers.alive(pid)
    assert workers.pids() == set()


async def test_who_stops_waiting_ends_the_worker(opened: Open, site: Site, no_net: NoNet, workers: Workers) -> None:
    stall = site.pages["/stall"] = Stall()
    ytdlp = await opened()
    request = asyncio.ensure_future(ytdlp.fetch(link("/stall"), no_net))
    await stall.reached.wait()
    (pid,) = workers.pids()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    await workers.ended(pid)


async def test_a_worker_killed_in_mid_request_is_a_failure_and_is_replaced(
    opened: Open, site: Site, no_net: NoNet, workers: Workers
) -> None:
    async def kill(request: web.BaseRequest) -> web.StreamResponse:
        for pid in workers.pids():
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(60)
        return html()

    site.pages["/kill"] = kill
    site.pages["/post"] = html()
    ytdlp = await opened()
    with pytest.raises(ProviderFailed, match="ended before"):
        await ytdlp.fetch(link("/kill"), no_net)
    assert (await ytdlp.fetch(link(), no_net)).media


async def test_one_killed_while_idle_is_replaced(opened: Open, site: Site, no_net: NoNet, workers: Workers) -> None:
    """The request that finds it dead gets a new one instead of an error."""
    site.pages["/post"] = html()
    ytdlp = await opened()
    await ytdlp.fetch(link(), no_net)
    (pid,) = workers.pids()
    os.kill(pid, signal.SIGKILL)
    await workers.ended(pid)
    await asyncio.sleep(0.1)
    assert (await ytdlp.fetch(link(), no_net)).media


async def test_a_body_without_end_is_cut_off_by_the_workers_memory(opened: Open, site: Site, no_net: NoNet) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        block = b"<p>" * 300_000
        try:
            while True:
                await response.write(block)
        except ConnectionError:
            return response

    site.pages["/endless"] = endless
    site.pages["/post"] = html()
    ytdlp = await opened(memory=400 * 1024 * 1024)
    with pytest.raises(UpstreamError):
        await ytdlp.fetch(link("/endless"), no_net)
    assert (await ytdlp.fetch(link(), no_net)).media


async def test_an_idle_worker_ends(opened: Open, site: Site, no_net: NoNet, workers: Workers) -> None:
    site.pages["/post"] = html()
    ytdlp = await opened(idle=0.05)
    await ytdlp.fetch(link(), no_net)
    (pid,) = workers.pids()
    await workers.ended(pid)


async def test_no_more_than_two_work_at_a_time(opened: Open, site: Site, no_net: NoNet, workers: Workers) -> None:
    most = 0

    async def count(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal most
        most = max(most, len(workers.pids()))
        return html()

    site.pages["/post"] = count
    ytdlp = await opened()
    posts = await asyncio.gather(*(ytdlp.fetch(link(), no_net) for _ in range(6)))
    assert (len(posts), most) == (6, WORKERS)


async def test_close_ends_them_all_even_at_work(opened: Open, site: Site, no_net: NoNet, workers: Workers) -> None:
    stall = site.pages["/stall"] = Stall()
    ytdlp = await opened()
    request = asyncio.ensure_future(ytdlp.fetch(link("/stall"), no_net))
    await stall.reached.wait()
    await ytdlp.close()
    assert workers.pids() == set()
    with pytest.raises(ProviderFailed):
        await request
    with pytest.raises(ProviderFailed):
        await ytdlp.fetch(link(), no_net)


async def test_no_worker_outlives_us(site: Site, tmp_path: Path, workers: Workers) -> None:
    """Even when this process gets no chance to say goodbye."""
    script = tmp_path / "parent.py"
    script.write_text(
        """
import asyncio, sys
from clipstead.model import Link
from clipstead.net.egress import Egress
from clipstead.net.guard import Guard
from clipstead.resolve.providers.ytdlp import YtDlp
from clipstead.resolve.ytdlp_pool import Pool

async def main():
    egress = Egress(Guard(connect_to=[f"*.example:80:127.0.0.1:{sys.argv[1]}"]))
    await egress.start()
    await YtDlp(Pool(egress, generic=True)).fetch(Link("web", "http://site.example/stall"), None)

asyncio.run(main())
"""
    )
    stall = site.pages["/stall"] = Stall()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = await asyncio.create_subprocess_exec(sys.executable, str(script), str(site.port), env=environment)
    await stall.reached.wait()
    (pid,) = workers.pids(parent.pid)
    parent.kill()
    await parent.wait()
    await workers.ended(pid)


async def test_the_child_gets_no_secret(
    opened: Open, site: Site, no_net: NoNet, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment holds nothing of ours, its arguments no token, and its folder goes with it."""
    monkeypatch.setenv("CLIPSTEAD_SECRET", "hush")
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere.example")
    site.pages["/post"] = html()
    ytdlp = await opened()
    await ytdlp.fetch(link(), no_net)
    (pid,) = workers.pids()
    environment = dict(
        item.split("=", 1) for item in Path(f"/proc/{pid}/environ").read_text().split("\0") if "=" in item
    )
    expected = {
        "BUN_JSC_jitMemoryReservationSize",
        "HOME",
        "LANG",
        "PATH",
        "PYTHONSAFEPATH",
        "PYTHONUTF8",
        "TMPDIR",
        "YTDLP_NO_PLUGINS",
    }
    assert set(environment) - {"PYTHONPATH"} == expected
    assert b"127.0.0.1" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert Path(environment["HOME"]).is_dir()
    await ytdlp.close()
    assert not Path(environment["HOME"]).exists()


async def test_a_large_parent_does_not_make_its_worker_look_large(
    opened: Open, site: Site, no_net: NoNet, workers: Workers
) -> None:
    """What counts is the worker's own memory, not the peak of the process that it was forked from."""
    ballast = bytearray(os.urandom(4096) * (LARGEST_WORKER // 4096 + 1))
    site.pages["/post"] = html()
    ytdlp = await opened()
    await ytdlp.fetch(link(), no_net)
    assert len(ballast) > LARGEST_WORKER
    assert len(workers.pids()) == 1

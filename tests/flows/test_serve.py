"""`clipstead serve` and `clipstead demo` as processes: started, asked, told to stop."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from clipstead.practice import World

if TYPE_CHECKING:
    from tests.flows.conftest import Command

COMMAND = Path(sys.executable).with_name("clipstead")


@asynccontextmanager
async def serving(
    environment: Mapping[str, str], *arguments: str, until: str = "listens on", program: tuple[str, ...] = ()
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A running command, and what it said up to the line that holds `until`; killed if it is still there at the end."""
    child = await asyncio.create_subprocess_exec(
        *(program or (str(COMMAND), *(arguments or ("serve",)))),
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout
        said = ""
        async with asyncio.timeout(30):
            while until not in said:
                line = await child.stdout.readline()
                if not line:
                    break
                said += line.decode()
        yield child, said
    finally:
        if child.returncode is None:
            child.terminate()  # its database ends with it; kill -9 would leave that to whoever comes next
        try:
            await asyncio.wait_for(child.communicate(), 30)
        except TimeoutError:
            child.kill()
            await child.wait()


def _address(said: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found, said
    return found[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_says_where_it_listens_and_stops_when_told(
    environment: Mapping[str, str], number: signal.Signals
) -> None:
    """Both signals end it with 0, without a traceback."""
    async with serving(environment) as (child, said), aiohttp.ClientSession(_address(said)) as client:
        async with client.get("/healthz") as reply:
            assert reply.status == 200
        child.send_signal(number)
        _, err = await asyncio.wait_for(child.communicate(), 15)
    assert child.returncode == 0, err
    assert b"Traceback" not in err


async def test_a_download_under_way_is_finished_before_it_stops(environment: Mapping[str, str], world: World) -> None:
    """SIGTERM in the middle of a tunnel: the reader still gets every byte."""
    async with serving(environment) as (child, said), aiohttp.ClientSession(_address(said)) as client:
        async with client.get("/", params={"url": world.post("video").url}) as reply:
            data = (await reply.json())["data"]["video"]
        world.bytes_per_second = 100_000
        async with client.get(data["hd_mp4"]) as reply:
            await reply.content.readexactly(1000)
            child.send_signal(signal.SIGTERM)
            rest = await reply.read()
        assert 1000 + len(rest) == data["hd_mp4_size"]
        await asyncio.wait_for(child.wait(), 15)


async def test_the_secret_is_made_once_and_kept_private(environment: Mapping[str, str], world: World) -> None:
    """A media address outlives a restart, and nobody else can read what signs it."""
    async with serving(environment) as (child, said), aiohttp.ClientSession(_address(said)) as client:
        async with client.get("/", params={"url": world.post("video").url}) as reply:
            address = (await reply.json())["data"]["video"]["hd_mp4"]
        child.send_signal(signal.SIGTERM)
        await child.communicate()
    secret = Path(environment["CLIPSTEAD_DATA_DIR"]) / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    async with serving(environment) as (_, said), aiohttp.ClientSession() as client:
        path = address.split("/", 3)[3]
        async with client.get(f"{_address(said)}/{path}") as reply:
            assert reply.status == 200


async def test_a_port_in_use_is_one_line_and_exit_3(command: Command) -> None:
    """No traceback, no second server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = await command("serve", CLIPSTEAD_PORT=str(port))
    assert ended.code == 3
    assert ended.err == f"clipstead: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


async def test_a_host_that_is_none_is_one_line_and_exit_3(command: Command) -> None:
    """In words, and nothing was said to listen."""
    ended = await command("serve", CLIPSTEAD_HOST="no such host")
    assert ended.code == 3
    assert ended.err.startswith("clipstead: cannot listen on no such host port ")
    assert "Unknown error" not in ended.err
    assert ended.out == ""


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="reads /proc")
async def test_it_takes_the_descriptors_it_may_have(environment: Mapping[str, str]) -> None:
    """A thousand readers need more than the soft limit most systems begin with."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = ("/bin/sh", "-c", f"ulimit -Sn 200; exec {COMMAND} serve")
    async with serving(environment, program=few) as (child, _):
        limits = Path(f"/proc/{child.pid}/limits").read_text()
    soft = re.search(r"Max open files +(\d+)", limits)
    assert soft
    assert int(soft[1]) == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536))


async def test_a_setting_found_wrong_late_is_still_one_line(command: Command, tmp_path: Path) -> None:
    """Nobody is told that it listens before it can."""
    ended = await command("serve", CLIPSTEAD_PROVIDERS="nobody", CLIPSTEAD_DATA_DIR=str(tmp_path))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("clipstead: CLIPSTEAD_PROVIDERS: ")
    assert ended.err.count("\n") == 1


async def test_a_data_folder_that_cannot_be_made_is_exit_3(command: Command, tmp_path: Path) -> None:
    """The line says which setting to change."""
    (tmp_path / "file").write_text("")
    ended = await command("serve", CLIPSTEAD_DATA_DIR=str(tmp_path / "file" / "below"))
    assert ended.code == 3
    assert "CLIPSTEAD_DATA_DIR" in ended.err
    assert "Traceback" not in ended.err


async def test_logs_are_json_lines_without_secrets(environment: Mapping[str, str], world: World) -> None:
    """Each line parses and bears the request's id; no token, no signed address."""
    settings = {**environment, "CLIPSTEAD_LOG_FORMAT": "json", "CLIPSTEAD_CLIPX_UNLIMITED_TOKENS": "sesame-sesame"}
    async with serving(settings) as (child, said), aiohttp.ClientSession(_address(said)) as client:
        headers = {"X-ClipX-Unlimited": "sesame-sesame"}
        async with client.get("/", params={"url": world.post("video").url}, headers=headers) as reply:
            body = await reply.json()
        address = body["data"]["video"]["hd_mp4"]
        async with client.get(address) as reply:
            await reply.read()
        child.send_signal(signal.SIGTERM)
        _, err = await child.communicate()
    lines = [json.loads(line) for line in err.decode().splitlines()]
    assert body["trace"]["request_id"] in {line.get("request_id") for line in lines}
    token = address.split("/media/")[1].split("/")[0]
    assert "sesame" not in err.decode()
    assert token not in err.decode()


async def test_without_a_database_clipx_answers_and_jobs_wait(environment: Mapping[str, str], world: World) -> None:
    """/healthz and lookups are there at once; /readyz and Clipi say that jobs are not."""
    settings = {
        **environment,
        "CLIPSTEAD_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "CLIPSTEAD_SECRET": "a-secret-of-this-test",
    }
    async with serving(settings) as (child, said), aiohttp.ClientSession(_address(said)) as client:
        async with client.get("/", params={"url": world.post("video").url}) as reply:
            assert reply.status == 200
        async with client.get("/readyz") as reply:
            assert reply.status == 503
        async with client.post("/api/video/info", json={"url": world.post("video").url}) as reply:
            assert reply.status == 503
            assert set(await reply.json()) == {"error"}
        child.send_signal(signal.SIGTERM)
        await asyncio.wait_for(child.communicate(), 15)
    assert child.returncode == 0


async def test_jobs_are_taken_once_the_database_is_up(environment: Mapping[str, str], world: World) -> None:
    """The first admin key is printed once, and opens Clipi's POSTs; everything ends with the server."""
    async with serving(environment, until="clp_") as (child, said), aiohttp.ClientSession(_address(said)) as client:
        key = said.split()[-1]
        for _ in range(100):
            async with client.get("/readyz") as reply:
                if reply.status == 200:
                    break
            await asyncio.sleep(0.1)
        ask = {"url": world.post("video").url}
        async with client.post("/api/video/info", json=ask) as reply:
            assert reply.status == 401
        async with client.post("/api/video/info", headers={"X-Api-Key": key}, json=ask) as reply:
            assert (await reply.json())["success"] is True
        child.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(child.communicate(), 40)
    assert child.returncode == 0, err
    assert b"Traceback" not in err


async def test_direct_hands_out_cdn_addresses(environment: Mapping[str, str], world: World) -> None:
    """And a misspelt setting is named."""
    settings = {**environment, "CLIPSTEAD_DIRECT_LINK": "yes"}
    async with serving(settings, "serve", "--direct") as (child, said), aiohttp.ClientSession(_address(said)) as client:
        async with client.get("/", params={"url": world.post("video").url}) as reply:
            data = (await reply.json())["data"]
        child.send_signal(signal.SIGTERM)
        _, err = await child.communicate()
    assert data["video"]["hd_mp4"].startswith("https://v16-webapp-prime.tiktok.com/")
    assert b"CLIPSTEAD_DIRECT_LINK is no setting" in err


async def test_the_demo_walks_through_and_stays_until_ctrl_c(environment: Mapping[str, str]) -> None:
    """Four steps, links that work, and a clean end."""
    kept = {name: value for name, value in environment.items() if not name.startswith("CLIPSTEAD_")}
    async with serving({**kept, "CLIPSTEAD_PORT": "0"}, "demo", until="switched on") as (child, said):
        assert "4. A post that its author has deleted" in said
        link = re.search(r"^ +(http://\S+/\?url=\S+)$", said, re.MULTILINE)
        assert link
        async with aiohttp.ClientSession() as client, client.get(link[1]) as reply:
            assert reply.status == 200
        child.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(child.communicate(), 20)
    assert child.returncode == 0, err
    assert b"Traceback" not in err

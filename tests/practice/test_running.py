"""The world runs for people too: as a command, in a thread, with a switchboard over HTTP."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest

from clipstead.practice import World, running


def fetch(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_/{path}") as reply:
        body = reply.read()
    return orjson.loads(body) if body[:1] in b"[{" else body.decode()


def test_the_command_greets_with_settings_and_links_and_ends_cleanly(tmp_path: Path) -> None:
    """It prints what to export and what to try, keeps its CA from run to run, and Ctrl-C ends it with 0 in silence."""
    certificates = set()
    for _ in range(2):
        command = [sys.executable, "-m", "clipstead.practice", "--dir", str(tmp_path), "--posts", "30"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            greeting = _greeting(child)
            child.send_signal(signal.SIGINT)
            rest, complaints = child.communicate(timeout=20)
        assert (child.returncode, rest, complaints) == (0, "", "")
        assert f"export CLIPSTEAD_CA_FILE='{tmp_path / 'practice-ca.pem'}'" in greeting
        assert re.search(r"export CLIPSTEAD_CONNECT_TO='tiktok\.com:443:127\.0\.0\.1:\d+,", greeting)
        assert greeting.count("https://www.tiktok.com/@") >= 3
        certificates.add((tmp_path / "practice-ca.pem").read_bytes())
    assert len(certificates) == 1
    assert oct((tmp_path / "practice-ca.key").stat().st_mode)[-3:] == "600"


def _greeting(child: subprocess.Popen[str]) -> str:
    lines: list[str] = []
    assert child.stdout is not None
    while not lines or not lines[-1].startswith("# switchboard"):
        line = child.stdout.readline()
        assert line, "the world ended early"
        lines.append(line)
    return "".join(lines)


def test_a_taken_port_is_one_clear_line() -> None:
    """A port in use ends the command with 1 and a sentence, not a traceback."""
    with running(World(posts=5)) as world:
        command = [sys.executable, "-m", "clipstead.practice", "--port", str(world.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr.startswith("practice: ")
    assert "Traceback" not in done.stderr


def test_the_switchboard() -> None:
    """Posts, users, faults, counters and new posts over plain HTTP on loopback."""
    with running(World(posts=30)) as world:
        posts = fetch(world.http_port, "posts?count=30")
        assert [post["id"] for post in posts] == [post.id for post in world.posts]
        assert len(fetch(world.http_port, "users")) == len(world.users)
        assert len(fetch(world.http_port, "tags")) == len(world.tags) + 1
        assert len(fetch(world.http_port, "sounds")) == len(world.sounds)
        assert fetch(world.http_port, f"fault?post={posts[0]['id']}&name=captcha&times=1") == {"ok": True}
        assert fetch(world.http_port, "rate?name=page:503&rate=0.5") == {"ok": True}
        assert fetch(world.http_port, "clear") == {"ok": True}
        assert fetch(world.http_port, "publish")[0]["id"] == world.posts[-1].id
        assert len(world.posts) == 31
        assert fetch(world.http_port, "requests")["total"] == {}
        assert "The practice world" in fetch(world.http_port, "")
        for wrong in ("fault?name=sneeze", "fault", "rate?name=503", "rate?name=503&rate=x"):
            with pytest.raises(urllib.error.HTTPError, match="400") as caught:
                fetch(world.http_port, wrong)
            caught.value.close()


def test_two_worlds_side_by_side() -> None:
    """Each has ports, certificates and counters of its own, and nothing is left behind."""
    with running(World(posts=5)) as one, running(World(posts=5)) as two:
        assert one.port != two.port
        assert one.ca_file != two.ca_file
        assert one.ca_file.exists()
    assert not one.ca_file.exists()


async def test_hosts_outside_the_world_are_refused(world: World, browser: Any) -> None:
    """A request for a host that the world does not play is 421, never a wrong answer."""
    reply = await browser.get("https://tiktok.com/@x/video/1")
    assert (reply.status, reply.headers["Location"]) == (301, "https://www.tiktok.com/@x/video/1")
    reply = await browser.get("https://practice.tiktok.test/_/users")
    assert orjson.loads(reply.body)[0]["username"] == world.users[0].username


async def test_delays_and_speed_can_be_set(world: World, browser: Any) -> None:
    """Latency by kind of request and the speed of bodies are knobs; the bytes stay the same."""
    post = world.post("video")
    world.delay["page"] = 0.01
    world.bytes_per_second = 20_000_000
    assert len((await browser.get(post.url)).body) > 250_000


def test_connect_to_covers_every_host() -> None:
    """The strings are curl's, one per host and port, wildcards included."""
    with running(World(posts=5)) as world:
        assert f"*.tiktokcdn.com:443:127.0.0.1:{world.port}" in world.connect_to
        assert f"*.tiktok.com:80:127.0.0.1:{world.http_port}" in world.connect_to
        assert all(len(entry.split(":")) == 4 for entry in world.connect_to)
        assert world.environment["CLIPSTEAD_CONNECT_TO"] == ",".join(world.connect_to)

"""`archive run` as a process of its own: told to stop it gives everything back, killed it loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipstead.practice import World

COMMAND = Path(sys.executable).with_name("clipstead")

Command = Callable[..., Any]
Rows = Callable[..., list[dict[str, Any]]]


def _start(environment: dict[str, str]) -> subprocess.Popen[str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CLIPSTEAD_")}
    command = [str(COMMAND), "archive", "run"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env={**settings, **environment}, stdout=pipe, stderr=pipe, text=True)


def _wait_for(rows: Rows, query: str) -> None:
    ends = time.monotonic() + 60
    while not rows(query):
        assert time.monotonic() < ends, query
        time.sleep(0.1)


def test_told_to_stop_it_gives_everything_back(
    archive: Command, world: World, environment: dict[str, str], rows: Rows, store: Path
) -> None:
    """No attempt is counted, no file is left, the rest is said to wait; the next run goes on."""
    world.delay["cdn:video"] = 120.0
    posts = [world.post("video", number) for number in range(5)]
    assert archive("add", *(post.id for post in posts)).code == 0
    with _start(environment) as running:
        try:
            _wait_for(rows, "SELECT FROM archive_queue WHERE state = 'working' AND storage_key IS NOT NULL")
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130, err
    assert "5 wait, `archive run` goes on with them" in out
    assert {(row["state"], row["attempts"]) for row in rows("SELECT * FROM archive_queue")} == {("pending", 0)}
    assert [path for path in store.rglob("*") if path.is_file()] == []
    world.delay.clear()
    assert "5 captured" in archive("run").out
    assert archive("verify", "--read-data").code == 0


def test_killed_it_loses_nothing(
    archive: Command, world: World, environment: dict[str, str], rows: Rows, store: Path
) -> None:
    """Its posts are taken up when their leases are over, and nothing of it stays behind."""
    posts = [world.post("video", number) for number in range(5)]
    world.delay["cdn:video"] = 120.0
    assert archive("add", *(post.id for post in posts)).code == 0
    with _start(environment) as running:
        try:
            _wait_for(rows, "SELECT FROM archive_queue WHERE state = 'working' AND storage_key IS NOT NULL")
        finally:
            running.kill()
    world.delay.clear()
    rows("UPDATE archive_queue SET alive_until = now() WHERE alive_until IS NOT NULL")  # as if we had waited
    rows("UPDATE pgqueuer SET heartbeat = now() - interval '1 hour' WHERE status = 'picked'")
    assert "5 captured" in archive("run").out
    assert archive("sweep").code == 0
    assert archive("verify", "--read-data").code == 0
    staging = store / ".staging"
    assert list(staging.iterdir()) == []
    assert all(world.asked(post.id) <= 2 for post in posts), "more than one call besides, for one kill"


def test_a_command_in_the_background_ends_by_a_signal(environment: dict[str, str]) -> None:
    """Scripts start those with Ctrl-C ignored; SIGTERM ends them as tidily as anybody else."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CLIPSTEAD_")}
    command = ["sh", "-c", 'trap "" INT; exec "$0" archive status --watch', str(COMMAND)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env={**settings, **environment}, stdout=pipe, stderr=pipe, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline().startswith("kept ")
            running.send_signal(signal.SIGTERM)
            _, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert (running.returncode, err) == (0, "")

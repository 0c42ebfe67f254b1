"""The runtimes that run YouTube's player code: they compute, and do nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from clipstead.resolve.ytdlp_runtimes import offer


@pytest.fixture
def node(tmp_path: Path) -> str:
    """node, as a worker is given it."""
    if shutil.which("node") is None or sys.platform != "linux":
        pytest.skip("node is not installed, or this is not Linux")
    return offer(tmp_path / "bin")["node"]


def _run(node: str, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([node, "-"], input=code, capture_output=True, text=True, timeout=60, check=False)


def test_it_computes(node: str) -> None:
    """From its standard input to its standard output, as yt-dlp has it do."""
    assert _run(node, "console.log([1, 2, 3].map(x => x * 2).join())").stdout == "2,4,6\n"


def test_it_reaches_nobody(node: str) -> None:
    """Not even a listener on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        done = _run(node, f"fetch('http://127.0.0.1:{port}/').then(() => console.log('out'), () => console.log('in'))")
        assert "out" not in done.stdout
        with pytest.raises(TimeoutError):
            listener.accept()


def test_it_starts_nothing(node: str) -> None:
    """No other program."""
    done = _run(node, "try { require('child_process').execSync('echo out') } catch { console.log('in') }")
    assert "out" not in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux can they be enclosed")
def test_python_and_the_runtime_may_be_anywhere(tmp_path: Path) -> None:
    """Also where a blank is in the way."""
    place = tmp_path / "a place"
    place.mkdir()
    (place / "qjs").write_text("#!/bin/sh\necho $1 'and on'\n")
    (place / "qjs").chmod(0o755)
    (place / "python").symlink_to(sys.executable)
    code = (
        "import pathlib, sys; from clipstead.resolve.ytdlp_runtimes import offer;"
        "offer(pathlib.Path('bin'), sys.argv[1])"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": "/nowhere"}
    subprocess.run([place / "python", "-c", code, place], env=environment, cwd=place, check=True)
    started = subprocess.run([place / "bin" / "qjs", "on"], env={}, capture_output=True, text=True, check=True)
    assert started.stdout == "on and on\n"


def test_only_runtimes_are_found(tmp_path: Path) -> None:
    """Whatever else is installed."""
    offer(tmp_path / "bin")
    assert {path.name for path in (tmp_path / "bin").iterdir()} <= {"deno", "node", "bun", "qjs"}

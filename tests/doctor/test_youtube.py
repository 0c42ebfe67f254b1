"""What `clipstead doctor` says of YouTube: which runtime, which version, whether the solver is there, what to do."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest

from clipstead.cli import doctor_youtube
from clipstead.resolve import ytdlp_runtimes

YTDLP = f"yt-dlp {metadata.version('yt-dlp')}"
SOLVER = f"yt-dlp-ejs {metadata.version('yt-dlp-ejs')}"
enclosed = pytest.mark.skipif(sys.platform != "linux", reason="here nothing keeps node from the network")


@pytest.fixture
def bin_(tmp_path: Path) -> Path:
    """Where the runtimes of this machine are, as far as the doctor knows."""
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(folder: Path, name: str, says: str, code: int = 0) -> None:
    """A program that says something and does nothing else."""
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    (folder / name).chmod(0o755)


@enclosed
@pytest.mark.parametrize(
    ("name", "says", "found"),
    [
        ("deno", "deno 2.5.1 (stable)", "deno 2.5.1"),
        ("node", "v22.3.0", "node 22.3.0"),
        ("bun", "1.3.0", "bun 1.3.0"),
        ("qjs", "QuickJS version 2025-04-26", "quickjs 2025-04-26"),
        ("qjs", "QuickJS-ng version 0.12.1", "quickjs-ng 0.12.1"),
    ],
)
def test_the_runtime_is_named(bin_: Path, name: str, says: str, found: str) -> None:
    """With its version, yt-dlp's and the solver's; all is well."""
    program(bin_, name, says)
    finding = doctor_youtube.javascript(str(bin_))
    assert (finding.state, finding.found) == ("ok", f"{YTDLP} with {found}, {SOLVER}")


@enclosed
@pytest.mark.parametrize(
    ("name", "says", "code", "found"),
    [
        ("node", "v20.18.0", 0, " (node 20.18.0 is too old)"),
        ("deno", "deno 1.46.0", 0, " (deno 1.46.0 is too old)"),
        ("deno", "", 127, " (deno does not start)"),
        ("true", "", 0, ""),
    ],
)
def test_without_one_it_says_what_to_install(bin_: Path, name: str, says: str, code: int, found: str) -> None:
    """And why one that is there is of no use."""
    program(bin_, name, says, code)
    finding = doctor_youtube.javascript(str(bin_))
    assert (finding.state, finding.found) == ("warning", f"{YTDLP}; no JavaScript runtime for YouTube{found}")
    assert "pip install deno" in finding.advice and "node 22" in finding.advice


@enclosed
def test_the_one_that_is_used_comes_first(bin_: Path) -> None:
    """The others are told behind it."""
    program(bin_, "node", "v22.3.0")
    program(bin_, "deno", "deno 2.5.1 (stable)")
    program(bin_, "bun", "1.0.0")
    finding = doctor_youtube.javascript(str(bin_))
    assert finding.found == f"{YTDLP} with deno 2.5.1, {SOLVER} (node 22.3.0 is there too, bun 1.0.0 is too old)"


def test_where_nothing_keeps_it_from_the_network_node_is_not_used(bin_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the worker; deno is what is left."""
    program(bin_, "node", "v22.3.0")
    importlib.import_module("yt_dlp")
    monkeypatch.setattr(sys, "platform", "darwin")
    finding = doctor_youtube.javascript(str(bin_))
    assert finding.found == (
        f"{YTDLP}; no JavaScript runtime for YouTube (node cannot be kept from the network on this machine)"
    )
    assert ytdlp_runtimes.offer(bin_ / "offered", str(bin_)) == {}


@enclosed
def test_a_solver_of_another_version_is_told(bin_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """yt-dlp passes such a one over."""
    program(bin_, "node", "v22.3.0")
    (tmp_path / "yt_dlp_ejs-0.1.0.dist-info").mkdir()
    (tmp_path / "yt_dlp_ejs-0.1.0.dist-info" / "METADATA").write_text("Name: yt-dlp-ejs\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    finding = doctor_youtube.javascript(str(bin_))
    assert finding.state == "warning"
    assert finding.found.startswith(f"{YTDLP} with node 22.3.0, yt-dlp-ejs 0.1.0 where it takes ")
    assert finding.advice == f"pip install {SOLVER.replace(' ', '==')}"


@enclosed
def test_without_the_solver_it_says_what_to_install(
    bin_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very version that this yt-dlp asks for."""
    program(bin_, "node", "v22.3.0")
    importlib.import_module("yt_dlp")
    wanted = metadata.version("yt-dlp-ejs")
    told = f"Name: yt-dlp\nVersion: {metadata.version('yt-dlp')}\nRequires-Dist: yt-dlp-ejs=={wanted}\n"
    (tmp_path / "yt_dlp-1.dist-info").mkdir()
    (tmp_path / "yt_dlp-1.dist-info" / "METADATA").write_text(told)
    elsewhere = [place for place in sys.path if not Path(place, "yt_dlp_ejs").exists()]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *elsewhere])
    finding = doctor_youtube.javascript(str(bin_))
    assert (finding.state, finding.advice) == ("warning", f"pip install yt-dlp-ejs=={wanted}")
    assert finding.found == f"{YTDLP} with node 22.3.0, without yt-dlp-ejs, its solver"


def test_the_solver_is_the_one_that_yt_dlp_asks_for() -> None:
    """The two are locked together, and are raised together."""
    wanted = [each for each in metadata.requires("yt-dlp") or () if each.startswith("yt-dlp-ejs")]
    assert {each.partition(";")[0] for each in wanted} == {SOLVER.replace(" ", "==")}


def test_a_runtime_beside_python_is_found(tmp_path: Path) -> None:
    """Where pip puts deno: a virtual environment need not be on PATH. What is on PATH comes after it."""
    venv.create(tmp_path / "env", symlinks=True, with_pip=False)
    program(tmp_path / "env" / "bin", "deno", "deno 2.5.1 (stable)")
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "deno", "deno 1.0.0")
    program(tmp_path / "bin", "bun", "1.3.0")
    code = "from clipstead.resolve.ytdlp_runtimes import find; print(*find().values(), sep='\\n')"
    environment = {"PATH": str(tmp_path / "bin"), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "python", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(tmp_path / "env" / "bin" / "deno"), str(tmp_path / "bin" / "bun")]

"""Which ffmpeg is used: the one that was set, else a recent and complete one of the system, else the wheel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clipstead.errors import ToolFailed
from clipstead.media import ffmpeg
from clipstead.media.ffmpeg import ENCODERS, FILTERS


def stand_in(folder: Path, version: str, *, without: str = "") -> Path:
    """A program that answers -version, -encoders and -filters as an ffmpeg would."""
    folder.mkdir(exist_ok=True)
    encoders = "\n".join(f" V....D {name} words" for name in ENCODERS if name != without)
    filters = "\n".join(f" .. {name} V->V words" for name in FILTERS if name != without)
    program = folder / "ffmpeg"
    program.write_text(
        f"#!/bin/sh\ncase \"$*\" in *-version*) echo 'ffmpeg version {version} Copyright (c)';;\n"
        f"*-encoders*) echo '{encoders}';; *-filters*) echo '{filters}';; esac\n"
    )
    program.chmod(0o755)
    return program


def test_the_one_that_was_set_comes_first_whatever_it_is(tmp_path: Path) -> None:
    old = stand_in(tmp_path / "old", "4.4.1", without="libvpx-vp9")
    found = ffmpeg.find(str(old))
    assert (found.path, found.version, found.origin) == (str(old), "4.4.1", "setting")
    assert (found.recent, found.missing) == (False, ("libvpx-vp9",))


def test_one_that_was_set_and_is_not_there_is_an_error_not_a_fallback(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="The ffmpeg of the settings"):
        ffmpeg.find(str(tmp_path / "none"))


@pytest.mark.parametrize("version", ["6.1", "7.0.2-static", "n9.0.2-17-g2a571b6068", "N-117000-gabcdef"])
def test_a_recent_system_ffmpeg_is_taken(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = stand_in(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert (ffmpeg.find().path, ffmpeg.find().origin) == (str(program), "system")


@pytest.mark.parametrize(
    ("version", "without"), [("5.1.9-0+deb12u1", ""), ("6.0", ""), ("7.1", "zscale"), ("7.1", "libx264")]
)
def test_an_old_or_incomplete_one_is_passed_over_for_the_wheels(
    version: str, without: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ffmpeg.from_wheel() is None:
        pytest.skip("the wheel of imageio-ffmpeg is not installed")
    program = stand_in(tmp_path / "bin", version, without=without)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    found = ffmpeg.find()
    assert (found.origin, found.missing, found.recent) == ("wheel", (), True)


def test_without_any_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolFailed, match="install imageio-ffmpeg"):
        ffmpeg.find()


def test_a_program_that_is_no_ffmpeg_lacks_everything() -> None:
    assert set(ffmpeg.look("/bin/sh", "system").missing) == {*ENCODERS, *FILTERS}

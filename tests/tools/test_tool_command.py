"""`clipstead tool`: flags made of the tools' fields, results where they were asked for, and exit codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clipstead.cli.main import app
from clipstead.cli.tool import main

Clip = Callable[[str], Path]
Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tool(capfd: pytest.CaptureFixture[str]) -> Called:
    """Call the command in this process: exit code, stdout, stderr."""

    def called(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        output = capfd.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return called


def _names(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_example_of_the_issue_works(clip: Clip, tool: Called, results: Path) -> None:
    code, out, err = tool(
        "trim-video", clip("plain.mp4"), "-o", results / "out.mp4", "--start-time", "0.5", "--end-time", "1"
    )
    assert (code, err) == (0, "")
    assert out.startswith(f"{results / 'out.mp4'}  ")
    assert _names(results) == ["out.mp4"]


def test_without_out_the_result_is_named_after_its_file(
    clip: Clip, tool: Called, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results)
    assert tool("extract-audio", clip("plain.mp4"))[0] == 0
    assert tool("thumbnail", clip("plain.mp4"), "-o", results, "--format", "png")[0] == 0
    assert _names(results) == ["plain-extract-audio.mp3", "plain-thumbnail.png"]


def test_an_image_and_a_slideshow(clip: Clip, tool: Called, results: Path) -> None:
    still = clip("still.png")
    assert tool("image-converter", still, "--output-format", "jpg", "-o", results / "a.JPEG")[0] == 0
    code, _, err = tool(
        "slideshow",
        still,
        results / "a.JPEG",
        "--seconds",
        "0.5",
        "--sound",
        clip("plain.mp3"),
        "-o",
        results / "b.mp4",
    )
    assert (code, err) == (0, "")
    assert _names(results) == ["a.JPEG", "b.mp4"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["gif", "FILE"], 2, "clipstead: duration must be a number from 0.5 to 15"),
        (["gif", "FILE", "--duration", "99"], 2, "clipstead: duration must be a number from 0.5 to 15"),
        (["gif", "FILE", "--duration", "1", "-o", "x.mp4"], 2, "clipstead: -o must end in .gif"),
        (["remove-audio", "none.mp4"], 2, "clipstead: FILE is no file: none.mp4"),
        (["trim-video", "FILE", "--start-time", "7", "--end-time", "9"], 2,
         "clipstead: startTime must be less than the length of 2.00 seconds"),
        (["compress-image", "FILE"], 1, "clipstead: Not an image"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str],
    code: int,
    words: str,
    clip: Clip,
    tool: Called,
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(results)
    got = tool(*(clip("plain.mp4") if word == "FILE" else word for word in arguments))
    assert got == (code, "", words + "\n")
    assert _names(results) == []


def test_the_file_itself_is_never_overwritten(clip: Clip, tool: Called, results: Path) -> None:
    own = results / "own.mp4"
    own.write_bytes(clip("plain.mp4").read_bytes())
    assert tool("remove-audio", own, "-o", own) == (2, "", "clipstead: -o must not be the file itself\n")
    assert own.read_bytes() == clip("plain.mp4").read_bytes()


def test_help_is_made_of_the_fields(tool: Called) -> None:
    code, out, _ = tool("resize-video", "--help")
    assert code == 0
    assert "--width" in out
    assert "A whole number from 16 to 7680, required." in " ".join(out.split())


def test_a_wrong_setting_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with every other command."""
    monkeypatch.setenv("CLIPSTEAD_PORT", "none")
    ended = CliRunner().invoke(app, ["tool", "trim-video", "x.mp4"])
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("clipstead: CLIPSTEAD_PORT: ")

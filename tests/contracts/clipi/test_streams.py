"""Streams in pieces, from another platform's page to one plain file: every way of DASH and HLS to list them."""

from __future__ import annotations

from typing import Any

import pytest

_FILMS = "https://www.newgrounds.com/films"


@pytest.mark.parametrize("name", ["number", "time", "list", "ranges"])
def test_dash_in_pieces(house: Any, name: str) -> None:
    """Numbered, timed, listed, ranges of one file: the best picture with its sound, every frame as it was sent."""
    data = house.post("/video/info", json={"url": f"{_FILMS}/{name}"}).json()["data"]
    assert [(each["id"], each["label"]) for each in data["formats"]] == [
        ("yt-0", "360p (mp4)"),
        ("yt-1", "180p (mp4)"),
        ("yt-2", "96kbps (m4a)"),
    ]
    assert abs(data["duration"] - 4) < 0.1
    last, file = house.download(url=f"{_FILMS}/{name}")
    assert last["status"] == "completed", last
    assert file.headers["content-type"] == "video/mp4"
    assert b"moof" not in file.content
    found = house.inspect(file.content, f"{name}.mp4")
    assert (found.picture.shown, found.picture.frames, found.sound.codec) == ((640, 360), 100, "aac")
    assert abs(found.duration - 4) < 0.1
    assert _samples(house, file.content) == _samples(house, (house.media / "gop360.mp4").read_bytes())


def _samples(house: Any, content: bytes) -> bytes:
    """The bytes of the video track, without its container."""
    path = house.folder / "samples.mp4"
    path.write_bytes(content)
    return bytes(house.ffmpeg("-i", path, "-map", "0:v", "-c", "copy", "-f", "h264", "-"))


def test_webm_in_pieces(house: Any) -> None:
    """VP9 and Opus stay what they are, in a webm."""
    last, file = house.download(url=f"{_FILMS}/webm")
    assert last["status"] == "completed", last
    assert file.headers["content-type"] == "video/webm"
    found = house.inspect(file.content, "out.webm")
    assert (found.picture.codec, found.picture.shown, found.sound.codec) == ("vp9", (320, 180), "opus")
    assert abs(found.duration - 4) < 0.1

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


@pytest.mark.parametrize("name", ["bytes", "fboth", "nested", "tagged", "breaks", "breaksf", "periods"])
def test_every_way_to_list_a_stream(house: Any, name: str) -> None:
    """Ranges, heads, relative variants, sound with tags before it, breaks after which the clock begins anew."""
    last, file = house.download(url=f"{_FILMS}/{name}")
    assert last["status"] == "completed", last
    assert b"moof" not in file.content
    found = house.inspect(file.content, f"{name}.mp4")
    assert (found.picture.shown, found.picture.frames, found.sound.codec) == ((640, 360), 100, "aac")
    assert abs(found.duration - 4) < 0.15 and abs(found.sound.duration - 4) < 0.15
    assert _pixels(house, file.content) == _pixels(house, (house.media / "gop360.mp4").read_bytes())


def _pixels(house: Any, content: bytes) -> list[str]:
    """What each frame shows."""
    path = house.folder / "pixels.mp4"
    path.write_bytes(content)
    told = house.ffmpeg("-i", path, "-map", "0:v", "-f", "framemd5", "-").decode()
    return [line.rpartition(",")[2].strip() for line in told.splitlines() if not line.startswith("#")]


def test_parts_that_no_one_head_fits_are_refused(house: Any) -> None:
    """Rather than shown as something they are not."""
    last, _ = house.download(url=f"{_FILMS}/differ")
    assert last["status"] == "failed"
    assert "several parts that differ" in last["error"]


def test_formats_of_a_stream_are_honoured(house: Any) -> None:
    """The id that was told is what comes, alone where it is a sound; an end is an end."""
    _, low = house.download(url=f"{_FILMS}/number", formatId="yt-1")
    found = house.inspect(low.content, "low.mp4")
    assert (found.picture.shown, found.sound.codec) == ((320, 180), "aac")
    house.asked.clear()
    _, sound = house.download(url=f"{_FILMS}/number", formatId="yt-2")
    assert sound.headers["content-type"] == "audio/mp4"
    assert not [name for name in house.asked if name.startswith(("number-0", "number-1"))]
    _, cut = house.download(url=f"{_FILMS}/number", quality="240p", format="webm", trimStart=1, trimEnd=2)
    found = house.inspect(cut.content, "cut.webm")
    assert (found.picture.codec, found.picture.shown) == ("vp9", (320, 180)) and abs(found.duration - 1) < 0.1


def test_a_piece_that_fails_once_is_fetched_again(house: Any) -> None:
    """And no other is."""
    house.faults |= {"number-0-002.m4s": [500], "number-2-003.m4s": [503], "number-0-003.m4s": [302]}
    house.asked.clear()
    last, file = house.download(url=f"{_FILMS}/number")
    assert last["status"] == "completed", last
    assert house.asked.count("number-0-002.m4s") == 2 and house.asked.count("number-0-001.m4s") == 1
    assert house.inspect(file.content, "again.mp4").picture.frames == 100


def test_a_piece_that_is_gone_fails_with_the_reason(house: Any) -> None:
    """Nothing is left of the others."""
    (house.media / "hole.m3u8").write_text((house.media / "ts.m3u8").read_text().replace("ts0.ts", "gone.ts"))
    before = house.files()
    last, _ = house.download(url=f"{_FILMS}/hole")
    assert last["status"] == "failed"
    assert "answered 404" in last["error"]
    assert house.files() <= before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('type="static"', 'type="dynamic"', "live stream"),
        ("<SegmentTemplate", "<ContentProtection/><SegmentTemplate", "DRM"),
    ],
)
def test_live_and_protected_streams_are_422_with_the_reason(house: Any, old: str, new: str, words: str) -> None:
    """At once, not after the job has begun."""
    name = words.replace(" ", "")
    (house.media / f"{name}.mpd").write_text((house.media / "number.mpd").read_text().replace(old, new))
    answer = house.post("/video/info", json={"url": f"{_FILMS}/{name}"})
    assert answer.status_code == 422
    assert words in answer.json()["error"]


def test_a_list_that_leads_inside_fails_and_nobody_is_dialled(house: Any) -> None:
    """Each piece is judged like any address."""
    for number, address in enumerate(("http://127.0.0.1:1/x", "file:///etc/passwd", "https://localhost/x")):
        name = f"inside{number}"
        (house.media / f"{name}.m3u8").write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{address}\n#EXT-X-ENDLIST\n"
        )
        last, _ = house.download(url=f"{_FILMS}/{name}")
        assert last["status"] == "failed"
        assert "Refused" in last["error"]

"""What a download can be asked to be, on real files: formats honoured, joined, cut to the frame, converted, named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

_APART = "https://www.newgrounds.com/films/apart"
_WHOLE = "https://www.newgrounds.com/films/whole"


def _name(answer: requests.Response) -> str:
    """The file's name, as a browser would save it."""
    told = answer.headers["content-disposition"]
    return unquote(told.partition("filename*=UTF-8''")[2]) or told.partition('filename="')[2].rstrip('"')


def test_every_format_of_a_tiktok_video_is_honoured(house: Any) -> None:
    """Each id gives the very file it stands for, told by its size; the sound is a sound."""
    post = house.world.post("video", 20)
    formats = house.post("/video/info", json={"url": post.url}).json()["data"]["formats"]
    assert [each["id"] for each in formats][:2] == ["hd", "sd"]
    assert {"wm", "sound"} <= {each["id"] for each in formats}
    for each in formats:
        last, file = house.download(url=post.url, formatId=each["id"])
        assert last["status"] == "completed", last
        assert _name(file).endswith(f"[{post.id}].{each['ext']}")
        if each["filesize"]:
            assert len(file.content) == each["filesize"]


def test_watermark_and_quality(house: Any) -> None:
    """Clean unless asked otherwise; at most so many lines; the best without a wish."""
    url = house.world.post("video", 21).url
    formats = {each["id"]: each for each in house.post("/video/info", json={"url": url}).json()["data"]["formats"]}
    sizes = {name: each["filesize"] for name, each in formats.items()}

    def size(**wishes: Any) -> int:
        return len(house.download(url=url, **wishes)[1].content)

    assert size() == size(quality="best") == size(quality="1080p") == sizes["hd"]
    assert size(quality="720p") == sizes["sd"]
    assert size(quality="540p") == sizes["adapt-540-1"]
    assert size(quality="lowest") == min(value for value in sizes.values() if value)
    marked = size(noWatermark=False)
    assert marked == size(formatId="wm")
    assert marked not in sizes.values()


@pytest.mark.parametrize(
    ("container", "mime", "picture", "sound"),
    [
        ("mp4", "video/mp4", "h264", "aac"),
        ("mkv", "video/x-matroska", "h264", "aac"),
        ("webm", "video/webm", "vp9", "opus"),
        ("mp3", "audio/mpeg", None, "mp3"),
        ("m4a", "audio/mp4", None, "aac"),
        ("wav", "audio/wav", None, "pcm_s16le"),
        ("ogg", "audio/ogg", None, "vorbis"),
        ("flac", "audio/flac", None, "flac"),
    ],
)
def test_every_container(house: Any, container: str, mime: str, picture: str | None, sound: str) -> None:
    """From a page of another platform whose picture and sound are two files."""
    last, file = house.download(url=_APART, format=container)
    assert last["status"] == "completed", last
    assert file.headers["content-type"] == mime
    assert _name(file).endswith(f".{container}")
    found = house.inspect(file.content, f"out.{container}")
    assert (found.picture and found.picture.codec) == picture
    assert found.sound.codec == sound
    assert abs(found.duration - 4) < 0.1


def test_picture_and_sound_are_joined_without_touching_a_frame(house: Any) -> None:
    """The best picture with the sound; both as they were sent, bit for bit."""
    _, file = house.download(url=_APART)
    found = house.inspect(file.content, "joined.mp4")
    assert (found.picture.shown, found.picture.frames, found.sound.codec) == ((640, 360), 100, "aac")
    assert _samples(house, file.content) == _samples(house, (house.media / "v360.mp4").read_bytes())
    assert _name(file).startswith("Picture and sound apart")


def _samples(house: Any, content: bytes) -> bytes:
    """The bytes of the video track, without its container."""
    path = house.folder / "samples.mp4"
    path.write_bytes(content)
    return bytes(house.ffmpeg("-i", path, "-map", "0:v", "-c", "copy", "-f", "h264", "-"))


def test_formats_of_another_platform(house: Any) -> None:
    """Ids, lines, rates as yt-dlp tells them; yt-dlp's own ids are honoured too; a sound alone stays one."""
    data = house.post("/video/info", json={"url": _APART}).json()["data"]
    assert data["platform"] == "newgrounds"
    assert [(each["id"], each["label"], each["fps"]) for each in data["formats"]] == [
        ("yt-v360", "360p (mp4)", 25),
        ("yt-v180", "180p (mp4)", 25),
        ("yt-a96", "96kbps (m4a)", None),
    ]
    house.asked.clear()
    _, low = house.download(url=_APART, formatId="v180")
    assert house.inspect(low.content, "low.mp4").picture.shown == (320, 180)
    assert house.inspect(low.content, "low.mp4").sound is not None
    _, sound = house.download(url=_APART, formatId="yt-a96", format="mp4")
    assert sound.headers["content-type"] == "audio/mp4"
    assert house.asked.count("v360.mp4") == 0
    _, quality = house.download(url=_APART, quality="240p")
    assert house.inspect(quality.content, "q.mp4").picture.shown == (320, 180)


def test_a_post_in_one_file_comes_as_it_is(house: Any) -> None:
    """Byte for byte, where nothing need be changed."""
    _, file = house.download(url=_WHOLE, format="mp4")
    assert file.content == (house.media / "whole.mp4").read_bytes()


@pytest.mark.parametrize(
    ("start", "end", "frames"), [(1.0, 2.0, 25), (None, 0.2, 5), (3.6, None, 10), (0, 60, 100), (0.04, 0.08, 1)]
)
def test_trims_are_exact_to_the_frame(house: Any, start: float | None, end: float | None, frames: int) -> None:
    """At 25 frames a second; an end beyond the file is its end."""
    _, file = house.download(url=_WHOLE, trimStart=start, trimEnd=end)
    found = house.inspect(file.content, "cut.mp4")
    assert found.picture.frames == frames
    assert found.sound is not None


def test_a_trimmed_sound_and_a_trim_with_another_container(house: Any) -> None:
    """Cut and converted in one go."""
    _, file = house.download(url=_APART, format="mp3", trimStart=1, trimEnd=2.5)
    assert abs(house.inspect(file.content, "cut.mp3").duration - 1.5) < 0.06
    _, file = house.download(url=_APART, format="webm", trimStart=1, trimEnd=2)
    assert abs(house.inspect(file.content, "cut.webm").picture.duration - 1) < 0.05


def test_a_trim_beyond_the_end_fails_with_the_reason(house: Any) -> None:
    """In the words of the request."""
    ids = house.post("/video/download", json={"url": _WHOLE, "trimStart": 100}).json()
    last = house.watch(f"/jobs/{ids['jobId']}")[-1]
    assert last["status"] == "failed"
    assert last["error"].startswith("trimStart must be less than the length of 4.00 seconds")


def test_a_photo_post_becomes_a_slideshow_with_its_sound(house: Any) -> None:
    """Three seconds a photo, heard to the end; each photo and the sound can be had alone."""
    post = house.world.post("photo", 1)
    data = house.post("/video/info", json={"url": post.url}).json()["data"]
    photos = [each for each in data["formats"] if each["quality"] == "photo"]
    assert data["formats"][0]["id"] == "slideshow"
    assert data["duration"] == 3 * len(photos)
    last, file = house.download(url=post.url, format="mp4")
    assert last["status"] == "completed", last
    found = house.inspect(file.content, "show.mp4")
    assert abs(found.duration - 3 * len(photos)) < 0.2
    assert "{}x{}".format(*found.picture.shown) == data["formats"][0]["resolution"]
    assert found.sound is not None
    _, photo = house.download(url=post.url, formatId=photos[1]["id"])
    assert photo.headers["content-type"] == "image/jpeg"
    assert _name(photo).endswith(f"[{post.id}] 2.jpg")
    _, sound = house.download(url=post.url, format="mp3")
    assert sound.headers["content-type"] == "audio/mpeg"
    _, same = house.download(url=post.url, formatId="slideshow", trimEnd=1)
    assert abs(house.inspect(same.content, "cut.mp4").duration - 1) < 0.1


@pytest.mark.parametrize(
    ("name", "lines", "kind"), [("stream", 180, "TS"), ("locked", 180, "AES-128"), ("renditions", 360, "two streams")]
)
def test_streams_in_pieces(house: Any, name: str, lines: int, kind: str) -> None:
    """HLS, plain, locked, with its sound apart: whole, and a plain mp4 in the end."""
    url = f"https://www.newgrounds.com/films/{name}"
    data = house.post("/video/info", json={"url": url}).json()["data"]
    assert data["formats"], kind
    last, file = house.download(url=url)
    assert last["status"] == "completed", last
    assert file.headers["content-type"] == "video/mp4"
    found = house.inspect(file.content, f"{name}.mp4")
    assert (found.picture.shown[1], found.picture.frames) == (lines, 100)
    assert found.sound.codec == "aac"
    assert b"moof" not in file.content
    _, sound = house.download(url=url, format="mp3", trimEnd=2)
    assert abs(house.inspect(sound.content, f"{name}.mp3").duration - 2) < 0.06


def test_a_live_stream_is_none(house: Any) -> None:
    """It has no end."""
    last, _ = house.download(url="https://www.newgrounds.com/films/live")
    assert last["status"] == "failed"
    assert "live" in last["error"]


def test_a_page_that_is_not_there_is_422(house: Any) -> None:
    """What yt-dlp makes of a 404."""
    answer = house.post("/video/info", json={"url": "https://www.newgrounds.com/films/nothing"})
    assert answer.status_code == 422
    assert list(answer.json()) == ["error"]


def test_a_file_that_cannot_be_had_fails_with_the_reason(house: Any) -> None:
    """Nothing is left of the attempt."""
    before = house.files()
    post = house.world.post("video", 22)
    house.world.fault(post.id, "cdn:400")
    ids = house.post("/video/download", json={"url": post.url}).json()
    last = house.watch(f"/jobs/{ids['jobId']}")[-1]
    assert last["status"] == "failed"
    assert "No file could be had" in last["error"]
    assert "http" not in last["error"].lower()
    assert house.files() <= before


@pytest.mark.parametrize(
    ("name", "arguments", "file", "lines"),
    [
        ("apart", [], "apart-1.mp4", 360),
        ("stream", ["--audio"], "stream-1.m4a", None),
        ("time", [], "time-1.mp4", 360),
    ],
)
def test_get_takes_the_same_road(
    house: Any, tmp_path: Path, name: str, arguments: list[str], file: str, lines: int | None
) -> None:
    """`clipstead get` joins, strings together and extracts without a server."""
    command = [str(Path(sys.executable).with_name("clipstead")), "get", f"https://www.newgrounds.com/films/{name}"]
    command += ["-o", "{id}.{ext}", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=house.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [file]
    found = house.inspect((tmp_path / file).read_bytes(), file)
    assert (found.picture and found.picture.shown[1]) == lines
    assert found.sound is not None


def test_get_fetches_nothing_twice(house: Any, tmp_path: Path) -> None:
    """A file that is there already is said to be, and nothing but the page is asked for."""
    (tmp_path / "apart-1.mkv").write_bytes(b"x")
    house.asked.clear()
    command = [str(Path(sys.executable).with_name("clipstead")), "get", _APART, "-o", "{id}.{ext}"]
    done = subprocess.run(command, cwd=tmp_path, env=house.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "there already" in done.stdout
    assert set(house.asked) <= {"apart.mpd"}

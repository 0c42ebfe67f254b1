"""The pure steps of the tasks: wishes kept in rows, lanes, names, commands, tools, percentages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from clipstead.capture import Ask
from clipstead.capture.choose import Want
from clipstead.media.inspection import Inspection, Picture, Sound
from clipstead.media.progress import Progress
from clipstead.model import Author, Link, Media, MediaKind, Post
from clipstead.tasks.fetching import name_of
from clipstead.tasks.gauge import Gauge
from clipstead.tasks.joining import command, file_for
from clipstead.tasks.lanes import lane_of
from clipstead.tasks.shaping import Shape, plan
from clipstead.tasks.wish import Wish
from clipstead.tools import BY_NAME
from clipstead.tools.convert import Convert
from clipstead.tools.trim_audio import TrimAudio
from clipstead.tools.trim_video import TrimVideo

H264 = Picture(0, "h264", 640, 360, "yuv420p", 8, 25.0, duration=4.0)
AAC = Sound(1, "aac", 44100, 2, duration=4.0)
VP9, OPUS = replace(H264, codec="vp9"), replace(AAC, codec="opus")
MP4 = Inspection("mp4", 1000, 4.0, H264, AAC)


@pytest.mark.parametrize(
    "wish",
    [
        Wish("https://x.test/1"),
        Wish("https://x.test/1", Ask("yt-137", "mp4", "1080p", watermark=True), 1.5, 9.0, "ytdlp"),
        Wish("https://x.test/1", Ask(container="mp3"), 0.0, 0.5),
    ],
)
def test_a_wish_survives_its_row(wish: Wish) -> None:
    """To JSON and back."""
    assert Wish.of(json.loads(json.dumps(wish.params()))) == wish


@pytest.mark.parametrize(
    ("name", "params", "lane"),
    [
        ("convert", {"outputFormat": "mkv"}, "light"),
        ("convert", {"outputFormat": "mp3"}, "light"),
        ("convert", {"outputFormat": "webm"}, "video"),
        ("compress", {}, "video"),
        ("gif", {"duration": "1"}, "video"),
        ("thumbnail", {}, "light"),
        ("trim-video", {"startTime": "0", "endTime": "9"}, "light"),
        ("trim-video", {"startTime": "1", "endTime": "2"}, "video"),
        ("remove-audio", {}, "light"),
        ("trim-audio", {"startTime": "1", "endTime": "2"}, "light"),
    ],
)
def test_only_encodes_are_few_at_a_time(name: str, params: dict[str, str], lane: str) -> None:
    """By the plan for the very file: what turns out to be a copy goes with the copies."""
    tool: Any = BY_NAME[name].parse(params)
    assert lane_of(tool, tool.plan(MP4, "in", "out")) == lane
    assert lane_of(tool) in (lane, "video")


@pytest.mark.parametrize(
    ("picture", "sound", "suffix"),
    [(H264, AAC, "mp4"), (VP9, OPUS, "webm"), (H264, OPUS, "mkv"), (VP9, AAC, "mkv")],
)
def test_the_file_for_two_tracks(picture: Picture, sound: Sound, suffix: str) -> None:
    """The one that holds both untouched."""
    seen = Inspection("mp4" if picture is H264 else "webm", 1, 4.0, picture)
    heard = Inspection("mp4" if sound is AAC else "webm", 1, 4.0, None, sound)
    assert file_for(seen, heard) == suffix


def test_joining_copies() -> None:
    """One track of each, nothing encoded."""
    made = command(Inspection("mp4", 1, 4.0, H264), "picture", "sound", "joined.mp4", "mp4")
    assert made[made.index("-map") :][:2] == ["-map", "0:V:0"]
    assert [made[at + 1] for at, word in enumerate(made) if word in ("-c:v", "-c:a")] == ["copy", "copy"]
    assert "1:a:0" in made


SOUND_ONLY = Inspection("mp4", 1, 4.0, None, AAC)


@pytest.mark.parametrize(
    ("probe", "shape", "tool", "suffix"),
    [
        (MP4, Shape(), None, ""),
        (MP4, Shape("mp4"), None, ""),
        (MP4, Shape("mp4", (0.0, 4.0)), None, ""),
        (MP4, Shape("mp4", raw=True), Convert, "mp4"),
        (MP4, Shape(raw=True), Convert, "mp4"),
        (MP4, Shape("webm"), Convert, "webm"),
        (MP4, Shape("mp3"), Convert, "mp3"),
        (MP4, Shape("", (1.0, None)), TrimVideo, "mp4"),
        (MP4, Shape("webm", (1.0, 2.0)), TrimVideo, "webm"),
        (MP4, Shape("mp3", (1.0, 2.0)), TrimAudio, "mp3"),
        (SOUND_ONLY, Shape(), None, ""),
        (SOUND_ONLY, Shape("m4a"), None, ""),
        (SOUND_ONLY, Shape("mp4"), None, ""),
        (SOUND_ONLY, Shape("webm"), Convert, "ogg"),
        (SOUND_ONLY, Shape("", (0.0, 1.0)), TrimAudio, "m4a"),
        (SOUND_ONLY, Shape(raw=True), Convert, "m4a"),
    ],
)
def test_what_is_left_to_do(probe: Inspection, shape: Shape, tool: type[Any] | None, suffix: str) -> None:
    """Nothing where the file is what was asked for; else one tool that cuts and converts in one go."""
    made = plan(probe, shape)
    if tool is None:
        assert made is None
        return
    assert isinstance(made, tool)
    assert made.suffix(probe) == suffix


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A title", "A title [1]"),
        ("", "someone [1]"),
        ("../../etc/passwd", "_.._etc_passwd [1]"),
        ("a\x00b\r\nc\u202ed", "a_b__cd [1]"),
        ("字" * 200, "字" * 58 + " [1]"),
    ],
)
def test_names_of_files(title: str, name: str) -> None:
    """Title and id, safe on every disk."""
    post = Post("1", Link("tiktok", "https://x.test"), title=title, author=Author(username="someone"))
    assert name_of(post) == name
    assert name_of(post, Media(MediaKind.IMAGE, "image-2", "")) == f"{name} 2"


def test_percentages_never_go_back() -> None:
    """Two files, a variant that failed, then work: one line that grows; speed and time left from the last seconds."""
    told: list[tuple[float, str | None, float | None]] = []
    now = 0.0

    def tell(percent: float, *, speed: str | None = None, eta: float | None = None) -> None:
        told.append((percent, speed, eta))

    gauge = Gauge(tell, lambda: now, share=50)
    best, other, sound = (Media(MediaKind.VIDEO, name, "", size=1_000_000) for name in ("best", "other", "sound"))
    gauge.expect([Want((best, other)), Want((sound,))])
    for done in (0, 400_000, 800_000):
        gauge.fetched(best, done, 1_000_000)
        now += 0.4
    percent, speed, left = told[-1]
    assert (round(percent, 6), speed, left and round(left, 6)) == (20.0, "1.0MB/s", 1.2)
    gauge.fetched(other, 100_000, 1_000_000)
    now += 1
    gauge.fetched(sound, 500_000, 1_000_000)
    gauge.fetched(other, 1_000_000, 1_000_000)
    gauge.fetched(sound, 1_000_000, 1_000_000)
    assert told[-1][0] == 50
    report = gauge.working(50, 99)
    report(Progress(50, 2.0, 3.5))
    assert told[-1] == (74.5, "2.0x", 3.5)
    report(Progress(100))
    assert told[-1][0] == 99
    assert [percent for percent, _, _ in told] == sorted(percent for percent, _, _ in told)


def test_lengths_that_are_not_told() -> None:
    """No time left is told where it would be made up."""
    told: list[float | None] = []
    clock = iter(range(100))

    def tell(percent: float, *, speed: str | None = None, eta: float | None = None) -> None:
        assert 0 <= percent <= 95
        told.append(eta)

    gauge = Gauge(tell, lambda: next(clock), share=95)
    media = Media(MediaKind.VIDEO, "a", "")
    gauge.expect([Want((media,))])
    for done in range(0, 30_000_000, 3_000_000):
        gauge.fetched(media, done, None)
    assert set(told) == {None}

"""The files the world makes itself are real: ffmpeg decodes every one of them without a word."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clipstead.practice.addresses import SILENT, FileRef
from clipstead.practice.catalog import Catalog
from clipstead.practice.files import VARIANTS, WATERMARKED, Files, Variant, subtitles
from clipstead.practice.jpeg import jpeg
from clipstead.practice.mp3 import mp3
from clipstead.practice.mp4 import Shape, least_size, m4a, mp4, mp4_size


def decode(ffmpeg: str, path: Path) -> str:
    """What ffmpeg says of the file, having proved that it decodes in silence."""
    done = subprocess.run([ffmpeg, "-v", "error", "-i", path, "-f", "null", "-"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return subprocess.run([ffmpeg, "-hide_banner", "-i", path], capture_output=True, text=True).stderr


@pytest.mark.parametrize(
    "shape",
    [
        Shape(1080, 1920, 5, 0),
        Shape(1080, 1920, 5, 200_003),
        Shape(720, 1280, 7, 1_000_000),
        Shape(576, 1024, 4, 60_000, sound=False),
        Shape(1920, 1080, 3, 150_000),
        Shape(64, 112, 2, 0),
    ],
    ids=str,
)
def test_videos_play(shape: Shape, ffmpeg: str, tmp_path: Path) -> None:
    """A video has the wanted size, pixels, seconds and tracks, and decodes without complaint."""
    data = mp4(shape, 0.3, "practice")
    assert (
        len(data)
        == mp4_size(shape)
        == max(shape.size, least_size(shape.width, shape.height, shape.seconds, shape.sound))
    )
    path = tmp_path / "video.mp4"
    path.write_bytes(data)
    said = decode(ffmpeg, path)
    assert f"{shape.width}x{shape.height}" in said
    assert f"Duration: 00:00:0{shape.seconds}.0" in said
    assert ("Audio: aac (LC)" in said) is shape.sound
    assert "h264 (Constrained Baseline)" in said


@pytest.mark.parametrize("size", range(52_000, 52_012))
def test_videos_have_any_wanted_size(size: int) -> None:
    """Sizes just above the least are met to the byte."""
    assert len(mp4(Shape(1080, 1920, 5, size), 0.1, "x")) == size


def test_pictures_decode(ffmpeg: str, tmp_path: Path) -> None:
    """Pictures of odd and even sizes decode to those sizes."""
    for width, height in ((1080, 1350), (101, 57), (16, 16), (720, 1280)):
        path = tmp_path / f"{width}.jpeg"
        path.write_bytes(jpeg(width, height, (1, 128, 255), (254, 2, 90), "practice"))
        assert f"{width}x{height}" in decode(ffmpeg, path)


def test_sounds_decode(ffmpeg: str, tmp_path: Path) -> None:
    """MP3 and M4A sounds decode and have the wanted length."""
    for name, data in (("a.mp3", mp3(12, "Tëst 音", "nobody")), ("b.m4a", m4a(12, "practice"))):
        (tmp_path / name).write_bytes(data)
        assert "Duration: 00:00:12.0" in decode(ffmpeg, tmp_path / name)


def test_every_file_of_a_post_is_its_own_and_stays_the_same() -> None:
    """Two posts never share a file, and the same seed gives the same bytes again."""
    first, again, other = Files(Catalog(1, 60), 120_000), Files(Catalog(1, 60), 120_000), Files(Catalog(2, 60), 120_000)
    posts = [post for post in Catalog(1, 60) if post.kind == "video"][:4]
    variants: list[Variant] = [*VARIANTS, WATERMARKED]
    seen = set()
    for post in posts:
        for variant in variants:
            file = first.get(FileRef(variant.kind, post.id))
            assert file is not None
            assert file == again.get(FileRef(variant.kind, post.id))
            assert len(file.data) == first.video_size(post, variant)
            assert other.get(FileRef(variant.kind, post.id)) is None
            seen.add(file.data)
    assert len(seen) == len(posts) * len(variants)


def test_the_silent_variant_has_no_sound_track(ffmpeg: str, tmp_path: Path) -> None:
    """The variant that a `silent` fault serves lacks the sound and nothing else."""
    catalog = Catalog(1, 60)
    file = Files(catalog, 120_000).get(FileRef("v", catalog[0].id, 0, SILENT))
    assert file is not None
    (tmp_path / "v.mp4").write_bytes(file.data)
    assert "Audio" not in decode(ffmpeg, tmp_path / "v.mp4")


def test_subtitles_are_webvtt() -> None:
    """Captions cover the whole video."""
    post = Catalog(1, 60)[0]
    text = subtitles(post, 0)
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert f"--> 00:00:{post.seconds:02d}.000" in text

"""What a file is comes out of its bytes: kind, ending, codecs, length and size of every format we meet."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from clipstead.errors import BadMedia, StorageError
from clipstead.media import probe, sniff
from clipstead.model import MediaKind

VIDEO, IMAGE, AUDIO, SUBTITLE = MediaKind.VIDEO, MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.SUBTITLE
# name: kind, ext, mime, (width, height), video, audio
KNOWN: Mapping[str, tuple[MediaKind, str, str, tuple[int, int] | None, str | None, str | None]] = {
    "plain.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "h264", "aac"),
    "faststart.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "h264", "aac"),
    "silent.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "h264", None),
    "hevc.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "hevc", "aac"),
    "av1.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "av1", None),
    "mp3-inside.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "h264", "mp3"),
    "fragmented.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "h264", "aac"),
    "dash.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "h264", "aac"),
    "clip.mov": (VIDEO, "mov", "video/quicktime", (320, 180), "h264", "aac"),
    "rotated.mp4": (VIDEO, "mp4", "video/mp4", (180, 320), "h264", "aac"),
    "upside-down.mp4": (VIDEO, "mp4", "video/mp4", (320, 180), "h264", "aac"),
    "clip.webm": (VIDEO, "webm", "video/webm", (320, 180), "vp9", "opus"),
    "clip.mkv": (VIDEO, "mkv", "video/x-matroska", (320, 180), "h264", "aac"),
    "clip.flv": (VIDEO, "flv", "video/x-flv", None, "h263", "mp3"),
    "sound.m4a": (AUDIO, "m4a", "audio/mp4", None, None, "aac"),
    "sound.mp3": (AUDIO, "mp3", "audio/mpeg", None, None, "mp3"),
    "bare.mp3": (AUDIO, "mp3", "audio/mpeg", None, None, "mp3"),
    "half-rate.mp3": (AUDIO, "mp3", "audio/mpeg", None, None, "mp3"),
    "sound.wav": (AUDIO, "wav", "audio/wav", None, None, "pcm"),
    "sound.flac": (AUDIO, "flac", "audio/flac", None, None, "flac"),
    "sound.opus": (AUDIO, "opus", "audio/ogg", None, None, "opus"),
    "sound.ogg": (AUDIO, "ogg", "audio/ogg", None, None, "vorbis"),
    "sound.webm": (AUDIO, "webm", "audio/webm", None, None, "opus"),
    "still.jpg": (IMAGE, "jpg", "image/jpeg", (320, 124), None, None),
    "still.png": (IMAGE, "png", "image/png", (320, 124), None, None),
    "still.gif": (IMAGE, "gif", "image/gif", (320, 124), None, None),
    "still.webp": (IMAGE, "webp", "image/webp", (320, 124), None, None),
    "lossless.webp": (IMAGE, "webp", "image/webp", (320, 124), None, None),
    "moving.webp": (IMAGE, "webp", "image/webp", (320, 124), None, None),
    "still.avif": (IMAGE, "avif", "image/avif", (320, 124), None, None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_real_file_is_described_as_what_it_is(clips: Mapping[str, Path], name: str) -> None:
    kind, ext, mime, size, video, audio = KNOWN[name]
    found = probe(clips[name])
    assert (found.kind, found.ext, found.mime, found.video, found.audio) == (kind, ext, mime, video, audio)
    assert (found.width, found.height) == (size or (None, None))
    assert found.size == clips[name].stat().st_size
    if kind is IMAGE:
        assert found.duration is None
    else:
        assert found.duration == pytest.approx(2.0, abs=0.1)


def test_no_recipe_is_left_out(clips: Mapping[str, Path]) -> None:
    assert set(clips) == set(KNOWN)


def test_the_name_of_a_file_says_nothing(clips: Mapping[str, Path], tmp_path: Path) -> None:
    disguised = tmp_path / "photo.jpg"
    disguised.write_bytes(clips["plain.mp4"].read_bytes())
    assert probe(disguised).ext == "mp4"


def test_recorded_files_of_others_are_understood(samples: Path) -> None:
    found = probe(samples / "media" / "fknives_expected_option_1.mp4")
    assert (found.ext, found.video, found.audio, found.width, found.height) == ("mp4", "h264", "aac", 540, 960)
    assert found.duration == pytest.approx(6.407, abs=0.001)
    assert probe(samples / "media" / "ytdlcore_regular_video.flv").ext == "flv"


CAPTIONS = {
    "vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nこんにちは\n",
    "vtt with a mark": "\ufeffWEBVTT\n\n",
    "srt": "1\r\n00:00:00,000 --> 00:00:01,000\r\nhello\r\n",
    "json": '{"utterances": [{"text": "hi", "start_time": 0, "end_time": 5}]}',
}


@pytest.mark.parametrize("name", CAPTIONS)
def test_subtitles_are_told_by_their_text(tmp_path: Path, name: str) -> None:
    file = tmp_path / "x"
    file.write_text(CAPTIONS[name], "utf-8")
    found = probe(file)
    assert (found.kind, found.ext) == (SUBTITLE, name.split()[0])


NOT_MEDIA = {
    b"<!DOCTYPE html><html><body>Access Denied": "HTML",
    b"\n  <html lang=en>": "HTML",
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>': "XML",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>": "XML",
    b'{"code": -1, "msg": "Url parsing is failed"}': "JSON",
    b'{"utterances": 5}': "JSON",
    b"[" * 100_000: "JSON",
    b"#EXTM3U\n#EXT-X-VERSION:3\n": "playlist",
    b"Forbidden\n": "text",
    b"v=0\r\no=- 0 0 IN IP4 10.0.0.1\r\n": "text",
}


@pytest.mark.parametrize(("content", "sort"), NOT_MEDIA.items(), ids=range(len(NOT_MEDIA)))
def test_text_is_refused_by_its_name(tmp_path: Path, content: bytes, sort: str) -> None:
    file = tmp_path / "x.mp4"
    file.write_bytes(content)
    with pytest.raises(BadMedia, match=rf"^not a media file \({sort}\)$"):
        probe(file)


@pytest.mark.parametrize(
    "content", [b"\x7fELF\2\1\1", b"PK\3\4", b"8BPS\0\1", b"\0" * 5000, b"%PDF-1.7\n\xe2\xe3", b"MZ\x90"]
)
def test_what_no_post_holds_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.mp4"
    file.write_bytes(content)
    with pytest.raises(BadMedia, match="not a media file"):
        probe(file)
    assert sniff(content) is None


def test_an_empty_file_is_no_media(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(BadMedia, match=r"^empty$"):
        probe(tmp_path / "x")


def test_a_file_that_cannot_be_read_is_not_called_bad(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot read nothing"):
        probe(tmp_path / "nothing")


@pytest.mark.parametrize("name", KNOWN)
def test_the_first_64_bytes_tell_the_format(clips: Mapping[str, Path], name: str) -> None:
    """Save for what only the index of an MP4 or WebM can tell: that there is no picture in it."""
    expected = KNOWN[name][1]
    found = sniff(clips[name].read_bytes()[:64])
    assert found is not None
    assert found[0] == {"opus": "ogg"}.get(expected, expected)

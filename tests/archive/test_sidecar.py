"""A sidecar gives back its record, equal, whatever is in it; and nothing that is not whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipstead.archive import layout, sidecar
from clipstead.archive.record import FileRecord, Record, record_of
from clipstead.errors import BadMedia
from clipstead.model import Author, Link, LinkKind, Media, MediaKind, Music, Post, Resolution, Stats

POST = "7387261234567890123"
BASE = f"videos/dt=2026-05-29/author=alice123/{POST}"
WHEN = datetime(2026, 5, 29, 12, 30, 1, 234567, tzinfo=UTC)
RAW = b'{"itemInfo": {"id":"7387261234567890123",  "n": 1E40, "big": 123456789012345678901234567890, "n": 2}}'
RECORD = Record(
    id=POST,
    link=Link("tiktok", f"https://www.tiktok.com/@alice123/video/{POST}", POST),
    source_link="https://vm.tiktok.com/ZMabc12345/",
    author=Author("6811", "alice123", "Alice ✨", "", True, "MS4wLjABAAAA"),
    storage_key=BASE,
    provider="tiktok_web",
    listed_at=WHEN,
    resolved_at=WHEN + timedelta(seconds=1),
    downloaded_at=WHEN + timedelta(seconds=2),
    archived_at=WHEN + timedelta(seconds=3),
    files=(
        FileRecord(MediaKind.VIDEO, "hd", f"{BASE}.mp4", "ab" * 32, 2_000_000, "video/mp4", 576, 1024, "h264", 15.033),
        FileRecord(MediaKind.COVER, "cover", f"covers/dt=2026-05-29/{POST}.jpg", "cd" * 32, 20_000, "image/jpeg"),
        FileRecord(MediaKind.SUBTITLE, "sub-en", f"{BASE}.en.vtt", "ef" * 32, 200, "text/vtt", language="en"),
    ),
    source="@alice123",
    title='日本語 #cold brew \u2028 "quoted" </script>',
    region="US",
    language="en",
    created_at=1_780_000_000,
    duration=15.1,
    stats=Stats(views=2**53 + 1, likes=0, comments=None),
    music=Music("7001", "original sound", "Alice", original=True, duration=14.9),
    tools={"yt-dlp": "2026.10.26", "clipstead": "0.4"},
    attempt=3,
    subtitles="hello\nworld",
    raw=RAW,
)


def test_the_record_comes_back_equal_and_its_bytes_too() -> None:
    data = sidecar.build(RECORD)
    assert sidecar.parse(data) == RECORD
    assert sidecar.build(sidecar.parse(data)) == data
    assert RAW in data  # as it came, not as anybody's JSON library would write it


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"{}", b"[1]", b' {"a": 1}', b'{"a": 1}\n', b'{"a": 1', b"<html>", b"\xff\xfe", b"NaN", b"1e400",
     b'"\\ud800"', b"[" * 200 + b"]" * 200, b"[" * 5000 + b"]" * 5000, b'{"raw":{},"check":"x"}', b"\x00"],
)  # fmt: skip
def test_a_providers_answer_comes_back_byte_for_byte(raw: bytes) -> None:
    record = replace(RECORD, raw=raw)
    assert sidecar.parse(sidecar.build(record)) == record


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


@given(
    title=TEXT,
    handle=TEXT,
    tools=st.dictionaries(TEXT, TEXT, max_size=3),
    views=st.none() | st.integers(0, 2**63 - 1),
    duration=st.none() | st.floats(0, 1e6),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    raw=st.binary(max_size=50)
    | st.recursive(st.integers() | TEXT, st.lists).map(lambda value: json.dumps(value).encode()),
)
def test_any_record_comes_back_equal(
    title: str,
    handle: str,
    tools: dict[str, str],
    views: int | None,
    duration: float | None,
    moment: datetime,
    raw: bytes,
) -> None:
    record = replace(
        RECORD,
        title=title,
        author=replace(RECORD.author, username=handle),
        tools=tools,
        stats=Stats(views=views),
        duration=duration,
        archived_at=moment,
        raw=raw,
    )
    assert sidecar.parse(sidecar.build(record)) == record


@pytest.mark.parametrize("author", ["a\x01", "ab ", "x" * 300])
def test_a_sidecar_that_names_keys_which_no_store_takes_is_none(author: str) -> None:
    base = f"videos/dt=2026-05-29/author={author}/{POST}"
    record = replace(RECORD, storage_key=base, files=(replace(RECORD.files[0], key=f"{base}.mp4"),))
    with pytest.raises(BadMedia, match="no store"):
        sidecar.parse(sidecar.build(record))


def test_files_that_are_larger_together_than_any_database_counts_are_none() -> None:
    video, cover = (replace(file, bytes=2**63 - 1) for file in RECORD.files[:2])
    with pytest.raises(BadMedia, match="size"):
        sidecar.parse(sidecar.build(replace(RECORD, files=(video, cover))))


def test_a_stranger_finds_link_author_and_files_with_any_json_library() -> None:
    found = json.loads(sidecar.build(RECORD))
    assert found["url"] == f"https://www.tiktok.com/@alice123/video/{POST}"
    assert found["source_link"] == "https://vm.tiktok.com/ZMabc12345/"
    assert (found["author"]["username"], found["author"]["id"]) == ("alice123", "6811")
    assert found["archived_at"] == "2026-05-29T12:30:04.234567Z"
    assert found["files"][0]["sha256"] == "ab" * 32
    assert found["raw"]["itemInfo"]["id"] == POST
    assert (found["format"], found["version"]) == ("clipstead-post", 1)


def test_every_flipped_bit_is_found() -> None:
    data = sidecar.build(replace(RECORD, raw=b'{"a":[1,2]}'))
    for place in range(len(data)):
        for bit in (0, 5):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            with pytest.raises(BadMedia):
                sidecar.parse(bytes(flipped))


def test_every_cut_is_found() -> None:
    data = sidecar.build(RECORD)
    for end in range(len(data)):
        with pytest.raises(BadMedia):
            sidecar.parse(data[:end])
    with pytest.raises(BadMedia):
        sidecar.parse(data + b"\n")


def forged(**changes: object) -> bytes:
    """A sidecar whose check fits, with something in it that we would not have written."""
    fields = json.loads(sidecar.build(replace(RECORD, raw=b"")))
    del fields["check"]
    return sidecar._sealed(json.dumps({**fields, **changes}, indent=2).encode() + b"\n")


FILE = json.loads(sidecar.build(RECORD))["files"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"version": 2},
        {"id": "1"},
        {"id": None},
        {"storage_key": "../../etc/passwd"},
        {"storage_key": f"videos/dt=2026-05-29/author=bob/{POST}"},
        {"files": []},
        {"files": [FILE, FILE]},
        {"files": [{**FILE, "key": "../x"}]},
        {"files": [{**FILE, "key": f"{BASE}.json"}]},
        {"files": [{**FILE, "key": "videos/dt=2026-05-29/author=alice123/1.mp4"}]},
        {"files": [{**FILE, "sha256": "x"}]},
        {"files": [{**FILE, "bytes": -1}]},
        {"files": [{**FILE, "kind": "virus"}]},
        {"title": "a\x00b"},
        {"tools": {"a\x00": "b"}},
        {"author": {"username": "\x00"}},
        {"archived_at": "2026-05-29T12:30:04"},
        {"archived_at": "yesterday"},
        {"raw_base64": "!"},
        {"attempt": "3"},
    ],
    ids=str,
)
def test_what_we_would_not_have_written_is_refused(changes: dict[str, object]) -> None:
    assert sidecar.parse(forged()) == replace(RECORD, raw=b"")
    with pytest.raises(BadMedia):
        sidecar.parse(forged(**changes))


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff", b"[" * 100_000, b"<html>", b"\n}\n"])
def test_what_is_no_sidecar_is_refused(data: bytes) -> None:
    with pytest.raises(BadMedia):
        sidecar.parse(data)
    with pytest.raises(BadMedia):
        sidecar.parse(sidecar._sealed(data))


def test_a_time_of_another_zone_is_the_same_time() -> None:
    there = replace(RECORD, archived_at=WHEN.astimezone(timezone(timedelta(hours=9))))
    assert sidecar.parse(sidecar.build(there)) == there


def test_a_captured_post_becomes_a_record_without_addresses_and_with_texts_that_any_database_takes() -> None:
    media = Media(MediaKind.VIDEO, "hd", "https://cdn.example/SIGNED", cookies={"tt": "COOKIE"})
    post = Post(
        POST,
        Link("tiktok", RECORD.link.url, POST, LinkKind.POST),
        title="a\x00b\ud800",
        author=Author("1", "al\x00ice", avatar="https://cdn.example/SIGNED"),
        media=(media,),
        music=Music("1", "so\x00und", cover="https://cdn.example/SIGNED"),
        raw=b"{}",
    )
    record = record_of(
        Resolution(post, "tiktok_web"),
        RECORD.files,
        post_id=POST,
        source_link=RECORD.source_link,
        storage_key=BASE,
        listed_at=WHEN,
        resolved_at=WHEN,
        downloaded_at=WHEN,
        archived_at=WHEN,
        subtitles="x\x00",
        tools={"clipstead": "1"},
    )
    data = sidecar.build(record)
    assert sidecar.parse(data) == record
    assert b"SIGNED" not in data
    assert b"COOKIE" not in data
    assert (record.title, record.author.username, record.subtitles) == ("ab?", "alice", "x")
    assert record.main.kind is MediaKind.VIDEO
    assert record.bytes == 2_020_200


def test_the_main_file_is_the_video_then_the_first_photo() -> None:
    def of(*kinds: MediaKind) -> Record:
        pieces = [layout.Piece(kind, "bin") for kind in kinds]
        keys = zip(kinds, layout.files_of(BASE, pieces), strict=True)
        return replace(RECORD, files=tuple(FileRecord(kind, "v", key, "0" * 64, 1) for kind, key in keys))

    assert of(MediaKind.COVER, MediaKind.AUDIO, MediaKind.IMAGE, MediaKind.IMAGE).main.key == f"{BASE}_01.bin"
    assert of(MediaKind.COVER, MediaKind.VIDEO).main.kind is MediaKind.VIDEO
    assert of(MediaKind.COVER).main.kind is MediaKind.COVER

"""Damaged, cut and invented files end in BadMedia, or are described; nothing else is ever raised, nothing runs away."""

import random
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipstead.errors import BadMedia
from clipstead.media import Probe, sniff
from clipstead.media.probe import examine
from clipstead.media.sniff import textual
from clipstead.media.source import Source

# Formats that carry no length of the whole and no end mark: a cut in them is the download's business to notice.
ENDLESS = {"bare.mp3", "sound.flac"}
# Formats whose length is told to the frame, page or fragment only.
COARSE = {"sound.mp3", "half-rate.mp3", "sound.ogg", "sound.opus", "clip.flv", "fragmented.mp4", "dash.mp4"}
MAGICS = (
    b"\0\0\0\x18ftypisom", b"\0\0\0\x18ftypavif", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a",
    b"RIFF\xff\0\0\0WEBPVP8X",
    b"RIFF\xff\0\0\0WAVE", b"ID3\4\0\0\0\0\0\0", b"\xff\xfb\x90\x64", b"OggS", b"fLaC", b"FLV\1\5", b"\x1aE\xdf\xa3",
    b"WEBVTT", b"{", b"<", b"",
)  # fmt: skip


def look(data: bytes) -> Probe | None:
    """What is found, None for BadMedia."""
    try:
        return examine(Source(BytesIO(data), len(data)))
    except BadMedia:
        return None


@given(st.sampled_from(MAGICS), st.binary(max_size=3000))
def test_anything_after_a_good_beginning_is_survived(magic: bytes, rest: bytes) -> None:
    look(magic + rest)
    sniff(magic + rest)
    textual(magic + rest)


def test_a_cut_anywhere_is_noticed(clips: Mapping[str, Path]) -> None:
    """Except in formats that cannot tell; those are named here."""
    chance = random.Random(seed := random.randrange(1 << 32))
    print("seed", seed)
    for name, path in clips.items():
        data = path.read_bytes()
        cuts = [len(data) - 1, len(data) // 2, 100, 20, 9, 1, *(chance.randrange(1, len(data)) for _ in range(60))]
        missed = [cut for cut in cuts if look(data[:cut]) is not None]
        if name not in ENDLESS:
            assert len(missed) <= (10 if name in COARSE else 0), (name, len(data), missed)


def test_a_file_with_bytes_changed_is_survived(clips: Mapping[str, Path]) -> None:
    chance = random.Random(seed := random.randrange(1 << 32))
    print("seed", seed)
    for path in clips.values():
        data = path.read_bytes()
        for _ in range(120):
            broken = bytearray(data)
            reach = min(chance.choice((32, 1000, len(data))), len(data))
            for _ in range(chance.choice((1, 4, 40))):
                broken[chance.randrange(reach)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            look(bytes(broken))


def test_parts_moved_doubled_and_left_out_are_survived(clips: Mapping[str, Path]) -> None:
    chance = random.Random(seed := random.randrange(1 << 32))
    print("seed", seed)
    for path in clips.values():
        data = path.read_bytes()
        for _ in range(60):
            a, b, c = sorted(chance.randrange(len(data)) for _ in range(3))
            look(chance.choice((data[:a] + data[b:], data[:b] + data[a:], data[:a] + data[b:c] + data[a:b] + data[c:])))


@pytest.mark.parametrize("endless", [b"\0\0\0\x08free", b"\0\0\0\x08mdat", b"\0\0\0\x08moof"])
def test_a_file_of_nothing_but_boxes_has_an_end(endless: bytes) -> None:
    data = b"\0\0\0\x10ftypisom\0\0\0\0" + endless * 2_000_000
    assert look(data) is None


def test_a_jpeg_of_nothing_but_segments_has_an_end() -> None:
    assert look(b"\xff\xd8\xff\xe0\0\x02" + b"\xff\xe0\0\x02" * 1_000_000) is None
    assert look(b"\xff\xd8" + b"\xff" * 1_000_000) is None

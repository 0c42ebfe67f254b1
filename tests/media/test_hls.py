"""Playlist -> pieces."""

from __future__ import annotations

import pytest

from clipstead.errors import BadMedia
from clipstead.media.hls import MOST_PIECES, Lock, Piece, parse

URL = "https://cdn.test/a/list.m3u8?x=1"


def _list(*lines: str, end: str = "#EXT-X-ENDLIST") -> str:
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:6", *lines, end])


def test_plain_pieces() -> None:
    """Relative, absolute and other hosts' addresses; numbers go on from the first."""
    text = _list(
        "#EXT-X-MEDIA-SEQUENCE:7", "#EXTINF:4,", "0.ts", "#EXTINF:4,", "/b/1.ts", "#EXTINF:1,", "//c.test/2.ts"
    )
    assert parse(text, URL) == (
        Piece("https://cdn.test/a/0.ts", 7),
        Piece("https://cdn.test/b/1.ts", 8),
        Piece("https://c.test/2.ts", 9),
    )


def test_ranges_of_one_file() -> None:
    """With a start, and going on where the last one ended; the head too."""
    text = _list(
        '#EXT-X-MAP:URI="f.mp4",BYTERANGE="100@0"', "#EXT-X-BYTERANGE:50@100", "f.mp4", "#EXT-X-BYTERANGE:30", "f.mp4"
    )
    assert [piece.span for piece in parse(text, URL)] == [(0, 99), (100, 149), (150, 179)]


def test_what_the_list_says_is_missing_is_not_asked_for() -> None:
    """But it counts."""
    pieces = parse(_list("0.ts", "#EXT-X-GAP", "#EXTINF:4,", "1.ts", "2.ts"), URL)
    assert [(piece.url[-4:], piece.number) for piece in pieces] == [("0.ts", 0), ("2.ts", 2)]


def test_locks() -> None:
    """From where they stand until told otherwise; an untold vector is the piece's number."""
    text = _list(
        "0.ts",
        '#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x0A',
        "1.ts",
        '#EXT-X-KEY:METHOD=AES-128,URI="https://k.test/2"',
        "2.ts",
        "#EXT-X-KEY:METHOD=NONE",
        "3.ts",
    )
    first, second, third, fourth = parse(text, URL)
    assert (first.lock, fourth.lock) == (None, None)
    assert second.lock == Lock("https://cdn.test/a/k1", bytes(15) + b"\x0a")
    assert third.lock == Lock("https://k.test/2")
    assert third.vector == (2).to_bytes(16, "big")


def test_the_head_comes_once() -> None:
    """Told again after a break, it is the same one; another one begins another part, as a break does."""
    head = '#EXT-X-MAP:URI="i.mp4"'
    pieces = parse(_list(head, "0.m4s", "#EXT-X-DISCONTINUITY", head, "1.m4s"), URL)
    assert [(piece.url.rpartition("/")[2], piece.part) for piece in pieces] == [
        ("i.mp4", 0),
        ("0.m4s", 0),
        ("1.m4s", 1),
    ]
    other = '#EXT-X-MAP:URI="j.mp4"'
    pieces = parse(_list("#EXT-X-DISCONTINUITY", head, "0", other, "1", "#EXT-X-DISCONTINUITY", head, "2"), URL)
    assert [piece.part for piece in pieces] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "not a playlist"),
        ("<html>", "not a playlist"),
        (_list(), "without pieces"),
        (_list("0.ts", end=""), "still live"),
        (_list("#EXT-X-STREAM-INF:BANDWIDTH=1", "v.m3u8"), "a list of streams"),
        (_list('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"', "0.ts"), "protected"),
        (_list('#EXT-X-KEY:METHOD=AES-128,KEYFORMAT="com.apple.streamingkeydelivery",URI="x"', "0.ts"), "protected"),
        (_list("#EXT-X-KEY:METHOD=AES-128", "0.ts"), "protected"),
        (_list("#EXT-X-BYTERANGE:x", "0.ts"), "cannot be read"),
        (_list("#EXT-X-BYTERANGE:0@0", "0.ts"), "cannot be read"),
        (_list(*["0.ts"] * (MOST_PIECES + 1)), "too many pieces"),
    ],
)
def test_what_is_refused(text: str, error: str) -> None:
    """Each with its reason."""
    with pytest.raises(BadMedia, match=error):
        parse(text, URL)

"""Range headers: one range, well formed, inside the file; all else is answered in full or 416."""

import pytest

from clipstead.server.ranges import Sent, Span, Unsatisfiable, asked, sent


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        (None, 100, None),
        ("bytes=0-", 100, Span(0, 99)),
        ("bytes=0-0", 100, Span(0, 0)),
        ("Bytes = 10 - 19", 100, Span(10, 19)),
        ("bytes=90-1000", 100, Span(90, 99)),
        ("bytes=-30", 100, Span(70, 99)),
        ("bytes=-300", 100, Span(0, 99)),
        ("bytes=5-", None, Span(5, None)),
        ("bytes=5-9", None, Span(5, 9)),
        ("bytes=-30", None, None),
        ("bytes=9-5", 100, None),
        ("bytes=-", 100, None),
        ("bytes=0-1,5-9", 100, None),
        ("bytes=" + ",".join(["0-0"] * 5000), 100, None),
        ("items=0-5", 100, None),
        ("bytes=a-b", 100, None),
        ("bytes=٣-٤", 100, None),
        ("bytes=0-" + "9" * 30, 100, None),
    ],
)
def test_what_is_asked(header: str | None, size: int | None, expected: Span | None) -> None:
    """Each form with its meaning."""
    assert asked(header, size) == expected


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=100-200", 100), ("bytes=-0", 100), ("bytes=-5", 0)]
)
def test_beyond_the_file(header: str, size: int) -> None:
    """Well formed, but nothing of it is there."""
    with pytest.raises(Unsatisfiable):
        asked(header, size)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes 0-9/100", Sent(0, 9, 100)),
        (" bytes 5-5/6 ", Sent(5, 5, 6)),
        ("bytes 0-9/*", None),
        ("bytes */100", None),
        ("bytes 9-0/100", None),
        ("bytes 0-100/100", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_what_was_sent(header: str | None, expected: Sent | None) -> None:
    """A part that cannot be placed is no part."""
    assert sent(header) == expected

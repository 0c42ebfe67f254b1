"""Look-alikes and broken links are refused, one and all, before anything could be sent anywhere.

tests/data/hostile_links.txt holds one JSON string a line: host tricks, addresses in every spelling, userinfo, ports,
schemes and slashes, control characters, backslashes, two hosts in one word, climbing paths, ids that are none.
"""

import json
import re
from pathlib import Path

import pytest

from clipstead.errors import UnsupportedLink
from clipstead.resolve.links import LONGEST_TEXT, parse

GOOD = "https://www.tiktok.com/@user/video/7106594312292453675"


@pytest.fixture(scope="module")
def hostile(repository: Path) -> list[str]:
    """All forms of the data file."""
    lines = (repository / "tests" / "data" / "hostile_links.txt").read_text(encoding="ascii").splitlines()
    return [json.loads(line) for line in lines]


def test_every_hostile_form_is_refused(hostile: list[str]) -> None:
    """More than 500 different ones, and not one becomes a Link."""
    assert len(hostile) == len(set(hostile)) > 500
    accepted = []
    for form in hostile:
        try:
            accepted.append(f"{form!a} -> {parse(form)}")
        except UnsupportedLink as error:
            assert str(error).isascii()
            assert len(str(error)) < 300
    assert not accepted, "\n".join(accepted)


def test_a_good_link_is_found_beside_any_hostile_word(hostile: list[str]) -> None:
    """A caption is many words: the hostile one is passed over. (A control character spoils the whole text.)"""
    for form in hostile:
        if not re.search(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]", form):
            assert parse(f"look {form} and {GOOD} !") == parse(GOOD), ascii(form)


@pytest.mark.parametrize(
    "filler", ["a", "a.", "https://", "/", "看", "a/. ", "\n", "@", "https://www.tiktok.com/@u/v "]
)
def test_text_of_any_size_is_refused_unread(filler: str) -> None:
    """100 KB of anything around a good link is not searched at all."""
    text = filler * (100_000 // len(filler))
    for hostile_text in (text, text + GOOD, GOOD + text, f"{text} {GOOD}", f"{GOOD} {text}"):
        with pytest.raises(UnsupportedLink, match="too long"):
            parse(hostile_text)


def test_a_long_caption_is_still_read() -> None:
    """The longest caption TikTok allows is half of what we read."""
    assert parse("so good! " * ((LONGEST_TEXT - len(GOOD)) // 9) + GOOD) == parse(GOOD)


@pytest.mark.parametrize("code", [*range(32), *range(127, 160), 0xD800, 0xDFFF])
@pytest.mark.parametrize("at", [4, 8, 11, 22, 25, 29, 34, 40])
def test_a_control_character_inside_a_link_is_never_read_over(code: int, at: int) -> None:
    """Browsers drop tabs and line breaks from a link, others cut there: we refuse."""
    with pytest.raises(UnsupportedLink):
        parse(GOOD[:at] + chr(code) + GOOD[at:])


@pytest.mark.parametrize("text", ["", " ", "\n\t", "hello", "hello world", "see tiktok.com", "and/or e.g. x.y/z"])
def test_text_without_a_link_says_so(text: str) -> None:
    """No link, no guess."""
    with pytest.raises(UnsupportedLink):
        parse(text)

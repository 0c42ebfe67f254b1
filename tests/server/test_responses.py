"""File names in headers and paths, whatever people call themselves."""

import re
from urllib.parse import unquote

import pytest

from clipstead.server.responses import disposition, plain_name

NAMES = [
    "plain.mp4",
    'quo"te\\s.mp4',
    "line\r\nSet-Cookie: a=b.mp4",
    "../../etc/passwd",
    "right\u202eto\u2066left.mp4",
    "émoji 🌍 名前.mp4",
    "x" * 400 + ".mp4",
    "名" * 200,
    "per%cent.mp4",
    "semi;colon=1, comma.mp4",
    "",
    "\x00\x01",
    "CON",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_never_breaks_its_header(name: str) -> None:
    """Only printable ASCII, one quoted string, no separators of paths, at most 255 bytes once decoded."""
    header = disposition(name)
    match = re.fullmatch(
        r'attachment; filename="([\x20-\x7e]+?)"(?:; filename\*=UTF-8\'\'([A-Za-z0-9%._~-]+))?', header
    )
    assert match is not None
    plain, extended = match.groups()
    real = unquote(extended) if extended else plain
    assert not set(plain) & set('"\\/')
    assert not set(real) & set("/\\\r\n\x00\u202e\u2066")
    assert 0 < len(real.encode()) <= 255


def test_plain_names_have_one_form_only() -> None:
    """ASCII needs no second form; inline is said where asked for."""
    assert disposition("a b.mp4") == 'attachment; filename="a b.mp4"'
    assert disposition("a.mp4", inline=True) == 'inline; filename="a.mp4"'
    assert disposition("é.mp4") == "attachment; filename=\"_.mp4\"; filename*=UTF-8''%C3%A9.mp4"


@pytest.mark.parametrize("name", NAMES)
def test_names_in_paths_need_no_escape(name: str) -> None:
    """Letters, digits, dots, dashes."""
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,120}", plain_name(name))
    assert not plain_name(name).startswith(".")

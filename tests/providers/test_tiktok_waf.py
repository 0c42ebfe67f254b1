"""TikTok's challenge page: found, solved and answered as a browser would."""

import base64
import hashlib
import json
from typing import Any

import pytest

from clipstead.errors import ProviderFailed
from clipstead.resolve.tiktok import waf

SALT = b"some salt of theirs"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def challenge_page(answer: int, *, order: str = "id first", **changes: Any) -> bytes:
    digest = hashlib.sha256(SALT + str(answer).encode()).digest()
    body = {
        "v": {"a": encoded(SALT), "b": "1", "c": encoded(digest)},
        "s": "kept as it is",
        "long": "x" * 900,
        **changes,
    }
    told = encoded(json.dumps(body, separators=(",", ":")).encode()).rstrip("=")
    element = '<p id="{0}" class="{1}"></p>' if order == "id first" else "<p class='{1}' style='display:none' id='{0}'>"
    elements = {"cs": told, "wci": "_wafchallengeid", "rci": "waforiginalreid", "rs": "2026-abc_DEF"}
    inner = "".join(element.format(name, value) for name, value in elements.items())
    return f"<html><title>Please wait...</title><body>{inner}<script>w()</script></body></html>".encode()


@pytest.mark.parametrize("order", ["id first", "class first"])
def test_a_challenge_is_found_solved_and_answered(order: str) -> None:
    """The answer is the challenge itself with `d` added, named as the page says; a second cookie goes along."""
    challenge = waf.find(challenge_page(4711, order=order))
    assert challenge is not None
    assert waf.search(challenge, 0, 4711) is None
    assert waf.search(challenge, 4000, 5000) == 4711
    cookies = waf.cookies(challenge, 4711)
    assert set(cookies) == {"_wafchallengeid", "waforiginalreid"}
    assert cookies["waforiginalreid"] == "2026-abc_DEF"
    answer = json.loads(base64.b64decode(cookies["_wafchallengeid"]))
    assert base64.b64decode(answer.pop("d")) == b"4711"
    assert answer == challenge.body
    assert answer["s"] == "kept as it is"


@pytest.mark.parametrize("answer", [0, waf.LIMIT])
def test_the_ends_of_the_range_are_searched_too(answer: int) -> None:
    challenge = waf.find(challenge_page(answer))
    assert challenge is not None
    assert waf.search(challenge, max(0, answer - 10), answer + 1) == answer


def test_a_second_cookie_is_optional_and_must_be_fit_for_a_header() -> None:
    page = challenge_page(1).replace(b"2026-abc_DEF", b"x; Domain=evil.test")
    challenge = waf.find(page)
    assert challenge is not None
    assert set(waf.cookies(challenge, 1)) == {"_wafchallengeid"}


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>nothing</html>",
        b"<html><p id='csx' class='abc'></p></html>",
        b"<html><p id='cs'></p></html>",
        b"<p id=cs class=e30>" + b"x" * 100_000,
    ],
)
def test_other_pages_are_no_challenge(page: bytes) -> None:
    assert waf.find(page) is None


@pytest.mark.parametrize(
    "page",
    [
        b'<p id="cs" class="bm90IGpzb24"></p>',
        b'<p id="cs" class="!!!"></p>',
        b'<p id="cs" class="e30="></p><p id="wci" class="name"></p>',
        challenge_page(1).replace(b"_wafchallengeid", b"a name; with more"),
        challenge_page(1).replace(b'id="wci"', b'id="other"'),
    ],
)
def test_a_challenge_of_another_shape_is_a_failure_and_no_crash(page: bytes) -> None:
    with pytest.raises(ProviderFailed):
        waf.find(page)

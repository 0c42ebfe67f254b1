"""ClipX's golden requests: each answered to the letter, each marked with where it comes from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

CASES: list[dict[str, Any]] = orjson.loads(Path(__file__).with_name("cases.json").read_bytes())
SOURCES = ("seed", "sibling", "inferred", "decision")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_golden(clipx: Any, unlike: Callable[[Any, bytes, str], list[str]], case: dict[str, Any]) -> None:
    """Status, headers, exact keys, exact values; `repeat` asks several times and looks at the last answer."""
    request = case["request"]
    for _ in range(case.get("repeat", 1)):
        status, headers, body = await clipx.ask(request["method"], request["target"], request.get("headers", {}))
    assert status == case["status"], body
    assert {name: headers.get(name) for name in case.get("headers_expected", {})} == case.get("headers_expected", {})
    if "body" in case:
        assert unlike(case["body"], body, clipx.base) == []
        assert b"null" not in body
    else:
        assert body == b""


def test_every_case_says_where_it_comes_from() -> None:
    """A seed, a sibling of it, our inference, or a decision; and no two bear one name."""
    assert all(case["from"].startswith(SOURCES) for case in CASES)
    assert len({case["name"] for case in CASES}) == len(CASES)

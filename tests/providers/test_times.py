"""A post's time is one that a calendar knows, or it is not told: whatever a provider writes there."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from clipstead.model import Link
from clipstead.resolve import tikwm_shape, ytdlp_post
from clipstead.resolve.tiktok import embed, item

LINK = Link("tiktok", "https://www.tiktok.com/@_/video/7500000000000000001", "7500000000000000001")
URL = "https://v16.tiktokcdn.com/a"


def _item(when: object) -> int | None:
    told = {"id": LINK.post_id, "createTime": when, "video": {"playAddr": URL}}
    return item.build(json.dumps(told).encode(), LINK).created_at


def _embed(when: object) -> int | None:
    info = {"id": LINK.post_id, "createTime": when, "video": {"urls": [URL]}}
    state = json.dumps({"source": {"data": {"/x": {"videoData": {"itemInfos": info}}}}})
    page = f'<script id="__FRONTITY_CONNECT_STATE__" type="application/json">{state}</script>'
    return embed.parse(page.encode(), LINK).created_at


def _tikwm(when: object) -> int | None:
    told = {"id": LINK.post_id, "create_time": when, "play": URL}
    return tikwm_shape.parse(json.dumps(told).encode(), LINK, base="https://www.tikwm.com", who="TikWM").created_at


def _ytdlp(when: object) -> int | None:
    info: dict[str, Any] = {"id": "1", "timestamp": when, "url": URL, "ext": "mp4", "protocol": "https"}
    return ytdlp_post.parse(info, LINK).created_at


@pytest.mark.parametrize("created_at", [_item, _embed, _tikwm, _ytdlp])
def test_impossible_times_count_as_not_told(created_at: Callable[[object], int | None]) -> None:
    """Milliseconds and rubbish would make a date that no calendar has, and so a crash where it is shown."""
    assert created_at(1_746_230_000) == 1_746_230_000
    assert created_at("1746230000") == 1_746_230_000
    for when in (1_746_230_000_000, "1746230000000", 10**17, 10**30, -5, 0, 253_402_300_800, None, "soon"):
        assert created_at(when) is None, when

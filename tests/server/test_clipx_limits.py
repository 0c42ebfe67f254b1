"""ClipX's limits over HTTP: ten a minute, a hundred a day, by who really asks."""

from collections.abc import Awaitable, Callable
from typing import Any

from clipstead.errors import PostUnavailable

VIDEO_ID = "7608826249200356630"
LINK = f"https://www.tiktok.com/@someone/video/{VIDEO_ID}"
EIGHT = {
    "remaining",
    "reset_time",
    "limit",
    "window_ms",
    "daily_remaining",
    "daily_reset_time",
    "daily_limit",
    "daily_window_ms",
}
Build = Callable[..., Awaitable[Any]]


async def test_the_eleventh_in_a_minute_is_refused_in_eight_figures(build: Build) -> None:
    """Cached answers and lane answers count like any other; a refused one does not."""
    stage = await build()
    replies = [await stage.get(f"/?url={LINK}") for _ in range(12)]
    assert [reply.status for reply in replies] == [200] * 10 + [429] * 2
    assert stage.app.hits == 8
    body = replies[-1].json
    assert (body["success"], body["error"], body["status_code"]) == (False, "Rate limit exceeded", 429)
    assert set(body["rate_limit"]) == EIGHT
    assert body["rate_limit"] == {
        "remaining": 0,
        "reset_time": round((stage.clock.now + 60) * 1000),
        "limit": 10,
        "window_ms": 60_000,
        "daily_remaining": 90,
        "daily_reset_time": round((stage.clock.now + 86_400) * 1000),
        "daily_limit": 100,
        "daily_window_ms": 86_400_000,
    }
    assert set(body) == {"success", "error", "status_code", "rate_limit", "contact"}
    assert replies[-1].headers["retry-after"] == "60"
    stage.clock.now += 59.5
    refused = await stage.get(f"/?url={LINK}")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    stage.clock.now += 0.5
    assert (await stage.get(f"/?url={LINK}")).status == 200


async def test_a_hundred_a_day_and_no_more(build: Build) -> None:
    """However they are spread; the next one when the first is a day old."""
    stage = await build()
    begin = stage.clock.now
    statuses = []
    for _ in range(105):
        statuses.append((await stage.get(f"/?url={LINK}")).status)
        stage.clock.now += 7
    assert statuses == [200] * 100 + [429] * 5
    last = await stage.get(f"/?url={LINK}")
    assert int(last.headers["retry-after"]) == begin + 86_400 - stage.clock.now
    stage.clock.now = begin + 86_400
    assert (await stage.get(f"/?url={LINK}")).status == 200


async def test_status_help_stats_and_bad_requests_cost_nothing(build: Build) -> None:
    """Only what is looked up counts, be it found or not."""
    stage = await build()
    for query in ("rate_limit=true", "help=true", "stats=true", "", "url=nonsense", f"url={LINK}&quality=4k"):
        for _ in range(5):
            await stage.get(f"/?{query}")
    assert await _remaining(stage) == 10
    stage.provider.posts[VIDEO_ID] = PostUnavailable("deleted")
    assert (await stage.get(f"/?url={LINK}")).status == 404
    assert await _remaining(stage) == 9


async def test_a_thousand_forged_headers_are_one_client(build: Build) -> None:
    """From a peer that is no trusted proxy the forwarding header means nothing."""
    stage = await build(clipx_per_minute=5)
    statuses = [
        (await stage.get(f"/?url={LINK}", headers={"X-Forwarded-For": f"10.{n % 256}.{n // 256}.7"})).status
        for n in range(1000)
    ]
    assert statuses.count(200) == 5
    assert statuses[:5] == [200] * 5


async def test_behind_a_trusted_proxy_each_client_has_its_own(build: Build) -> None:
    """The rightmost hop counts; what the client wrote to its left does not help it."""
    stage = await build(clipx_per_minute=2, trusted_proxies=("127.0.0.0/8",))
    for client in ("203.0.113.1", "203.0.113.2", "2001:db8:7::1"):
        statuses = [
            (await stage.get(f"/?url={LINK}", headers={"X-Forwarded-For": f"9.9.9.{n}, {client}"})).status
            for n in range(3)
        ]
        assert statuses == [200, 200, 429]
    neighbour = await stage.get(f"/?url={LINK}", headers={"X-Forwarded-For": "2001:db8:7::ffff"})
    assert neighbour.status == 429


async def test_a_token_lifts_the_limits(build: Build) -> None:
    """On router and lane; a wrong one lifts nothing; with a right one nothing is counted."""
    stage = await build(clipx_per_minute=1, clipx_unlimited_tokens=("first-token", "second-token"))
    for token in ("first-token", "second-token"):
        for _ in range(4):
            reply = await stage.get(f"/?url={LINK}&rate_limit=true", headers={"X-ClipX-Unlimited": token})
            assert reply.status == 200
            assert reply.json["rate_limit"]["unlimited"] is True
            assert reply.json["rate_limit"]["allowed"] is True
    assert stage.app.hits > 0
    status = await stage.get("/?rate_limit=true", headers={"X-ClipX-Unlimited": "first-token"})
    assert status.json["data"]["rate_limit"]["unlimited"] is True
    statuses = [
        (await stage.get(f"/?url={LINK}", headers={"X-ClipX-Unlimited": "first-toke"})).status for _ in range(2)
    ]
    assert statuses == [200, 429]


async def test_limits_of_zero_are_no_limits(build: Build) -> None:
    """And are shown as figures that no client takes for spent."""
    stage = await build(clipx_per_minute=0, clipx_per_day=0)
    for _ in range(30):
        assert (await stage.get(f"/?url={LINK}")).status == 200
    shown = (await stage.get("/?rate_limit=true")).json["data"]["rate_limit"]
    assert (shown["unlimited"], shown["allowed"]) == (True, True)
    assert shown["remaining"] == shown["limit"] == 2**53 - 1


async def test_the_status_with_a_link_counts_that_link(build: Build) -> None:
    """In both places where clients look for it, first answer, cached answer and lane alike."""
    stage = await build()
    for left in (9, 8, 7, 6):
        body = (await stage.get(f"/?url={LINK}&rate_limit=1")).json
        assert body["rate_limit"] == body["data"]["rate_limit"]
        assert (body["rate_limit"]["remaining"], body["rate_limit"]["daily_remaining"]) == (left, left + 90)
        assert set(body["rate_limit"]) == EIGHT | {"unlimited", "allowed"}


async def _remaining(stage: Any) -> int:
    status = (await stage.get("/?rate_limit=true")).json["data"]["rate_limit"]
    remaining: int = status["remaining"]
    return remaining

"""Log lines: one a request, JSON where asked, and no secret in any."""

import io
import logging
from typing import Any

import orjson
import pytest

from clipstead.server.logs import EventLogger, redacted

VIDEO_ID = "7608826249200356630"
LINK = f"https://www.tiktok.com/@someone/video/{VIDEO_ID}"


async def test_one_line_a_request_without_secrets(stage: Any, lines: io.StringIO) -> None:
    """Tokens of tunnels, signatures, limits' tokens, links that people look up: none of them is written down."""
    token = "lift-the-limits-please"
    reply = await stage.get(f"/?url={LINK}&secret=query", headers={"X-ClipX-Unlimited": token})
    address = reply.json["data"]["video"]["hd_mp4"]
    assert (await stage.get(address)).status == 200
    await stage.settled()
    text = lines.getvalue()
    events = [orjson.loads(line) for line in text.splitlines()]
    requests = [event for event in events if event["event"] == "request"]
    assert [event["status"] for event in requests] == [200, 200]
    assert requests[0]["request_id"] == reply.headers["x-request-id"]
    assert requests[1]["path"] == "/media/***/tiktok-7608826249200356630-hd.mp4"
    for secret in (token, address.split("/")[4], "SIGNED", "secret=query", "tt_chain_token", "chain"):
        assert secret not in text


def test_redaction_by_name_and_by_form(lines: io.StringIO) -> None:
    """Whatever is logged: values under telling names, queries of addresses, passwords of proxies, in tracebacks too."""
    log = EventLogger("clipstead.test")
    log.info("one", api_key="clp_123", cookie="a=b", url="https://cdn.test/v.mp4?x-signature=SIGNED&a=b")
    try:
        raise ValueError("http://user:password@proxy.test:1/ and https://cdn.test/x?sig=SIGNED")
    except ValueError:
        log.exception("two")
    logging.getLogger("other.library").warning("GET https://cdn.test/x?sig=SIGNED /media/AbCdEf123456/x.mp4")
    text = lines.getvalue()
    for secret in ("clp_123", "a=b", "SIGNED", "user:password", "AbCdEf123456"):
        assert secret not in text
    assert "https://cdn.test/v.mp4?***" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing to hide", "nothing to hide"),
        ("https://a.test/b?c=d e", "https://a.test/b?*** e"),
        ("socks5://me:pw@p.test:1", "socks5://***@p.test:1"),
        ("/media/abcdefghijk/n.mp4", "/media/***/n.mp4"),
        ("someone@example.com", "someone@example.com"),
        ("http://me:pw@p.test/a?b=c", "http://***@p.test/a?***"),
        ("at http://h.test/media/abcdefghijk/n.mp4?inline=1 x", "at http://h.test/media/***/n.mp4?*** x"),
        (
            "/media/abcdefghijk/n https://me:pw@h.test/media/abcdefghijk/n",
            "/media/***/n https://***@h.test/media/***/n",
        ),
        ("GET https://a.test/?u=http://me:pw@b.test/?c", "GET https://a.test/?***"),
    ],
)
def test_what_redaction_takes_out(text: str, expected: str) -> None:
    """And what it leaves."""
    assert redacted(text) == expected


@pytest.mark.parametrize("piece", ["http://", "https://a/?", "a://b@", "/media/", "a-", "http://a@"])
def test_redaction_takes_no_longer_than_the_text_is_long(piece: str) -> None:
    """Text comes from strangers: were a megabyte of beginnings read again from each of them, this would never end."""
    assert len(redacted(piece * (1_000_000 // len(piece)))) > 0


async def test_what_came_to_nothing_is_logged_with_its_reason(stage: Any, lines: io.StringIO) -> None:
    """So an operator sees who was asked and why it failed."""
    from clipstead.errors import ProviderFailed

    stage.provider.posts[VIDEO_ID] = ProviderFailed("odd answer")
    await stage.get(f"/?url={LINK}")
    await stage.settled()
    events = [orjson.loads(line) for line in lines.getvalue().splitlines()]
    assert [event["problem"] for event in events if event["event"] == "request"] == [
        "resolve_failed: No provider could give this post: shelf: odd answer"
    ]


async def test_a_path_cannot_draw_a_line_of_its_own(stage: Any, lines: io.StringIO) -> None:
    """Line breaks in a path stay escaped as they came."""
    await stage.get("/a%0Aevent%3Dforged%1b[31m")
    await stage.settled()
    (event,) = [orjson.loads(line) for line in lines.getvalue().splitlines()]
    assert event["path"] == "/a%0Aevent%3Dforged%1b[31m"


async def test_a_long_path_is_logged_by_its_beginning(stage: Any, lines: io.StringIO) -> None:
    """Whoever is refused for it must not fill the log with it."""
    for length in (7000, 60_000):
        reply = await stage.get("/" + "http://" * (length // 7))
        assert reply.status in (404, 414)
    await stage.settled()
    for line in lines.getvalue().splitlines():
        assert len(line) < 1000

"""Who comes in and what does not: keys, and bad input of every kind."""

from __future__ import annotations

import hashlib
import io
import random
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from clipstead.client import AsyncClient
from clipstead.errors import Forbidden, NotFound
from clipstead.server.archive import routes
from clipstead.server.archive.params import cursor_of
from clipstead.server.sse import Streams

if TYPE_CHECKING:
    from tests.server_archive.conftest import House

READING = {"/sources", "/status", "/status/stream", "/posts", "/posts/{id}", "/posts/{id}/files/{number}", "/dead"}


def all_routes() -> list[tuple[str, str]]:
    """Method and path of every call."""
    dialect = routes.dialect(lambda: None, None, Streams())  # type: ignore[arg-type, return-value]  # nothing is asked
    found = ((method, route.path) for route in dialect.router.routes for method in route.methods)  # type: ignore[attr-defined]
    return [(method, path.removeprefix("/api/archive")) for method, path in found]


async def test_who_has_no_key_reads_nothing_and_who_has_no_admin_key_changes_nothing(house: House) -> None:
    """401 and 403 before anything else is judged; reading is no use of the key."""
    assert len(all_routes()) == 17
    for method, path in all_routes():
        concrete = re.sub(r"\{\w+\}", "1", path)
        if method == "HEAD":
            continue
        assert await house.ask(method, concrete, b"{", key="") == (401, {"error": "Missing API key"})
        status, told = await house.ask(method, concrete, b"{", key=house.admin[:-1] + "0")
        assert (status, told) == (401, {"error": "Invalid API key"})
        if method != "GET" or path not in READING:
            assert await house.ask(method, concrete, b"{", key=house.key) == (403, {"error": "Admin key required"})
    assert (await house.ask("GET", "/posts", key=house.key))[0] == 200
    (used,) = await house.rows("SELECT count(*) AS number FROM key_uses")
    assert used["number"] == 0


LONG = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(60))  # what no index could shorten
BAD_BODIES: list[tuple[str, Any, str]] = [
    ("/sources", b"", "The body must be a JSON object"),
    ("/sources", b"[", "The body must be a JSON object"),
    ("/sources", b'{"sources": ["\\ud800"]}', "The body must be a JSON object"),
    ("/sources", [], "The body must be a JSON object"),
    ("/sources", {}, "sources is required"),
    ("/sources", {"sources": "@alice"}, "sources must be a valid array"),
    ("/sources", {"sources": []}, "sources must be 1 to 1000 sources"),
    ("/sources", {"sources": ["@a"] * 1001}, "sources must be 1 to 1000 sources"),
    ("/sources", {"sources": [7]}, "sources must be a valid string"),
    ("/sources", {"sources": ["not a source"]}, "sources must be sources, links or ids: not a source"),
    ("/sources", {"sources": ["\u0000"]}, "sources must be sources, links or ids"),
    ("/sources", {"sources": ["@ok", "http://169.254.169.254/"]}, "sources must be sources, links or ids"),
    ("/sources", {"sources": ["@ok", "file:///etc/passwd"]}, "sources must be sources, links or ids"),
    ("/sources", {"sources": [f"https://www.youtube.com/@{LONG}"]}, "sources must be sources, links or ids"),
    ("/sources", {"sources": ["../../etc"]}, "sources must be sources, links or ids"),
    ("/sources", {"sources": [f"https://vm.tiktok.com/ZZ{n:06}/" for n in range(51)]}, "sources must hold at most 50"),
    ("/sources", {"sources": ["@ok"], "watchHours": 0}, "watchHours must be 0.01 to 8784"),
    ("/sources", {"sources": ["@ok"], "watchHours": 0.009}, "watchHours must be 0.01 to 8784"),
    ("/sources", {"sources": ["@ok"], "watchHours": 1e300}, "watchHours must be 0.01 to 8784"),
    ("/sources", {"sources": ["@ok"], "watchHours": "6"}, "watchHours must be a valid number"),
    ("/sources", b'{"sources": ["@ok"], "watchHours": NaN}', "watchHours must be"),
    ("/sources", {"sources": ["@ok"], "maxPosts": -1}, "maxPosts must be a number above 0"),
    ("/sources", {"sources": ["@ok"], "maxPosts": 10**30}, "maxPosts must be a number above 0"),
    ("/sources", {"sources": ["@ok"], "since": "yesterday"}, "since must be a day"),
    ("/sources", {"sources": ["@ok"], "since": "0001-01-01T00:00:00+14:00"}, "since must be a day"),
    ("/sources", {"sources": ["@ok"], "region": "USA"}, "region must be a country code"),
    ("/sources", {"sources": ["search:x"], "publishTime": 2}, "publishTime must be one of"),
    ("/sources", {"sources": ["search:x"], "sortBy": 9}, "sortBy must be one of"),
    ("/sources/1/watch", {}, "hours is required"),
    ("/sources/1/watch", {"hours": -1}, "hours must be 0.01 to 8784"),
    ("/dead/retry", {}, "ids or reason must say which"),
    ("/dead/retry", {"reason": "\u0000"}, "ids or reason must say which"),
    ("/dead/retry", {"ids": [1]}, "ids must be a valid string"),
    ("/dead/retry", {"ids": ["1"] * 10001}, "ids must be at most 10000"),
    ("/webhooks", {"url": ""}, "url must be an http(s) address of a public host"),
    ("/webhooks", {"url": "ftp://hooks.example/"}, "url must be an http(s) address of a public host"),
    ("/webhooks", {"url": "http://127.0.0.1/"}, "url must be an http(s) address of a public host"),
    ("/webhooks", {"url": "https://u:p@hooks.example/"}, "url must be an http(s) address of a public host"),
    ("/webhooks", {"url": "https://hooks.example:22/"}, "url must be an http(s) address of a public host"),
    ("/webhooks", {"url": "https://hooks.example/" + "x" * 2000}, "url must be at most 2000 characters"),
    ("/webhooks", {"url": "https://hooks.example/", "events": ["all"]}, "events must be some of captured, dead"),
]


async def test_a_body_that_cannot_be_is_refused_with_the_field_at_fault(house: House) -> None:
    """400, at once, and nothing of it is kept."""
    for path, body, words in BAD_BODIES:
        status, told = await house.ask("POST", path, body)
        assert (status, told.get("error", "")[: len(words)]) == (400, words), (path, body)
    for table in ("sources", "archive_queue", "webhooks"):
        assert await house.rows(f"SELECT * FROM {table}") == []


async def test_a_body_without_end_is_refused(house: House) -> None:
    """However large it is said to be."""
    for size in (600_000, 30_000_000):
        status, told = await house.ask("POST", "/sources", io.BytesIO(b"x" * size))
        assert (status, told["error"]) == (400, "The body is longer than 524288 bytes")


BAD_QUERIES: list[tuple[str, dict[str, str], int]] = [
    ("/posts", {"limit": "0"}, 400),
    ("/posts", {"limit": "201"}, 400),
    ("/posts", {"limit": "-1"}, 400),
    ("/posts", {"limit": "٣"}, 400),
    ("/posts", {"limit": "9" * 40}, 400),
    ("/posts", {"after": "nonsense"}, 400),
    ("/posts", {"after": "é"}, 400),
    ("/posts", {"after": "====="}, 400),
    ("/posts", {"query": "!!!"}, 400),
    ("/posts", {"query": "x" * 501}, 400),
    ("/posts", {"query": "a\x00b & | ! :* ( '"}, 200),
    ("/posts", {"author": "\x00'; DROP TABLE posts; --"}, 200),
    ("/dead", {"reason": "\x00"}, 200),
    ("/dead", {"after": "MQ"}, 400),
    ("/posts/..%2f..%2fetc", {}, 404),
    ("/posts/%00", {}, 404),
    ("/posts/1/files/-1", {}, 404),
    ("/posts/1/files/99999999999999999999", {}, 404),
    ("/posts/1/files/0", {}, 404),
    ("/nothing", {}, 404),
]


async def test_a_query_that_cannot_be_is_refused(house: House) -> None:
    """And one that only looks so is answered."""
    for path, query, status in BAD_QUERIES:
        answer, told = await house.ask("GET", path, **query)
        assert answer == status, (path, query, told)
        assert "error" in told or told["success"]


async def test_no_cursor_makes_a_crash(house: House) -> None:
    """Moments beyond what a clock or a database knows, and ids that are none."""
    far = [datetime(1, 1, 2, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
    for moment in far:
        for row_id in ("1", "\x00", "é" * 100, "x" * 300):
            for path in ("/posts", "/dead"):
                status, _ = await house.ask("GET", path, after=cursor_of(moment, row_id))
                assert status in (200, 400)


async def test_noise_is_never_answered_by_a_crash(house: House) -> None:
    """Random methods, paths, queries and bodies: always an answer in our words, never a 5xx."""
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    odd = ["", "1", "-1", "0", "%00", "x" * 300, "7" * 25, "%F0%9F", "..", "@a", "٣", "null", "a b", "😀", "'", "\\"]
    values: list[Any] = [None, True, 0, -1, 1.5, 10**20, "", "x", "\x00", "@ok", [], [[]], {}, ["@ok", 1], "2026-01-01"]
    names = ["sources", "watchHours", "maxPosts", "since", "region", "publishTime", "sortBy", "hours", "ids", "reason"]
    names += ["url", "events"]
    for _ in range(400):
        method, path = dice.choice([route for route in all_routes() if route != ("GET", "/status/stream")])
        concrete = re.sub(r"\{\w+\}", lambda _: dice.choice(odd) or "_", path)
        query = {name: dice.choice(odd) for name in dice.sample(["query", "author", "after", "limit", "reason"], 2)}
        body = {name: dice.choice(values) for name in dice.sample(names, 4)}
        noise = dice.choice([body, body, dice.randbytes(dice.randrange(40))])
        if method == "HEAD":
            continue
        status, told = await house.ask(method, concrete, noise, **query)
        assert status < 500, (seed, method, concrete, query, noise, told)
        assert told.get("success") or told["error"], (seed, method, concrete, query, noise, told)


async def test_the_python_client_speaks_all_of_it(house: House) -> None:
    """Every call of `client.archive` fits the server's."""
    post = house.world.post("video")
    async with AsyncClient(house.base, key=house.admin) as client, AsyncClient(house.base, key=house.key) as user:
        archive = client.archive
        added = await archive.add("@" + house.world.users[1].username, post.url, watchHours=2, maxPosts=3)
        source = added["sources"][0]["id"]
        assert (await archive.change(source, "pause"))["state"] == "paused"
        assert (await archive.watch(source, None))["watchHours"] is None
        assert (await archive.change(source, "resume"))["state"] == "active"
        await house.work()
        found = await user.archive.posts(limit=2)
        assert (len(found["posts"]), found["more"]) == (2, True)
        assert len((await user.archive.posts(after=found["cursor"]))["posts"]) == 2
        assert (await user.archive.post(post.id))["files"][0]["sha256"]
        with pytest.raises(NotFound):
            await user.archive.post("7000000000000000000")
        assert (await user.archive.status())["posts"] == 4
        assert await user.archive.dead() == {"dead": [], "cursor": "", "more": False}
        assert await archive.retry_dead(reason="deleted") == {"retried": 0}
        with pytest.raises(Forbidden):
            await user.archive.change(source, "pause")
        hook = await archive.add_webhook("https://hooks.example/archive", "captured")
        assert hook["secret"].startswith("whsec_")
        assert [each["secret"] for each in await archive.webhooks()] == [hook["secret"]]
        assert await archive.remove_webhook(hook["id"]) == {"id": hook["id"]}
        assert await archive.change(source, "remove") == {"id": source, "dropped": 0}
        assert [each["spec"] for each in await archive.sources()] == []

"""Keys over HTTP: the words and header fields of the contract, the admin's routes, and one's own key."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from clipstead.db import Database
from clipstead.net.guard import Guard
from clipstead.server import admin, my_key
from clipstead.server.key_text import make_key, masked
from clipstead.server.keys import Keys
from clipstead.server.receivers import Receivers

PassTime = Callable[[float], Awaitable[None]]
OpenSite = Callable[[Keys | None], Awaitable[str]]


class Caller:
    """Speaks to a site, with a key or without."""

    def __init__(self, session: aiohttp.ClientSession, site: str) -> None:
        self.session, self.site = session, site

    async def __call__(self, method: str, path: str, key: str = "", body: Any = None, **headers: str) -> Any:
        """(status, JSON, headers)."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | ({"X-Api-Key": key} if key else {})
        data = {"data": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        async with self.session.request(method, self.site + path, headers=sent, **data) as answer:
            return answer.status, await answer.json(), answer.headers


@pytest.fixture
async def call(open_site: OpenSite, keys: Keys) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(session, await open_site(keys))


@pytest.fixture
async def chief(keys: Keys) -> str:
    """An admin's key."""
    return (await keys.desk.create("chief", admin=True)).text


async def test_no_key_and_no_valid_key(call: Caller) -> None:
    """401, with the scheme that HTTP wants named, and no word of limits."""
    typo = make_key().text[:-1]
    for key, words in (("", "Missing API key"), (make_key().text, "Invalid API key"), (typo, "Invalid API key")):
        status, body, headers = await call("POST", "/api/work", key)
        assert (status, body) == (401, {"error": words})
        assert headers["WWW-Authenticate"].startswith("ApiKey")
        assert "RateLimit" not in headers


async def test_disabled_and_banned(call: Caller, keys: Keys) -> None:
    new = await keys.desk.create("somebody")
    await keys.desk.disable(new.standing.id)
    assert (await call("POST", "/api/work", new.text))[:2] == (403, {"error": "API key disabled"})
    await keys.desk.ban("somebody")
    assert (await call("POST", "/api/work", new.text))[:2] == (403, {"error": "Account banned"})


async def test_limits_are_told_in_header_fields_and_words(call: Caller, keys: Keys, pass_time: PassTime) -> None:
    """Each answer says what is left; the refusal when to come back, in words, in the body and in Retry-After alike."""
    key = (await keys.desk.create("somebody", hourly=2, daily=9)).text
    _, _, headers = await call("POST", "/api/work", key)
    assert headers["RateLimit-Policy"] == '"hourly";q=2;w=3600, "daily";q=9;w=86400'
    assert headers["RateLimit"] == '"hourly";r=1;t=3600, "daily";r=8;t=86400'
    await pass_time(20)
    _, _, headers = await call("POST", "/api/work", key)
    assert re.fullmatch(r'"hourly";r=0;t=(2400|239\d), "daily";r=7;t=\d+', headers["RateLimit"])
    status, body, headers = await call("POST", "/api/work", key)
    assert status == 429
    assert body["error"] == "Hourly rate limit exceeded (2/hr)"
    assert 2390 <= body["retryAfter"] <= 2400
    assert headers["Retry-After"] == str(body["retryAfter"])
    assert headers["RateLimit"].startswith('"hourly";r=0;t=')
    await pass_time(40)
    assert (await call("POST", "/api/work", key))[0] == 200


async def test_two_keys_are_none(call: Caller, chief: str) -> None:
    """What a proxy on the way reads and what we read must be the same."""
    async with call.session.post(
        call.site + "/api/work", headers=[("X-Api-Key", chief), ("X-Api-Key", make_key().text)]
    ) as answer:
        assert answer.status == 401


def routes(keys: Keys) -> list[tuple[str, str]]:
    """Method and path of everything below /api/admin and /api/my-key."""
    receivers = Receivers(Guard(), (b"s" * 32,))
    routers = [each.router for each in (admin.dialect(lambda: keys), my_key.dialect(lambda: keys, receivers))]
    return [
        (method, re.sub(r"\{\w+\}", "AAAAAAAAAA", route.path))  # type: ignore[attr-defined]
        for router in routers
        for route in router.routes
        for method in route.methods  # type: ignore[attr-defined]
    ]


async def test_no_route_answers_without_a_key_even_on_an_open_instance(
    open_site: OpenSite, call: Caller, keys: Keys, database: Database
) -> None:
    """401 first, whatever else is wrong; a user's key is 403 for the admin's routes; no other site may read along."""
    user = (await keys.desk.create("somebody")).text
    opened = Caller(call.session, await open_site(Keys(database, open_to_all=True)))
    assert len(routes(keys)) == 10
    for method, path in routes(keys):
        for caller in (call, opened):
            status, body, headers = await caller(method, path, body=b"{", Origin="https://evil.example")
            assert (status, body) == (401, {"error": "Missing API key"}), (method, path)
            assert "Access-Control-Allow-Origin" not in headers
        if path.startswith("/api/admin"):
            assert (await call(method, path, user))[:2] == (403, {"error": "Admin key required"})


async def test_an_admin_makes_keys_and_sees_them_masked(call: Caller, chief: str) -> None:
    """The answer to its making is the only one that holds a key."""
    wish = {"owner": "somebody", "hourly": 3, "unknown": "ignored"}
    status, body, _ = await call("POST", "/api/admin/keys", chief, wish)
    assert status == 200
    made = body["data"]
    key, key_id = made["key"], made["id"]
    assert (made["owner"], made["admin"], made["state"]) == ("somebody", False, "active")
    assert made["limits"]["hourly"] == {"limit": 3, "custom": True, "used": 0, "remaining": 3, "resetIn": 0}
    assert made["limits"]["daily"]["limit"] == 500
    await call("POST", "/api/work", key)
    _, body, _ = await call("GET", "/api/admin/keys", chief)
    assert [(each["owner"], each["uses"]) for each in body["data"]] == [("chief", 0), ("somebody", 1)]
    assert body["data"][1]["key"] == masked(key_id)
    assert key not in str(body)
    _, body, _ = await call("GET", "/api/admin/keys?owner=somebody", chief)
    assert [each["id"] for each in body["data"]] == [key_id]
    for name in (key_id, masked(key_id)):
        _, body, _ = await call("GET", f"/api/admin/keys/{name}", chief)
        assert body["data"]["limits"]["hourly"]["used"] == 1


async def test_an_admin_limits_disables_and_revokes(call: Caller, chief: str, keys: Keys) -> None:
    """A change is of what it names alone; null is the default again."""
    new = await keys.desk.create("somebody", hourly=5)
    path = f"/api/admin/keys/{new.standing.id}"
    _, body, _ = await call("PATCH", path, chief, {"daily": 7})
    assert [body["data"]["limits"][name]["limit"] for name in ("hourly", "daily")] == [5, 7]
    _, body, _ = await call("PATCH", path, chief, {"hourly": None, "daily": 0, "disabled": True})
    assert [body["data"]["limits"][name]["limit"] for name in ("hourly", "daily")] == [50, None]
    assert body["data"]["state"] == "disabled"
    assert (await call("POST", "/api/work", new.text))[0] == 403
    await call("PATCH", path, chief, {"disabled": False})
    assert (await call("POST", "/api/work", new.text))[0] == 200
    _, body, _ = await call("DELETE", path, chief)
    assert body["data"]["state"] == "revoked"
    assert (await call("POST", "/api/work", new.text))[0] == 401


async def test_an_admin_gives_credits(call: Caller, chief: str, keys: Keys) -> None:
    """A number, or as many as it likes; the holder sees what is left, and may not change it."""
    new = await keys.desk.create("somebody")
    path = f"/api/admin/keys/{new.standing.id}"
    for given, left in ((7, 7), ("unlimited", None), (0, 0)):
        status, body, _ = await call("PATCH", path, chief, {"credits": given})
        assert (status, body["data"]["credits"]) == (200, {"left": left, "spent": 0})
    assert (await call("GET", "/api/my-key", new.text))[1]["data"]["credits"] == {"left": 0, "spent": 0}
    assert (await call("PATCH", path, new.text, {"credits": 5}))[0] == 403
    for wrong in (-1, "many", 1.5, None):
        assert (await call("PATCH", path, chief, {"credits": wrong}))[0] == 400


async def test_a_change_that_cannot_be_changes_nothing(call: Caller, chief: str, keys: Keys) -> None:
    """Of several changes in one request all are made, or none."""
    new = await keys.desk.create("somebody", hourly=5)
    path = f"/api/admin/keys/{new.standing.id}"
    for wrong in ({"hourly": 7, "credits": -1}, {"hourly": -1, "credits": 3}, {"hourly": 7, "disabled": "yes"}):
        assert (await call("PATCH", path, chief, wrong))[0] == 400
    told = (await call("GET", path, chief))[1]["data"]
    assert (told["limits"]["hourly"]["limit"], told["credits"]["left"], told["state"]) == (5, 100, "active")
    change = {"hourly": 7, "credits": 3, "disabled": True}
    told = (await call("PATCH", path, chief, change))[1]["data"]
    assert (told["limits"]["hourly"]["limit"], told["credits"]["left"], told["state"]) == (7, 3, "disabled")


async def test_an_admin_bans_and_sees_who_uses_what(call: Caller, chief: str, keys: Keys) -> None:
    new = await keys.desk.create("über müde", hourly=5)
    for _ in range(2):
        await call("POST", "/api/work", new.text)
    _, body, _ = await call("GET", "/api/admin/usage", chief)
    assert body["data"] == {
        **{"keys": 2, "lastHour": 2, "lastDay": 2, "total": 2},
        "owners": [
            {"owner": "chief", "keys": 1, "lastHour": 0, "lastDay": 0, "total": 0},
            {"owner": "über müde", "keys": 1, "lastHour": 2, "lastDay": 2, "total": 2},
        ],
    }
    assert (await call("PATCH", "/api/admin/owners/über müde", chief, {"banned": True}))[0] == 200
    assert (await call("POST", "/api/work", new.text))[:2] == (403, {"error": "Account banned"})
    _, body, _ = await call("GET", "/api/admin/owners", chief)
    assert [(each["owner"], each["banned"], each["keys"]) for each in body["data"]] == [
        ("chief", False, 1),
        ("über müde", True, 1),
    ]
    await call("PATCH", "/api/admin/owners/über müde", chief, {"banned": False})
    assert (await call("POST", "/api/work", new.text))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "keys", b"", 400, "The body must be a JSON object"),
        ("POST", "keys", b"[1]", 400, "The body must be a JSON object"),
        ("POST", "keys", b'{"owner": "\\ud800"}', 400, "The body must be a JSON object"),
        ("POST", "keys", {}, 400, "owner is required"),
        ("POST", "keys", {"owner": 5}, 400, "owner must be a valid string"),
        ("POST", "keys", {"owner": "a/b"}, 400, "owner must be a name"),
        ("POST", "keys", {"owner": "a\0"}, 400, "owner must be a name"),
        ("POST", "keys", {"owner": "a", "hourly": "9"}, 400, "hourly must be a valid integer"),
        ("POST", "keys", {"owner": "a", "hourly": True}, 400, "hourly must be a valid integer"),
        ("POST", "keys", {"owner": "a", "daily": -1}, 400, "daily must be between 0"),
        ("POST", "keys", {"owner": "a", "daily": 10**30}, 400, "daily must be between 0"),
        ("POST", "keys", {"owner": "a", "admin": 1}, 400, "admin must be a valid boolean"),
        ("POST", "keys", b" " * 100_000, 400, "The body is longer than 65536 bytes"),
        ("PATCH", "keys/AAAAAAAAAA", {"hourly": 1}, 404, "No such key"),
        ("DELETE", "keys/x", None, 404, "No such key"),
        ("GET", "keys/%00", None, 404, "No such key"),
        ("GET", "keys?owner=%00", None, 200, ""),
        ("PATCH", "owners/nobody", {"banned": True}, 404, "No such owner"),
        ("PATCH", "owners/%00", {"banned": True}, 404, "No such owner"),
        ("PATCH", "owners/nobody", {}, 400, "banned is required"),
        ("GET", "nothing", None, 404, "Not found"),
        ("PUT", "keys", {}, 405, "Method not allowed"),
    ],
)
async def test_bad_input_is_answered_in_words(
    call: Caller, chief: str, method: str, path: str, body: Any, status: int, words: str
) -> None:
    """`error` says which field is wrong and what it must be; nothing is a crash."""
    told, answer, _ = await call(method, f"/api/admin/{path}", chief, body)
    assert (told, answer.get("error", "")[: len(words)]) == (status, words)


async def test_my_key_tells_and_rotates(call: Caller, keys: Keys) -> None:
    """Even with the limit reached, and neither is a use; the old text is void at once."""
    new = await keys.desk.create("somebody", hourly=1)
    await call("POST", "/api/work", new.text)
    assert (await call("POST", "/api/work", new.text))[0] == 429
    _, body, _ = await call("GET", "/api/my-key", new.text)
    assert (body["data"]["key"], body["data"]["owner"]) == (masked(new.standing.id), "somebody")
    hourly = body["data"]["limits"]["hourly"]
    assert (hourly["limit"], hourly["used"], hourly["remaining"]) == (1, 1, 0)
    assert 3590 <= hourly["resetIn"] <= 3600
    secret = body["data"]["webhookSecret"]
    assert secret == Receivers(Guard(), (b"s" * 32,)).secret_of_key(new.standing.id)
    _, body, _ = await call("POST", "/api/my-key/rotate", new.text)
    fresh = body["data"]["key"]
    assert (await call("POST", "/api/work", new.text))[0] == 401
    assert (await call("POST", "/api/my-key/rotate", new.text))[0] == 401
    status, body, _ = await call("GET", "/api/my-key", fresh)
    assert (status, body["data"]["uses"]) == (200, 1)
    await keys.desk.disable(new.standing.id)
    assert (await call("POST", "/api/my-key/rotate", fresh))[:2] == (403, {"error": "API key disabled"})


async def test_while_the_database_is_not_up_or_gone_it_says_so(open_site: OpenSite, call: Caller) -> None:
    """503 and when to come back; nothing of where the database is."""
    gone = Keys(Database("postgresql://nobody:geheim@127.0.0.1:1/nowhere"), patience=0)
    for keys, words in ((None, "Starting up, try again in a moment"), (gone, "The database cannot be reached")):
        caller = Caller(call.session, await open_site(keys))
        for path in ("/api/admin/keys", "/api/my-key"):
            status, body, headers = await caller("GET", path, make_key().text)
            assert (status, body) == (503, {"error": words})
            assert headers["Retry-After"] == "2"


async def test_an_open_instance_asks_nobody_but_other_sites(
    open_site: OpenSite, call: Caller, database: Database
) -> None:
    """No key, a wrong key, a page of this machine: welcome. A page from elsewhere in the owner's browser: not."""
    opened = Caller(call.session, await open_site(Keys(database, open_to_all=True)))
    for headers in ({}, {"X-Api-Key": "clp_your_key"}, {"Origin": opened.site}, {"Origin": "http://localhost:5173"}):
        status, body, answered = await opened("POST", "/api/work", **headers)
        assert (status, body) == (200, {"by": None})
        assert "RateLimit" not in answered
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "http://[", "file://"):
        status, body, _ = await opened("POST", "/api/work", Origin=origin)
        assert (status, body) == (403, {"error": "Requests from other sites are not allowed"})

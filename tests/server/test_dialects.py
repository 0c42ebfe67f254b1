"""One server, several contracts: which are on, under which host, and in whose words an unknown path is refused."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from clipstead.server.dialects import BUILDERS
from clipstead.settings import DialectName, SettingsError, load

LINK = "https://www.tiktok.com/@someone/video/7608826249200356630"
# A path of each contract, and the keys of its errors.
ASKED = {
    "clipx": ("GET", "/", {"success", "error", "status_code", "contact"}),
    "tiktokdl": ("GET", "/api/download", {"error", "message"}),
    "ttsave": ("POST", "/api/v3/download", {"detail"}),
    "tiklive": ("GET", "/region-list/", {"message"}),
    "clipi": ("POST", "/api/video/info", {"error"}),
}
ALWAYS = ("/healthz", "/docs", "/openapi.json")


def test_the_settings_know_every_contract() -> None:
    """By the names of the list, which are those of the dialects."""
    assert set(get_args(DialectName)) == set(BUILDERS) == set(ASKED)


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/nothing", {"success", "error", "status_code", "contact"}),
        ("/api", None),
        ("/api/nothing", {"error", "message"}),
        ("/api/download/x/y", {"error", "message"}),
        ("/api/v1/download", {"error", "message"}),
        ("/api/v2/nothing", {"detail"}),
        ("/api/v3/nothing", {"detail"}),
        ("/api/v3", {"detail"}),
        ("/api/v3x", {"error", "message"}),
        ("/apis", {"success", "error", "status_code", "contact"}),
    ],
)
async def test_an_unknown_path_is_refused_in_the_words_of_where_it_lies(stage: Any, path: str, keys: Any) -> None:
    """[decision 10]"""
    reply = await stage.get(path)
    assert reply.status == (404 if keys else 200)
    assert keys is None or set(reply.json) == keys


@pytest.mark.parametrize("name", ASKED)
async def test_another_method_is_refused_in_the_words_of_the_path(stage: Any, name: str) -> None:
    """405 with what is allowed."""
    _, path, keys = ASKED[name]
    reply = await stage.ask("PATCH", path)
    assert (reply.status, set(reply.json) - {"message"}) == (405, keys - {"message"})
    assert "OPTIONS" in reply.headers["allow"]


async def test_what_a_405_allows_is_allowed(stage: Any) -> None:
    """Of every path there is, HEAD included: it is named only where it is answered."""
    known = (await stage.get("/openapi.json")).json["paths"]
    for path in (*known, "/openapi.json", "/docs", "/assets/style.css"):
        place = re.sub(r"{[^}]*}", "x", path)
        allowed = (await stage.ask("TRACE", place)).headers["allow"].split(", ")
        told = {method: (await stage.ask(method, place)).status for method in allowed}
        assert {"OPTIONS"} < told.keys() and 405 not in told.values(), (path, told)


@pytest.mark.parametrize("on", ASKED)
async def test_one_contract_alone(build: Any, on: str) -> None:
    """The others' paths are 404 in their own words; what belongs to no contract stays."""
    stage = await build(dialects=(on,))
    for name, (method, path, keys) in ASKED.items():
        reply = await stage.ask(method, path)
        assert (reply.status != 404) == (name == on), (name, reply)
        assert set(reply.json) >= keys - {"message"}
    for path in ALWAYS:
        assert (await stage.get(path)).status == 200
    page = await stage.get("/", headers={"Accept": "text/html"})
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_what_is_off_is_not_described(build: Any) -> None:
    """/openapi.json tells what is there, by contract."""
    for on, tag in (("ttsave", "TTSave"), ("tiktokdl", "TikTok-DL")):
        paths = (await (await build(dialects=(on,))).get("/openapi.json")).json["paths"]
        tags = {tag for path in paths.values() for call in path.values() for tag in call.get("tags", ())}
        assert tag in tags
        assert not tags & ({"TTSave", "TikTok-DL", "Clipi", "ClipX"} - {tag})


async def test_a_contract_with_a_host_of_its_own(build: Any) -> None:
    """There it is alone, and its words are for everything; elsewhere it is not; the host is believed."""
    stage = await build(dialect_hosts=(("ttsave", "tt.example"), ("tiktokdl", "tt.example:81")))
    theirs = {"Host": "tt.example:8000"}
    assert (await stage.get("/api/v3/ping", headers=theirs)).body == b"pong"
    assert (await stage.get("/api/v3/ping")).json == {"detail": "Not Found"}
    for path in ("/", "/?url=" + LINK, "/nothing", "/api/providers", "/api/video/info"):
        reply = await stage.get(path, headers=theirs)
        assert (reply.status, reply.json) == (404, {"detail": "Not Found"}), path
    assert (await stage.get("/api/providers", headers={"Host": "tt.example:81"})).status == 200
    assert (await stage.get("/api/v3/ping", headers={"Host": "tt.example:81"})).status == 404
    assert (await stage.get("/healthz", headers=theirs)).status == 200
    assert (await stage.get("/?url=" + LINK)).status == 200
    assert (
        await stage.get("/?url=" + LINK, headers=theirs)
    ).status == 404  # what is kept for one host is not another's
    assert (await stage.get("/", headers={"Host": "other.example"})).json["error"] == "Invalid Host header"


async def test_media_addresses_work_under_every_host(build: Any) -> None:
    """What an answer names is to be had where the answer came from."""
    stage = await build(dialect_hosts=(("tiktokdl", "dl.example"),))
    theirs = {"Host": "dl.example"}
    told = (await stage.get(f"/api/download?url={LINK}", headers=theirs)).json
    address = told["result"]["urls"][0]
    assert address.startswith("http://dl.example/media/")
    reply = await stage.get(address.removeprefix("http://dl.example"), headers=theirs)
    assert (reply.status, len(reply.body)) == (200, 400_000)


async def test_two_contracts_on_one_host(build: Any) -> None:
    """Words go by the path; what is nobody's, by the first of them."""
    stage = await build(dialect_hosts=(("ttsave", "tt.example"), ("tiktokdl", "tt.example")))
    theirs = {"Host": "tt.example"}
    assert set((await stage.get("/api/download", headers=theirs)).json) >= {"error", "message"}
    assert set((await stage.get("/nothing", headers=theirs)).json) == {"detail"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIALECTS", "clipx,nothing"),
        ("DIALECT_HOSTS", "ttsave"),
        ("DIALECT_HOSTS", "ttsave="),
        ("DIALECT_HOSTS", "nothing=a.example"),
        ("DIALECT_HOSTS", "ttsave=https://a.example"),
        ("DIALECT_HOSTS", "ttsave=*.example"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """It names the variable."""
    monkeypatch.setenv(f"CLIPSTEAD_{name}", value)
    with pytest.raises(SettingsError, match=f"^CLIPSTEAD_{name}: "):
        load()


def test_settings_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commas or blanks; host names in small letters."""
    monkeypatch.setenv("CLIPSTEAD_DIALECTS", "clipx, clipi")
    monkeypatch.setenv("CLIPSTEAD_DIALECT_HOSTS", "ttsave=TT.example,tiklive=tl.example:8443")
    settings = load()
    assert settings.dialects == ("clipx", "clipi")
    assert settings.dialect_hosts == ("ttsave=tt.example", "tiklive=tl.example:8443")

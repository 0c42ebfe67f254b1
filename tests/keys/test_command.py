"""`clipstead keys`: what an operator types, what is printed, and how it ends."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clipstead.cli.first_key import tell_first_key
from clipstead.cli.keys_commands import app
from clipstead.db import Database
from clipstead.errors import ClipsteadError
from clipstead.server.key_text import masked, read_key
from clipstead.server.keys import Keys

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a subcommand on this test's database."""
    monkeypatch.setenv("CLIPSTEAD_DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(app, words, catch_exceptions=False)


def words_for(url: str, key: str) -> str:
    """What a server on the same database tells whoever shows this key."""

    async def admit() -> str:
        async with Database.open(url) as database:
            try:
                await Keys(database).admit(key)
            except ClipsteadError as error:
                return str(error)
            return ""

    return asyncio.run(admit())


def test_create_prints_the_key_alone_on_its_line(run: Run, database_url: str) -> None:
    """On standard output there is nothing else; a server on the same database lets it in at once."""
    done = run("create", "--owner", "somebody", "--hourly", "1")
    assert done.exit_code == 0
    key = done.stdout.strip()
    assert done.stdout == f"{key}\n"
    assert read_key(key)
    assert "somebody, 1 uses an hour, 500 uses a day" in done.stderr
    assert [words_for(database_url, key) for _ in range(2)] == ["", "Hourly rate limit exceeded (1/hr)"]


def test_the_first_start_prints_an_admin_key_once(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On a line of its own; a second start prints nothing."""

    async def start() -> None:
        async with Database.open(database_url) as database:
            await tell_first_key(Keys(database).desk)

    asyncio.run(start())
    words, key = capsys.readouterr().out.splitlines()
    assert words.startswith("The first admin key")
    assert words_for(database_url, key) == ""
    asyncio.run(start())
    assert capsys.readouterr().out == ""


def test_list_shows_all_masked(run: Run) -> None:
    """For people and as JSON; no key is in either."""
    user, admin = (run("create", *words).stdout.strip() for words in ((), ("--admin", "--daily", "unlimited")))
    shown = run("list").stdout
    told = json.loads(run("list", "--json").stdout)
    assert [(key["owner"], key["admin"]) for key in told] == [("default", False), ("admin", True)]
    assert told[1]["limits"]["daily"]["limit"] is None
    for key, each in zip((user, admin), told, strict=True):
        assert each["key"] == masked(each["id"]) == f"{key[:14]}…"
        assert each["key"] in shown
        assert key not in shown + str(told)


def test_limit_revoke_ban_and_back(run: Run, database_url: str) -> None:
    """Each takes effect at once, and says what it did; a key is named by id, masked, or whole."""
    key = run("create", "--owner", "bob").stdout.strip()
    key_id, short = key[4:14], f"{key[:14]}…"
    assert "2 uses an hour, 500 uses a day" in run("limit", key_id, "--hourly", "2").stderr
    assert "50 uses an hour, any number of uses" in run("limit", short, "--hourly", "default", "--daily", "0").stderr
    assert run("ban", "bob").stderr == "bob is banned\n"
    assert words_for(database_url, key) == "Account banned"
    run("unban", "bob")
    run("disable", short)
    assert words_for(database_url, key) == "API key disabled"
    run("enable", short)
    assert words_for(database_url, key) == ""
    assert run("revoke", key).stderr == f"{short} is no key any more\n"
    assert words_for(database_url, key) == "Invalid API key"


def test_credits_are_set_and_shown(run: Run) -> None:
    """A number or none at all; the list says what is left."""
    key = run("create").stdout.strip()
    assert json.loads(run("list", "--json").stdout)[0]["credits"] == {"left": 100, "spent": 0}
    assert run("credits", key[4:14], "5000").stderr == f"{key[:14]}… has 5000 credits left\n"
    assert "5000" in run("list").stdout
    assert "unlimited credits" in run("credits", key, "unlimited").stderr
    assert json.loads(run("list", "--json").stdout)[0]["credits"] == {"left": None, "spent": 0}


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("credits", "AAAAAAAAAA", "5"), 1, "No such key"),
        (("credits", "AAAAAAAAAA", "some"), 2, "N must be a number or unlimited"),
        (("credits", "AAAAAAAAAA", "9" * 15), 2, "credits must be between 0 and"),
        (("revoke", "nonsense"), 2, "KEY must be a key's id"),
        (("revoke", "AAAAAAAAAA"), 1, "No such key"),
        (("ban", "nobody"), 1, "No such owner"),
        (("limit", "AAAAAAAAAA"), 2, "say which limit to set"),
        (("create", "--hourly", "many"), 2, "--hourly must be a number, unlimited or default"),
        (("create", "--hourly", "9" * 20), 2, "hourly must be between"),
        (("create", "--owner", "a/b"), 2, "owner must be a name"),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, words: tuple[str, ...], code: int, line: str) -> None:
    """On standard error, with the exit code of wrong usage or of a thing that is not there."""
    done = run(*words)
    assert (done.exit_code, done.stdout) == (code, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_database_is_exit_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPSTEAD_DATABASE_URL", "postgresql://u:geheim@127.0.0.1:1/x")
    done = CliRunner().invoke(app, ["list"])
    assert done.exit_code == 3
    assert "cannot reach the database at 127.0.0.1" in done.stderr
    assert "geheim" not in done.stderr


def test_a_terminal_that_cannot_show_a_name_ends_nothing(database_url: str, tmp_path: Path) -> None:
    """The list is escaped, JSON is UTF-8 as always."""
    command = Path(sys.executable).with_name("clipstead")
    settings = {
        "CLIPSTEAD_DATABASE_URL": database_url,
        "PYTHONIOENCODING": "ascii",
        "CLIPSTEAD_DATA_DIR": str(tmp_path),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLIPSTEAD_")} | settings
    for words in (["create", "--owner", "Жора"], ["list"], ["list", "--json"]):
        ended = subprocess.run([command, "keys", *words], env=environment, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)[0]["owner"] == "Жора"

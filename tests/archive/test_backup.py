"""`clipstead db backup|restore`: the database as one file, and back."""

from __future__ import annotations

import asyncio
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clipstead.cli.main import app
from clipstead.db.line import connect
from clipstead.db.programs import running, without_password

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs a command in this process, on the database given."""
    before = signal.getsignal(signal.SIGTERM)

    def invoke(url: str, *arguments: str | Path) -> Any:
        settings = {"CLIPSTEAD_DATA_DIR": str(tmp_path / "data"), "CLIPSTEAD_DATABASE_URL": url}
        ended = CliRunner().invoke(app, [*map(str, arguments)], env=settings)
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return ended

    yield invoke
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def empty_url(database_url: str) -> Iterator[str]:
    """A database on the same server with nothing in it, not even tables."""
    before, name = database_url, f"empty_{abs(hash(database_url))}"
    asyncio.run(_execute(before, f"CREATE DATABASE {name} TEMPLATE template0"))
    yield f"{before.rpartition('/test_')[0]}/{name}?{before.partition('?')[2]}"
    asyncio.run(_execute(before, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    connection = await connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_what_was_backed_up_comes_back(run: Run, database_url: str, empty_url: str, tmp_path: Path) -> None:
    """Into an empty database as into a used one: what was there then is there, and nothing else."""
    dump = tmp_path / "all.dump"
    assert run(database_url, "keys", "create", "--owner", "first").exit_code == 0
    ended = run(database_url, "db", "backup", dump)
    assert ended.exit_code == 0, ended.stderr
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == ["all.dump"]
    assert run(database_url, "keys", "create", "--owner", "later").exit_code == 0
    for url in (database_url, empty_url):
        ended = run(url, "db", "restore", dump)
        assert ended.exit_code == 0, ended.stderr
        listed = run(url, "keys", "list").stdout
        assert "first" in listed
        assert "later" not in listed
        assert "up to date" in run(url, "db", "status").stdout


def test_a_database_in_use_is_not_overwritten(run: Run, database_url: str, tmp_path: Path) -> None:
    """One line, exit 3."""
    dump = tmp_path / "all.dump"
    assert run(database_url, "db", "backup", dump).exit_code == 0

    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(connect(database_url))
    try:
        ended = run(database_url, "db", "restore", dump)
    finally:
        loop.run_until_complete(connection.close())
        loop.close()
    assert ended.exit_code == 3
    assert "the database is in use (1 connections): stop serve and workers first" in ended.stderr


def test_a_dump_of_another_schema_is_refused(run: Run, database_url: str, tmp_path: Path) -> None:
    """Where it would be mixed with what is there."""
    dump = tmp_path / "all.dump"
    assert run(database_url, "db", "backup", dump).exit_code == 0
    asyncio.run(_execute(database_url, "UPDATE alembic_version SET version_num = '0001'"))
    ended = run(database_url, "db", "restore", dump)
    assert ended.exit_code == 3
    assert "restore it into an empty one" in ended.stderr


def test_a_dump_that_breaks_off_changes_nothing(run: Run, database_url: str, tmp_path: Path) -> None:
    """Half of it would be worse than what was there."""
    dump = tmp_path / "all.dump"
    assert run(database_url, "db", "backup", dump).exit_code == 0
    dump.write_bytes(dump.read_bytes()[:-200])
    assert run(database_url, "keys", "create", "--owner", "later").exit_code == 0
    ended = run(database_url, "db", "restore", dump)
    assert ended.exit_code == 3, ended.stderr
    assert ended.stderr.startswith("clipstead: Postgres' pg_restore failed: ")
    assert "later" in run(database_url, "keys", "list").stdout


def test_what_the_database_refuses_changes_nothing(run: Run, database_url: str, tmp_path: Path) -> None:
    """A view of the operator's own is in the way: its name is told, and nothing was dropped."""
    dump = tmp_path / "all.dump"
    assert run(database_url, "db", "backup", dump).exit_code == 0
    assert run(database_url, "keys", "create", "--owner", "later").exit_code == 0
    asyncio.run(_execute(database_url, "CREATE VIEW report AS SELECT * FROM api_keys"))
    ended = run(database_url, "db", "restore", dump)
    assert ended.exit_code == 3, ended.stderr
    assert "because other objects depend on it" in ended.stderr
    assert "later" in run(database_url, "keys", "list").stdout


@pytest.mark.parametrize("content", [None, b"", b"PGDMP nothing that follows"])
def test_what_is_no_backup_is_refused(run: Run, database_url: str, tmp_path: Path, content: bytes | None) -> None:
    """One line, exit 2."""
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    ended = run(database_url, "db", "restore", file)
    assert ended.exit_code == 2, ended.stderr
    assert ended.stderr.startswith("clipstead: FILE must be a file that")
    assert ended.stderr.count("\n") == 1


def test_a_backup_that_cannot_be_written_is_said(run: Run, database_url: str, tmp_path: Path) -> None:
    """One line, exit 3, and nothing is left."""
    ended = run(database_url, "db", "backup", tmp_path / "nowhere" / "file")
    assert ended.exit_code == 3
    assert "Cannot write file: No such file or directory" in ended.stderr


def test_a_file_that_stands_in_the_way_is_said(run: Run, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    ended = run(database_url, "db", "backup", tmp_path / "taken" / "file")
    assert ended.exit_code == 3
    assert "Cannot write file: Not a directory" in ended.stderr


async def test_a_program_whose_words_nobody_reads_ends_with_its_caller(database_url: str) -> None:
    """Its pipe is full when a Ctrl-C comes."""
    much = "--command=SELECT repeat('x', 1000) FROM generate_series(1, 20000)"
    async with asyncio.timeout(20), running("psql", much, url=database_url) as child:
        assert child.stdout
        await child.stdout.read(1)
        await asyncio.sleep(0.2)
    assert child.returncode is not None


def test_names_that_begin_with_a_dash_are_files(
    run: Run, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not options of Postgres' programs."""
    monkeypatch.chdir(tmp_path)
    assert run(database_url, "db", "backup", "--", "-l").exit_code == 0
    ended = run(database_url, "db", "restore", "--", "-l")
    assert ended.exit_code == 0, ended.stderr


@pytest.mark.parametrize("name", ["/", ".", ""])
def test_what_names_no_file_is_refused(run: Run, database_url: str, name: str) -> None:
    """In one line."""
    ended = run(database_url, "db", "backup", name)
    assert (ended.exit_code, ended.stderr) == (2, "clipstead: FILE must name a file\n")


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("postgresql://u:ge%20heim@host:1/db?sslmode=require", "postgresql://u@host:1/db?sslmode=require", "ge heim"),
        ("postgresql://u@host/db?password=ge%20heim&host=/run/x", "postgresql://u@host/db?host=%2Frun%2Fx", "ge heim"),
        ("postgresql:///db?user=u&password=geheim", "postgresql:///db?user=u", "geheim"),
        ("postgresql://u@/db?host=/run/x", "postgresql://u@/db?host=/run/x", None),
    ],
)
def test_no_password_is_among_the_arguments(url: str, shown: str, password: str | None) -> None:
    """Wherever in the URL it stands: everybody on the machine sees the arguments of pg_dump."""
    assert without_password(url) == (shown, {} if password is None else {"PGPASSWORD": password})

"""`clipstead db`: what it does, says, and ends with."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from clipstead.cli.db import run_status, run_upgrade
from clipstead.cli.exits import Exit, guarded
from clipstead.db.line import connect


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """A database with nothing in it."""

    async def run(statement: str) -> None:
        connection = await connect(postgres.replace("/clipstead?", "/postgres?"))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run("CREATE DATABASE bare"))
    yield postgres.replace("/clipstead?", "/bare?")
    asyncio.run(run("DROP DATABASE bare WITH (FORCE)"))


def test_status_upgrade_status(empty_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Behind, brought up, up to date; the exit code says whether there is something to do."""
    assert run_status(empty_url, tmp_path) == Exit.SOME_FAILED
    assert "schema none of" in capsys.readouterr().out
    assert run_upgrade(empty_url, tmp_path) == Exit.DONE
    assert "applied 0001\napplied 0002" in capsys.readouterr().out
    assert run_status(empty_url, tmp_path) == Exit.DONE
    assert "up to date" in capsys.readouterr().out


def test_no_database_is_exit_3_and_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It cannot work."""
    url = "postgresql://clip:geheim@127.0.0.1:1/clip"
    assert guarded(lambda: run_status(url, tmp_path)) == Exit.CANNOT_WORK
    told = capsys.readouterr().err
    assert told.startswith("clipstead: cannot reach the database at 127.0.0.1")
    assert "geheim" not in told
    assert told.count("\n") == 1

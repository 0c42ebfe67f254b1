"""`clipstead db`: what it does, says, and ends with."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clipstead.cli.db import run_status, run_upgrade
from clipstead.cli.exits import Exit, guarded
from clipstead.db.line import connect


async def execute(url: str, statement: str) -> None:
    """Run it."""
    connection = await connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """A database with nothing in it."""
    beside = postgres.replace("/clipstead?", "/postgres?")
    asyncio.run(execute(beside, "CREATE DATABASE bare"))
    yield postgres.replace("/clipstead?", "/bare?")
    asyncio.run(execute(beside, "DROP DATABASE bare WITH (FORCE)"))


def test_status_upgrade_status(empty_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Behind, brought up, up to date; the exit code says whether there is something to do."""
    assert run_status(empty_url, tmp_path) == Exit.SOME_FAILED
    assert "schema none of" in capsys.readouterr().out
    assert run_upgrade(empty_url, tmp_path) == Exit.DONE
    assert "applied 0001\napplied 0002" in capsys.readouterr().out
    assert run_status(empty_url, tmp_path) == Exit.DONE
    assert "up to date" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://clip@127.0.0.1:1/clip", "cannot reach the database at 127.0.0.1: Connection refused"),
        ("postgresql://clip@127.0.0.1:99999/clip", "cannot reach the database at 127.0.0.1: connect(): port must be"),
        ("postgresql://clip@127.0.0.1:x/clip", "cannot reach the database at 127.0.0.1: invalid literal"),
        ("postgresql://clip@nowhere.invalid/clip", "cannot reach the database at nowhere.invalid: "),
        ("postgresql://clip@/clip?host=/nowhere", "cannot reach the database at /nowhere: No such file or directory"),
    ],
)
def test_why_there_is_none_is_said(url: str, told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In one line, with where it was looked for."""
    assert guarded(lambda: run_status(url, tmp_path)) == Exit.CANNOT_WORK
    said = capsys.readouterr().err
    assert said.startswith(f"clipstead: {told}")
    assert said.count("\n") == 1


def test_a_database_that_the_server_does_not_have_is_named(
    postgres: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The server is there, and says what is missing."""
    url = postgres.replace("/clipstead?", "/nothing_here?")
    assert guarded(lambda: run_upgrade(url, tmp_path)) == Exit.CANNOT_WORK
    assert 'database "nothing_here" does not exist' in capsys.readouterr().err


@contextmanager
def greeting(version: str, encoding: str) -> Iterator[str]:
    """The URL of something that answers as a Postgres does, up to the first query."""
    told = f"server_version\0{version}\0", f"server_encoding\0{encoding}\0"
    parts = ((b"R", bytes(4)), *((b"S", each.encode()) for each in told), (b"K", bytes(8)), (b"Z", b"I"))
    hello = b"".join(kind + (len(body) + 4).to_bytes(4, "big") + body for kind, body in parts)

    def answer(listener: socket.socket) -> None:
        client, _ = listener.accept()
        client.settimeout(30)
        with client:
            while length := int.from_bytes(client.recv(4), "big"):
                asked = client.recv(length - 4)
                if asked == b"\x04\xd2\x16\x2f":  # whether it speaks TLS
                    client.sendall(b"N")
                else:
                    client.sendall(hello)
                    client.recv(1024)  # its good-bye
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer, args=(listener,))
        answering.start()
        yield f"postgresql://clip@127.0.0.1:{listener.getsockname()[1]}/clip"
        answering.join()


@pytest.mark.parametrize(
    ("version", "encoding", "told"),
    [
        ("13.9", "UTF8", "the database is PostgreSQL 13; Clipstead needs 14 or newer\n"),
        ("17.2", "SQL_ASCII", "the database is encoded in SQL_ASCII; Clipstead needs one with ENCODING 'UTF8'\n"),
    ],
)
def test_a_postgres_that_will_not_do_is_said_so(
    version: str, encoding: str, told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Before anything is tried on it; not at the first title with an emoji in it."""
    with greeting(version, encoding) as url:
        assert guarded(lambda: run_upgrade(url, tmp_path)) == Exit.CANNOT_WORK
    assert capsys.readouterr().err == f"clipstead: {told}"


def test_no_database_is_exit_3_and_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It cannot work."""
    url = "postgresql://clip:geheim@127.0.0.1:1/clip"
    assert guarded(lambda: run_status(url, tmp_path)) == Exit.CANNOT_WORK
    told = capsys.readouterr().err
    assert told.startswith("clipstead: cannot reach the database at 127.0.0.1")
    assert "geheim" not in told
    assert told.count("\n") == 1

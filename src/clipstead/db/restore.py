"""A dump put back, all of it or nothing: pg_restore makes a script of it, psql runs that in one transaction.

Not pg_restore alone: the first thing it says is a setting that no Postgres before 17 knows, and it would stop there.
"""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

from clipstead.db.line import connect
from clipstead.db.migrate import status, upgrade
from clipstead.db.programs import running, trouble
from clipstead.db.unavailable import DatabaseUnavailable
from clipstead.errors import InvalidParams

_OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'clipstead' AND pid <> pg_backend_pid()"""
_VERSION = re.compile(rb"^COPY [^\n]*alembic_version[^\n]*\n([0-9]+)\n", re.MULTILINE)
_SCRIPT = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-")
_PSQL = ("--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", "--file=-")
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
_LAST_SETTING = b"SET client_encoding"
_PIECE = 256 * 1024


async def restore(url: str, path: Path) -> None:
    """Replace what the database at `url` holds by the dump in `path`, in one transaction, then bring it up to date.

    Raises InvalidParams for a file that is no dump, DatabaseUnavailable while others use the database, where it is at
    another step than the dump, or where the dump cannot be restored.
    """
    version = await _dumped_version(path)
    current = (await status(url)).current
    if current not in ("", version):
        raise DatabaseUnavailable(
            f"the dump was made at schema {version} and this database is at {current}: restore it into an empty one "
            "(another CLIPSTEAD_DATA_DIR or CLIPSTEAD_DATABASE_URL), which is then brought up to date"
        )
    await _alone(url)
    await _play(path, url)
    await upgrade(url)


async def _alone(url: str) -> None:
    connection = await connect(url)
    try:
        if others := await connection.fetchval(_OTHERS):
            raise DatabaseUnavailable(f"the database is in use ({others} connections): stop serve and workers first")
    finally:
        await connection.close()


async def _dumped_version(path: Path) -> str:
    """The schema step that a dump was made at."""
    if not await asyncio.to_thread(path.is_file):
        raise InvalidParams({"FILE": "must be a file that `clipstead db backup` wrote"})
    arguments = ("--data-only", "--table=alembic_version", "--file=-", "--", str(path))
    async with running("pg_restore", *arguments) as child:
        listed, _ = await child.communicate()
    if found := _VERSION.search(listed):
        return found[1].decode()
    raise InvalidParams({"FILE": "must be a file that `clipstead db backup` wrote, and this one is not, or is damaged"})


async def _play(path: Path, url: str) -> None:
    async with (
        running("psql", *_PSQL, url=url, stdin=PIPE) as player,
        running("pg_restore", *_SCRIPT, "--", str(path)) as writer,
    ):
        assert player.stderr is not None and writer.stderr is not None
        _, played, written = await asyncio.gather(_pour(writer, player), player.stderr.read(), writer.stderr.read())
        if await player.wait():
            raise trouble("psql", played)
        if await writer.wait():
            raise trouble("pg_restore", written)


async def _pour(writer: Process, player: Process) -> None:
    """The script from one to the other. Only what came whole is committed: psql takes any end of it for a good one."""
    assert writer.stdout is not None and player.stdin is not None
    script, to = writer.stdout, player.stdin
    with suppress(BrokenPipeError, ConnectionResetError):  # psql has ended, and says why
        to.write(b"BEGIN;\n")
        line = b""
        while not line.startswith(_LAST_SETTING) and (line := await script.readline()):
            to.write(line if line != _UNKNOWN_BEFORE_17 else b"")
        while piece := await script.read(_PIECE):
            to.write(piece)
            await to.drain()
        if not await writer.wait():
            to.write(b"COMMIT;\n")
        to.close()
        return
    with suppress(ProcessLookupError):
        writer.terminate()

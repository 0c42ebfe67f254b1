"""Bringing a database up to the schema of this Clipstead: one process at a time, all or nothing."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from clipstead.db.database import Database
from clipstead.db.schema import HEAD
from clipstead.db.unavailable import DatabaseUnavailable

if TYPE_CHECKING:  # 0.3 s to import, which a start with nothing to do is spared
    from alembic.config import Config

_LOCK = 0x636C6970  # "clip"
_CHILD = (sys.executable, "-P", "-m", "clipstead.db.migrate_child")  # -P: no code from the folder we stand in


@dataclass(frozen=True, slots=True)
class Status:
    """Which step a database is at ("" before the first), and the steps it still lacks."""

    current: str
    head: str
    pending: tuple[str, ...]


async def upgrade(url: str) -> Status:
    """Apply what is missing, under a lock that others wait for; a database that lacks nothing is only looked at.

    A process of its own does it: Alembic is large, and a server that loaded it once would hold it for good.
    """
    async with Database.open(url, connections=1) as database, database.begin() as connection:
        if await connection.run_sync(_current) == HEAD:
            return Status(HEAD, HEAD, ())
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*_CHILD, stdin=pipe, stderr=pipe)
    try:
        _, said = await child.communicate(url.encode())  # not an argument, which others could read
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or [f"it ended ({child.returncode})"]
        raise DatabaseUnavailable(lines[-1])
    return Status(HEAD, HEAD, ())


async def apply(url: str) -> None:
    """The same in this process."""
    async with Database.open(url, connections=1) as database:
        try:
            async with database.begin() as connection:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                await connection.run_sync(_apply)
        except DBAPIError as error:
            raise DatabaseUnavailable(f"the database could not be upgraded: {_first_line(error)}") from error


async def status(url: str) -> Status:
    """Where the database stands; DatabaseUnavailable if a newer Clipstead has been at it."""
    async with Database.open(url, connections=1) as database, database.begin() as connection:
        current = await connection.run_sync(_current)
    return Status(current, HEAD, _pending(current))


def _current(connection: Connection) -> str:
    if connection.scalar(text("SELECT to_regclass('alembic_version') IS NULL")):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def _pending(current: str) -> tuple[str, ...]:
    from alembic.script import ScriptDirectory

    steps = [step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()]
    if current and current not in steps:
        raise DatabaseUnavailable(f"a newer Clipstead has upgraded this database (to {current}, we know {HEAD})")
    return tuple(reversed(steps[: steps.index(current)] if current else steps))


def _apply(connection: Connection) -> None:
    from alembic import command

    if _pending(_current(connection)):
        command.upgrade(_config(connection), "head")


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0]

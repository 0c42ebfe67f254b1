"""Migrations: what they make is what the code sees, they run once, and trouble is one line."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy import Connection, text

from clipstead.cli.worker import command
from clipstead.db import Database, DatabaseUnavailable, Status, schema_archive, schema_keys, status, upgrade
from clipstead.db.line import connect
from clipstead.db.migrate import _config
from clipstead.db.schema import HEAD, metadata


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """A database with nothing in it."""

    async def run(statement: str) -> None:
        connection = await connect(postgres.replace("/clipstead?", "/postgres?"))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run("CREATE DATABASE empty"))
    yield postgres.replace("/clipstead?", "/empty?")
    asyncio.run(run("DROP DATABASE empty WITH (FORCE)"))


async def test_from_nothing_to_the_newest_by_several_at_once(empty_url: str) -> None:
    """Four processes that start together upgrade once; afterwards nothing is pending."""
    assert await status(empty_url) == Status("", HEAD, tuple(f"{step:04}" for step in range(1, int(HEAD) + 1)))
    await asyncio.gather(*(upgrade(empty_url) for _ in range(4)))
    assert await status(empty_url) == Status(HEAD, HEAD, ())


def test_the_newest_step_is_the_one_the_code_names() -> None:
    """HEAD is written down, so that a start need not load Alembic to know it."""
    assert ScriptDirectory.from_config(_config()).get_current_head() == HEAD


async def test_the_tables_are_those_the_code_sees(database_url: str) -> None:
    """Alembic finds no difference between schema.py and what the migrations made, columns, types and defaults."""

    def differences(connection: Connection) -> list[object]:
        def ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
            return kind != "table" or not (name or "").startswith(("pgqueuer", "alembic"))

        options = {"compare_type": True, "compare_server_default": True, "include_object": ours}
        assert schema_keys.api_keys.metadata is schema_archive.posts.metadata is metadata
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with Database.open(database_url) as database, database.begin() as connection:
        assert await connection.run_sync(differences) == []


async def test_pgqueuers_tables_are_those_of_the_installed_one(database_url: str) -> None:
    """Its own planner finds nothing to upgrade."""
    connection = await connect(database_url)
    plan = await Queries(AsyncpgDriver(connection)).plan_upgrade()
    assert list(plan.statements) == []
    await connection.close()


async def test_a_database_that_is_newer_than_we_is_left_alone(database_url: str) -> None:
    """An older Clipstead says so in one line, instead of working on tables that it does not know."""
    async with Database.open(database_url) as database, database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for look in (status, upgrade):
        with pytest.raises(DatabaseUnavailable, match="newer Clipstead"):
            await look(database_url)


async def test_a_failing_step_leaves_nothing_behind(empty_url: str) -> None:
    """All steps are one transaction: a table in the way of the second undoes the first."""
    connection = await connect(empty_url)
    await connection.execute("CREATE TABLE jobs (id int)")
    with pytest.raises(DatabaseUnavailable, match="could not be upgraded"):
        await upgrade(empty_url)
    assert await connection.fetchval("SELECT to_regclass('pgqueuer') IS NULL")
    await connection.close()


@pytest.mark.parametrize(
    "url", ["postgresql://u:geheim@127.0.0.1:1/x", "postgresql://u:geheim@[oops/x", "mysql://u:geheim@h/x"]
)
async def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(url: str) -> None:
    """Refused, misspelt, or no Postgres at all."""
    with pytest.raises(DatabaseUnavailable) as caught:
        await upgrade(url)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_code_in_the_folder_we_stand_in_is_not_run(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the process that upgrades nor by those that work: it may be anybody's."""
    for name in ("asyncio", "sqlalchemy", "typer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger was here')")
    monkeypatch.chdir(tmp_path)
    assert await upgrade(empty_url) == Status(HEAD, HEAD, ())
    child = await asyncio.create_subprocess_exec(*command("worker", "-h"), stdout=asyncio.subprocess.DEVNULL)
    assert await child.wait() == 0

"""Connections: transactions from a pool and a line that hears, both over a restart of the database."""

import asyncio

import pytest
from sqlalchemy import text

from clipstead.db import Database, DatabaseUnavailable
from clipstead.db.line import connect


async def cut_all(url: str) -> None:
    """End every session but our own, as a restart does."""
    connection = await connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


@pytest.mark.parametrize("idle", [0.0, 1.1])
async def test_the_first_transaction_after_a_restart_works(database_url: str, idle: float) -> None:
    """Connections in the pool that died in between are not handed out, no matter for how long they were idle."""
    async with Database.open(database_url) as database:
        async with database.begin() as one, database.begin() as other:
            for connection in (one, other):
                await connection.execute(text("SELECT 1"))
        await asyncio.sleep(idle)
        await cut_all(database_url)
        async with database.begin() as one, database.begin() as other:
            for connection in (one, other):
                assert await connection.scalar(text("SELECT 2")) == 2


async def test_a_transaction_cut_in_its_middle_says_so(database_url: str) -> None:
    """It is told as DatabaseUnavailable, which callers may try again."""
    async with Database.open(database_url) as database:
        with pytest.raises(DatabaseUnavailable):
            async with database.begin() as connection:
                await connection.execute(text("SELECT 1"))
                await cut_all(database_url)
                await connection.execute(text("SELECT 1"))


async def test_what_passes_is_told_as_such(database_url: str) -> None:
    """A statement that took too long or was called off: nothing is known but "not now"."""
    async with Database.open(database_url) as database:
        for statement in (
            "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)",
            "SELECT pg_cancel_backend(pg_backend_pid())",
        ):
            with pytest.raises(DatabaseUnavailable, match="cannot be used just now"):
                async with database.begin() as connection:
                    for part in statement.split("; "):
                        await connection.execute(text(part))


async def test_a_wrong_statement_is_no_unavailability(database_url: str) -> None:
    """Faults of ours are not mistaken for the database's absence."""
    async with Database.open(database_url) as database:
        with pytest.raises(Exception, match="nowhere") as caught:
            async with database.begin() as connection:
                await connection.execute(text("SELECT * FROM nowhere"))
        assert not isinstance(caught.value, DatabaseUnavailable)


async def test_announcements_are_heard_again_after_a_restart(database_url: str) -> None:
    """A listener is told of the gap, and hears what is announced after it."""
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    async with Database.open(database_url) as database:
        await database.listen("news", heard.put_nowait)
        assert await heard.get() is None  # whoever begins to listen has missed what came before
        await _announce(database_url, "one")
        assert await heard.get() == "one"
        await cut_all(database_url)
        async with asyncio.timeout(10):
            assert await heard.get() is None
        await _announce(database_url, "two")
        assert await heard.get() == "two"


async def test_a_second_channel_and_a_second_hearer_share_the_line(database_url: str) -> None:
    """One connection for all; whoever stops listening hears no more."""
    first: list[str | None] = []
    second: asyncio.Queue[str | None] = asyncio.Queue()
    async with Database.open(database_url) as database:
        await database.listen("one", first.append)
        await database.listen("one", second.put_nowait)
        await database.listen("two", second.put_nowait)
        database.unlisten("one", first.append)
        first.clear()
        for channel in ("one", "two"):
            await _announce(database_url, channel, channel)
        assert {await second.get(), await second.get()} == {"one", "two"}
        assert first == []
        rows = await database.line.fetch(
            "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%LISTEN%'"
        )
        assert rows[0]["n"] <= 1


async def test_a_statement_waits_for_the_database_to_come_back(database_url: str) -> None:
    """With patience the line sends it again, without it the loss is told."""
    async with Database.open(database_url) as database:
        await database.line.fetch("SELECT 1")
        await cut_all(database_url)
        assert await database.line.fetch("SELECT 2 AS number", patience=5) == [{"number": 2}]


async def _announce(url: str, payload: str, channel: str = "news") -> None:
    connection = await connect(url)
    await connection.execute(f"NOTIFY {channel}, '{payload}'")
    await connection.close()

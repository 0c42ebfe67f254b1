"""The database as the house uses it: transactions from a pool, and one line for what is announced."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from clipstead.db.checkout import look_before_use
from clipstead.db.line import PASSING, Heard, Line, connect, reason
from clipstead.db.lines import Lines
from clipstead.db.unavailable import DatabaseUnavailable

OLDEST = 14
_POOL_SECONDS = 30.0


class Database:
    """A Postgres at `url` (postgresql://...), shared by all parts of this process."""

    def __init__(self, url: str, *, connections: int = 10) -> None:
        self.url = url
        self.line = Line(url)
        self.lines = Lines(url)  # for what has to be quicker than the engine
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: connect(url),  # asyncpg reads the URL: it knows libpq's parameters
            pool_size=connections,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
        )
        look_before_use(self.engine)
        self._each = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._asking: asyncio.Task[bool] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, connections: int = 10) -> AsyncIterator[Database]:
        """A database that answers and is recent enough; DatabaseUnavailable in one line if not."""
        await _check(url)
        database = cls(url, connections=connections)
        try:
            yield database
        finally:
            await database._close()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end unless an error passes; DatabaseUnavailable when the database is gone."""
        with _told_as_unavailable():
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def each(self) -> AsyncIterator[AsyncConnection]:
        """A connection where each statement is a transaction of its own: one round trip instead of three."""
        with _told_as_unavailable():
            async with self._each.connect() as connection:
                yield connection

    async def answers(self, within: float) -> bool:
        """Whether it can be asked something just now, known after `within` seconds at the latest.

        One question is under way at a time, however many want to know.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        asking = self._asking
        await asyncio.wait((asking,), timeout=within)
        return asking.done() and not asking.cancelled() and asking.result()

    async def _ask(self) -> bool:
        try:
            await self.lines.fetch("SELECT 1")
        except DatabaseUnavailable:
            return False
        return True

    async def _close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self.line.close()
        await self.lines.close()
        await self.engine.dispose()

    async def listen(self, channel: str, heard: Heard) -> None:
        """Call `heard` with every payload announced on `channel`, and with None when some may have been missed."""
        await self.line.listen(channel, heard)

    def unlisten(self, channel: str, heard: Heard) -> None:
        """Stop calling `heard`."""
        self.line.unlisten(channel, heard)


@contextlib.contextmanager
def _told_as_unavailable() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        cause = getattr(error.orig, "__cause__", None) or error
        if error.connection_invalidated or isinstance(cause, PASSING):
            raise DatabaseUnavailable(f"the database cannot be used just now: {reason(cause)}") from error
        raise
    except PoolTimeout as error:
        raise DatabaseUnavailable(f"no connection to the database became free in {_POOL_SECONDS:.0f} s") from error


async def _check(url: str) -> None:
    connection = await connect(url)
    try:
        version, encoding = connection.get_server_version().major, connection.get_settings().server_encoding
    finally:
        await connection.close()
    if version < OLDEST:
        raise DatabaseUnavailable(f"the database is PostgreSQL {version}; Clipstead needs {OLDEST} or newer")
    if encoding != "UTF8":
        raise DatabaseUnavailable(f"the database is encoded in {encoding}; Clipstead needs one with ENCODING 'UTF8'")

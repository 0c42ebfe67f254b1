"""PgQueuer's statements over our connections: inside a caller's transaction, or on the line that mends itself."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.ports.driver import Driver, NotifyCallback
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncConnection

from clipstead.db import Database, DatabaseUnavailable

# Written down, not read: PgQueuer would take names from variables as common as CHANNEL or FUNCTION.
NAMES = DBSettings.model_construct(
    prefix="",
    db_schema=None,
    channel="ch_pgqueuer",
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)
_CHANGED = (
    '{"type": "table_changed_event", "channel": "ch_pgqueuer", "table": "pgqueuer", "operation": "update",'
    ' "sent_at": "2000-01-01T00:00:00Z"}'
)
_SETTLE_SECONDS = 0.01
_PATIENCE_SECONDS = 1.0


def queries(driver: Driver) -> Queries:
    """PgQueuer's operations over `driver`."""
    return Queries(
        driver, qbe=QueryBuilderEnvironment(NAMES), qbq=QueryQueueBuilder(NAMES), qbs=QuerySchedulerBuilder(NAMES)
    )


class InTransaction(Driver):
    """Statements become part of the transaction of `connection`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()  # PgQueuer sends some at once, a transaction takes them one by one

    async def fetch(self, query: str, *args: object) -> list[dict[str, Any]]:
        """The rows of a statement."""
        async with self._turn:
            result = await self._connection.exec_driver_sql(query, args)
            return [dict(row) for row in result.mappings()]

    async def execute(self, query: str, *args: object) -> str:
        """A statement whose rows, if any, nobody wants."""
        async with self._turn:
            await self._connection.exec_driver_sql(query, args)
        return ""

    async def notify(self, channel: str, payload: str) -> None:
        """Announced when the transaction is committed."""
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Nobody listens within a transaction."""
        raise NotImplementedError

    shutdown = property(lambda _self: asyncio.Event())
    tm = property(lambda _self: TaskManager())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class OnLine(Driver):
    """Statements outlast a restart of the database: they wait for it, unless `ending` says that we cannot."""

    def __init__(self, database: Database, ending: asyncio.Event) -> None:
        self._database = database
        self._ending = ending
        self._heard: list[tuple[str, _Calm]] = []

    async def fetch(self, query: str, *args: object) -> list[dict[str, Any]]:
        """The rows of a statement, which may be run twice: a claim whose answer was lost comes back with its lease."""
        while True:
            try:
                return await self._database.line.fetch(query, *args, patience=_PATIENCE_SECONDS)
            except DatabaseUnavailable:
                if self._ending.is_set():
                    raise

    async def execute(self, query: str, *args: object) -> str:
        """A statement whose rows, if any, nobody wants."""
        await self.fetch(query, *args)
        return ""

    async def notify(self, channel: str, payload: str) -> None:
        """Announce `payload`."""
        await self.fetch("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Call `callback` with announcements until `close`; after a gap it is told to look."""
        calm = _Calm(callback)
        self._heard.append((channel, calm))
        await self._database.listen(channel, calm)

    def close(self) -> None:
        """Stop listening."""
        for channel, calm in self._heard:
            self._database.unlisten(channel, calm)
            calm.close()
        self._heard.clear()

    shutdown = property(lambda _self: asyncio.Event())
    tm = property(lambda _self: TaskManager())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class _Calm:
    """Passes announcements on, but of the thousands that say "the table changed" only one at a time.

    Each wakes a lane to ask for work; what a lane needs to know is that something happened since it last looked.
    """

    def __init__(self, callback: NotifyCallback) -> None:
        self._callback = callback
        self._timer: asyncio.TimerHandle | None = None
        self._again = False

    def __call__(self, payload: str | None) -> None:
        if payload is not None and '"table_changed_event"' not in payload:
            self._callback(payload)
        elif self._timer:
            self._again = True
        else:
            self._pass_on()

    def _pass_on(self) -> None:
        self._again = False
        self._callback(_CHANGED)
        self._timer = asyncio.get_running_loop().call_later(_SETTLE_SECONDS, self._settled)

    def _settled(self) -> None:
        self._timer = None
        if self._again:
            self._pass_on()

    def close(self) -> None:
        """Forget what has not been passed on."""
        if self._timer:
            self._timer.cancel()

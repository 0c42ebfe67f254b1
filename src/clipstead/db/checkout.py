"""A connection is looked at before it is used: the first query after a restart of the database is no error."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

_QUIET_SECONDS = 1.0  # in which nobody drops a connection without a word
_USED = "used at"


def look_before_use(engine: AsyncEngine) -> None:
    """One that its server has ended is not handed out; one that was idle for long is asked, which takes three round
    trips where `pool_pre_ping` takes them each time."""
    connections, dialect = engine.sync_engine, engine.dialect

    @event.listens_for(connections, "checkin")
    def used(_connection: object, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    @event.listens_for(connections, "checkout")
    def look(connection: Any, record: Any, _proxy: object) -> None:
        last = record.info.get(_USED)
        if last is None:  # made just now
            return
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - last < _QUIET_SECONDS:
            return
        try:
            connection.ping()
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

"""One connection that mends itself: short statements go over it, and what the database announces comes in by it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import asyncpg  # type: ignore[import-untyped]  # it ships no annotations

from clipstead.db.unavailable import DatabaseUnavailable

LOST = (
    OSError,  # and with it every TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # a shutdown, a restart, a cancelled statement
    asyncpg.InternalClientError,  # out of step: the server ended it just as we began to ask
    asyncpg.InsufficientResourcesError,  # its disk is full, its connections are all taken
)
PASSING = (*LOST, asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError)
"""What is over after a while, without anybody having done wrong."""

_CONNECT_SECONDS = 10.0
_STATEMENT_SECONDS = 60.0  # a dead peer is told from a slow one by this
_PING_SECONDS = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

Row = dict[str, Any]
Heard = Callable[[str | None], None]
"""Called with each payload, and with None when some may have been missed."""


class Connection(Protocol):
    """What is used here of asyncpg.Connection."""

    async def fetch(self, query: str, *arguments: object, timeout: float | None = None) -> list[Any]: ...  # noqa: ASYNC109
    async def fetchval(self, query: str, *arguments: object) -> Any: ...
    async def execute(self, query: str, *arguments: object, timeout: float | None = None) -> str: ...  # noqa: ASYNC109
    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...
    async def close(self) -> None: ...
    def add_termination_listener(self, callback: Callable[..., None]) -> None: ...
    def get_server_version(self) -> Any: ...
    def get_settings(self) -> Any: ...
    def is_closed(self) -> bool: ...
    def terminate(self) -> None: ...


async def connect(url: str) -> Connection:
    """A plain connection to a postgresql:// URL; DatabaseUnavailable, without the password, where there is none."""
    try:
        settings = {"application_name": "clipstead"}
        connection: Connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS, server_settings=settings)
    except (OSError, ValueError, OverflowError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailable(f"cannot reach the database{_place(url)}: {reason(error)}") from error
    return connection


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    except ValueError:
        return ""
    return f" at {host}" if host else ""


def reason(error: BaseException) -> str:
    """An error in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own words name the address once more
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__


class Line:
    """A connection to `url` that is made when needed and made again when lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self._hearers: dict[str, list[Heard]] = {}
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    async def fetch(self, query: str, *arguments: object, patience: float = 0.0) -> list[Row]:
        """The rows of one statement. A lost connection is made anew and the statement sent again, for up to `patience`
        seconds, so it must bear being run twice; then DatabaseUnavailable."""
        clock = asyncio.get_running_loop().time
        deadline, pause = clock() + patience, _FIRST_PAUSE
        while True:
            try:
                async with self._turn:
                    with self._minding_loss():
                        connection = await self._connected()
                        rows = await connection.fetch(query, *arguments, timeout=_STATEMENT_SECONDS)
                        return [dict(row) for row in rows]
            except DatabaseUnavailable:
                if self._closed or clock() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def listen(self, channel: str, heard: Heard) -> None:
        """Call `heard` with everything announced on `channel`, from now on until `unlisten`."""
        async with self._turn:
            known = channel in self._hearers
            self._hearers.setdefault(channel, []).append(heard)
            with self._minding_loss():
                fresh = self._connection is None or self._connection.is_closed()
                connection = await self._connected()
                if not fresh and not known:
                    await connection.add_listener(channel, self._dispatch)
        self._keeper = self._keeper or asyncio.create_task(self._keep())

    def unlisten(self, channel: str, heard: Heard) -> None:
        """Stop calling `heard`; the channel itself stays open, which costs nothing."""
        self._hearers[channel].remove(heard)

    async def close(self) -> None:
        """End it for good."""
        self._closed = True
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._connection:
            self._connection.terminate()

    async def _connected(self) -> Connection:
        if self._closed:
            raise DatabaseUnavailable("the connection to the database was closed")
        if self._connection is None or self._connection.is_closed():
            connection = await connect(self._url)
            self._connection = connection
            self._lost.clear()
            connection.add_termination_listener(lambda *_: self._lost.set())
            for channel in self._hearers:
                await connection.add_listener(channel, self._dispatch)
            self._tell_gap()
        return self._connection

    def _dispatch(self, _connection: object, _pid: int, channel: str, payload: str) -> None:
        for heard in tuple(self._hearers[channel]):
            heard(payload)

    def _tell_gap(self) -> None:
        for hearers in self._hearers.values():
            for heard in tuple(hearers):
                heard(None)

    @contextlib.contextmanager
    def _minding_loss(self) -> Iterator[None]:
        """Every way in which a connection dies becomes DatabaseUnavailable, and the dead one is dropped."""
        try:
            yield
        except LOST as error:
            self._drop()
            raise DatabaseUnavailable(f"the connection to the database was lost: {reason(error)}") from error
        except asyncpg.InterfaceError as error:
            if self._connection and not self._connection.is_closed():
                raise
            self._drop()
            raise DatabaseUnavailable("the connection to the database was lost") from error

    def _drop(self) -> None:
        if self._connection:
            self._connection.terminate()
            self._connection = None

    async def _keep(self) -> None:
        """Come back as soon as a loss is noticed, and notice it: a silent peer is asked now and then."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), _PING_SECONDS)
            with contextlib.suppress(DatabaseUnavailable):
                await self.fetch("SELECT 1", patience=_PING_SECONDS)

"""So many calls at a time by all processes that share a database: each holds a leased share, and no call asks for one.

A busy process says once a second how much it could use, and hears how much it may. One that is idle gives its share
back, one that was killed loses it; who is new gets some as calls of the others end.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clipstead.archive.statements import Statements
from clipstead.db import Database, DatabaseUnavailable

_LEASE = 15.0  # seconds; a share outlives its holder's last word by that, where the session does not tell
_SURE = 2 / 3  # of a lease: for so long new calls begin, the rest of it is for those under way to end
_SPEAK, _SPEAK_HUNGRY = 1.0, 0.2
_SHARE = "SELECT * FROM clipstead_api_slots($1, $2, $3, $4, $5)"


class Slots:
    """`most` calls at a time, whoever makes them."""

    def __init__(self, database: Database, most: int) -> None:
        self._statements = Statements(database)
        self._most = most
        self._me = uuid.uuid4().hex
        self._used = self._peak = 0
        self._allowed = self._held = self._fair = 0  # used are at most `held`, and new ones begin below `allowed`
        self._until = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._keeper: asyncio.Task[None] | None = None
        self._stir = asyncio.Event()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have one, as soon as one is free. Raises DatabaseUnavailable."""
        await self._enter()
        try:
            yield
        finally:
            self._leave()

    async def close(self) -> None:
        """Give the share back; who waits still has to be cancelled before."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
            with contextlib.suppress(DatabaseUnavailable):  # then the lease will run out
                await self._say(0)

    async def _enter(self) -> None:
        loop = asyncio.get_running_loop()
        if self._keeper is None:
            self._keeper = loop.create_task(self._keep())
            self._keeper.add_done_callback(self._ended)
        self._peak = max(self._peak, self._used + len(self._waiting) + 1)
        if not self._waiting and self._has_room():
            self._used += 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()  # let in, and told to go at the same moment
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(turn)

    def _leave(self) -> None:
        self._used -= 1
        self._admit()
        if self._spare():
            self._stir.set()

    def _has_room(self) -> bool:
        return self._used < self._allowed and asyncio.get_running_loop().time() < self._until

    def _admit(self) -> None:
        while self._waiting and self._has_room():
            turn = self._waiting.popleft()
            if not turn.done():
                self._used += 1
                turn.set_result(None)

    def _spare(self) -> bool:
        """Whether others could have what is held here and not used any more."""
        return max(self._used, self._allowed) < self._held

    async def _keep(self) -> None:
        """Speak up as long as there is anything to do."""
        while True:
            self._stir.clear()
            wanted, self._peak = self._peak, self._used + len(self._waiting)
            try:
                await self._say(wanted)
            except DatabaseUnavailable as error:
                self._despair(error)
            else:
                self._admit()
            if wanted:
                await self._pause()
            elif not self._waiting:
                self._keeper = None
                return

    async def _say(self, wanted: int) -> None:
        now = asyncio.get_running_loop().time()
        if not wanted or now >= self._until:
            self._allowed = 0
        # What was allowed may be taken while the answer is on its way: it is given up only by the word after it.
        kept = max(self._used, self._allowed)
        (row,) = await self._statements.fetch(_SHARE, self._me, self._most, wanted, kept, _LEASE)
        self._allowed, self._held, self._fair = row["allowed"], row["held"], row["fair"]
        self._until = now + _LEASE * _SURE

    async def _pause(self) -> None:
        hungry = self._waiting and self._allowed < max(self._fair, 1)
        pause = _SPEAK_HUNGRY if hungry or self._spare() else _SPEAK
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stir.wait(), pause)

    def _despair(self, error: Exception) -> None:
        """The database cannot be reached: what is allowed still is, as long as the lease is sure to last."""
        if asyncio.get_running_loop().time() >= self._until:
            self._refuse(error)

    def _ended(self, keeper: asyncio.Task[None]) -> None:
        """An error that nobody foresaw is for those who wait to tell."""
        if not keeper.cancelled() and (error := keeper.exception()):
            self._keeper = None
            self._refuse(error)

    def _refuse(self, error: BaseException) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(error)

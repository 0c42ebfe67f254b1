"""How fast and how many at once: courtesy towards one upstream, first come, first served."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType


class Pace:
    """`async with pace:` waits for its turn: at most `concurrent` inside at a time, starts 1/`per_second` s apart.

    0 means no limit. Turns are given in the order they were asked for; a waiter that is cancelled costs nobody's turn.
    `clock` is in seconds; `sleep` waits that many.
    """

    def __init__(
        self,
        *,
        per_second: float = 0,
        concurrent: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if per_second < 0 or concurrent < 0:
            raise ValueError("a pace is not negative")
        self._interval = 1 / per_second if per_second else 0.0
        self._room = asyncio.Semaphore(concurrent) if concurrent else None
        self._queue = asyncio.Lock()
        self._next = float("-inf")
        self._clock = clock
        self._sleep = sleep

    async def __aenter__(self) -> None:
        if self._room is not None:
            await self._room.acquire()
        try:
            await self._turn()
        except BaseException:  # a cancelled waiter must give its place back
            if self._room is not None:
                self._room.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._room is not None:
            self._room.release()

    async def _turn(self) -> None:
        if not self._interval:
            return
        async with self._queue:  # its holder alone sleeps; asyncio wakes the others in the order they came
            while (wait := self._next - self._clock()) > 0:
                await self._sleep(wait)
            self._next = self._clock() + self._interval

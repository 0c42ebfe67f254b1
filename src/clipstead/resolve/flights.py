"""One fetch for everybody who waits for the same thing at the same time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from clipstead.errors import Attempt, DeadlineExceeded

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

GRACE = 0.25
"""Seconds a waiter stays beyond its time, so that the fetch itself can say how far it came."""


class Trip:
    """A fetch under way: the time it may still spend (the longest wish among its waiters) and what it has tried."""

    def __init__(self, patience: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + patience
        self._open_ended: asyncio.Timeout | None = None
        self.attempts: list[Attempt] = []

    def remaining(self) -> float:
        """Seconds left, below zero when the time is over."""
        return self._deadline - self._loop.time()

    def over(self) -> bool:
        """Whether the time is up, give or take the event loop's timer."""
        return self.remaining() < 0.005

    def extend(self, patience: float) -> None:
        """Somebody joined who will wait for `patience` seconds from now."""
        self._deadline = max(self._deadline, self._loop.time() + patience)
        if self._open_ended is not None and not self._open_ended.expired():
            self._open_ended.reschedule(self._deadline)

    @asynccontextmanager
    async def limit(self, seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
        """A timeout of `seconds`, or one that ends with the trip and is extended with it."""
        end = self._deadline if seconds is None else min(self._deadline, self._loop.time() + seconds)
        timeout = asyncio.timeout_at(end)
        self._open_ended = timeout if seconds is None else None
        try:
            async with timeout:
                yield timeout
        finally:
            self._open_ended = None


class _Flight(Generic[V]):
    def __init__(self, trip: Trip, task: "asyncio.Task[V]") -> None:
        self.trip = trip
        self.task = task
        self.waiters = 0


class Flights(Generic[K, V]):
    """Fetches by key. The fetch belongs to nobody: it ends when it is done or when the last waiter has left."""

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[V]] = {}
        self._called_off: set[asyncio.Task[V]] = set()

    def __len__(self) -> int:
        return len(self._flights)

    async def share(self, key: K, start: Callable[[Trip], Coroutine[object, object, V]], patience: float) -> V:
        """The result of the fetch under way for `key`, or of a new one; its error is every waiter's error.

        Raises DeadlineExceeded (with the attempts made so far) when this waiter's own `patience` (seconds) is over.
        """
        flight = self._join(key, start, patience)
        try:
            async with asyncio.timeout(patience + GRACE) as limit:
                return await asyncio.shield(flight.task)
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceeded("No provider answered in time", flight.trip.attempts) from None
        finally:
            self._leave(key, flight)

    def _join(self, key: K, start: Callable[[Trip], Coroutine[object, object, V]], patience: float) -> _Flight[V]:
        flight = self._flights.get(key)
        if flight is None or flight.task.done():
            trip = Trip(patience)
            flight = self._flights[key] = _Flight(trip, asyncio.ensure_future(start(trip)))
            flight.task.add_done_callback(lambda task: self._landed(key, task))
        else:
            flight.trip.extend(patience)
        flight.waiters += 1
        return flight

    def _leave(self, key: K, flight: _Flight[V]) -> None:
        flight.waiters -= 1
        if flight.waiters or flight.task.done():
            return
        flight.task.cancel()
        self._called_off.add(flight.task)
        flight.task.add_done_callback(self._called_off.discard)
        # Out of the book at once: whoever comes now must not board a fetch that is being called off.
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _landed(self, key: K, task: "asyncio.Task[V]") -> None:
        if not task.cancelled():
            task.exception()  # fetched here too, in case every waiter has left
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]

    async def close(self) -> None:
        """Call off everything under way (its waiters see a CancelledError) and wait until it has really ended."""
        tasks = [*(flight.task for flight in self._flights.values()), *self._called_off]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

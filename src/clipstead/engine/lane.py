"""One kind of work on this machine: its own PgQueuer manager, so that it has its own number of hands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta

import anyio
from pgqueuer.domain.types import Channel
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Context, Job
from pgqueuer.qm import QueueManager

from clipstead.engine.drivers import NAMES, OnLine, queries
from clipstead.engine.handler import Handler, TryAgain

_LARGEST_BATCH = 50
_MANY_HANDS = 16
_LOOK_AGAIN = timedelta(seconds=0.5)  # while all hands are busy; the end of a job wakes the lane by itself


class Lane:
    """Claims jobs of `kind`, `hands` at a time, and has `handler` do them, each under a lease kept by a heartbeat."""

    def __init__(self, kind: str, handler: Handler, hands: int, driver: OnLine) -> None:
        self._handler = handler
        self._hands = hands
        self._free = asyncio.Semaphore(hands)
        self._driver = driver
        self._working: dict[str, set[asyncio.Task[None]]] = {}
        self._leaving = False
        self._manager = _Manager(queries(driver), Channel(NAMES.channel))
        self._manager.hands = hands
        self._manager.min_dequeue_poll_interval = _LOOK_AGAIN
        self._manager.entrypoint(kind, accepts_context=True, on_failure="hold")(self._work)

    async def run(self, *, lease: timedelta, look: timedelta) -> None:
        """Work until `finish`; what is claimed by then is done first."""
        await self._manager.run(
            dequeue_timeout=look,
            # PgQueuer frees hands by the batch as well: with few of them, one at a time keeps all of them busy.
            batch_size=min(_LARGEST_BATCH, self._hands // 2) if self._hands >= _MANY_HANDS else 1,
            heartbeat_timeout=lease,
            log_aggregation_interval=timedelta(0),  # its statistics are read by nobody
        )

    def finish(self) -> None:
        """Claim nothing more."""
        self._manager.shutdown.set()

    def let_go(self) -> None:
        """End what is under way and give it back: another worker may have it at once."""
        self._leaving = True
        self.drop(*tuple(self._working))

    def drop(self, *row_ids: str) -> None:
        """End the work on these rows, whose attempts have become worthless."""
        for row_id in row_ids:
            for work in self._working.get(row_id, ()):
                _cancel_once(work)

    async def _work(self, job: Job, context: Context) -> None:
        """Do one job as a task of its own: a cancellation reaches it once, and its cleaning up is not disturbed."""
        row_id = (job.payload or b"").decode()
        work = asyncio.create_task(self._handle(row_id))
        bell = asyncio.create_task(_rung(context.cancellation))
        self._working.setdefault(row_id, set()).add(work)
        try:
            await asyncio.wait({work, bell}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                _cancel_once(work)
                await asyncio.wait({work})
        finally:
            bell.cancel()
            self._forget(row_id, work)
        await self._outcome(work)

    async def _handle(self, row_id: str) -> None:
        """A job that was called off has left the queue, but its hand is free only when it has cleaned up."""
        async with self._free:
            await self._handler(row_id)

    async def _outcome(self, work: asyncio.Task[None]) -> None:
        if work.cancelled():
            if self._leaving:
                raise RetryRequested(reason="the worker is leaving")
            return
        try:
            work.result()
        except TryAgain as wish:
            raise RetryRequested(timedelta(seconds=wish.delay), reason=str(wish.__cause__ or wish)) from wish

    def _forget(self, row_id: str, work: asyncio.Task[None]) -> None:
        self._working[row_id].discard(work)
        if not self._working[row_id]:
            del self._working[row_id]


class _Manager(QueueManager):
    """PgQueuer's own cap on a worker's jobs, without its demand that it be at least two, and with fewer questions."""

    hands = 1

    async def verify_structure(self) -> None:
        """The tables are of our own migrations: it would ask fifteen times whether they are there."""

    async def _effective_dequeue_timeout(self, dequeue_timeout: timedelta) -> timedelta:
        """As its own; where many work it is not worth two questions whether there is more: it is looked for soon."""
        if self.hands >= _MANY_HANDS and self.job_context:
            return self.min_dequeue_poll_interval
        return await super()._effective_dequeue_timeout(dequeue_timeout)

    async def fetch_jobs(
        self, batch_size: int, global_concurrency_limit: int | None, heartbeat_timeout: timedelta
    ) -> AsyncGenerator[Job, None]:
        """As its own, with our number."""
        async with contextlib.aclosing(super().fetch_jobs(batch_size, self.hands, heartbeat_timeout)) as jobs:
            async for job in jobs:
                yield job


def _cancel_once(work: asyncio.Task[None]) -> None:
    """Several may find out that work is over; its cleaning up is not to be cancelled by the second."""
    if not work.cancelling():
        work.cancel()


async def _rung(cancellation: anyio.CancelScope) -> None:
    """Returns when PgQueuer calls the job off."""
    with cancellation:
        await asyncio.Event().wait()

"""One attempt at a job, as the task sees it: what is to be done, and where to say how far it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from clipstead.db import DatabaseUnavailable
from clipstead.jobs.attempts import Attempts, Report
from clipstead.jobs.job import Job, Lease

_SECONDS_BETWEEN_REPORTS = 0.5


class Attempt:
    """Handed to a task. `lost` is called when the job turns out not to be this attempt's any more."""

    def __init__(self, job: Job, lease: Lease, attempts: Attempts, lost: Callable[[], None]) -> None:
        self.job = job
        self.lease = lease
        self._attempts = attempts
        self._lost = lost
        self._news: Report | None = None
        self._sender: asyncio.Task[None] | None = None

    def report(self, percent: float, *, speed: str | None = None, eta: float | None = None) -> None:
        """Say how far it is, as often as one likes: the newest is sent twice a second, and nobody waits for it."""
        self._news = Report(percent, speed, None if eta is None else max(0, round(eta)))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())

    async def close(self) -> None:
        """Nothing more is said."""
        if self._sender:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender

    async def _send(self) -> None:
        """Progress is worth no error: without a database it is not told, and the work goes on."""
        while True:
            if self._news:
                news, self._news = self._news, None
                with contextlib.suppress(DatabaseUnavailable):
                    if not await self._attempts.report(self.lease, news):
                        self._lost()
                        return
            await asyncio.sleep(_SECONDS_BETWEEN_REPORTS)

"""Those who wait for jobs: one listener and one query at a time for all of them, however many they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from clipstead.db import Database, DatabaseUnavailable
from clipstead.db.schema import JOBS_CHANNEL
from clipstead.errors import NotFound
from clipstead.jobs.job import Job

Load = Callable[[Sequence[str]], Awaitable[dict[str, Job]]]

_PLACES_SECONDS = 1.0  # between two looks at who is where in the queue
_CERTAINTY_SECONDS = 20.0  # everything watched is looked at this often, heard of or not
_LONGEST_PAUSE = 0.5  # between two queries, while they are slow or fail


class _Watched:
    """A job somebody waits for: its newest state, and whom to wake when there is a newer one."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self.wakes: set[asyncio.Event] = set()

    def show(self, job: Job | None) -> None:
        """Let everybody see `job`, unless they have seen it."""
        if job is None or job != self.job:
            self.job = job
            for wake in self.wakes:
                wake.set()


class Watchers:
    """Hears what changes, loads the changed jobs that are watched (all at once), and wakes those who wait for them."""

    def __init__(self, database: Database, load: Load) -> None:
        self._database = database
        self._load = load
        self._watched: dict[str, _Watched] = {}
        self._changed: set[str] = set()
        self._moved: set[str] = set()  # lanes whose queue is another than it was
        self._stir = asyncio.Event()
        self._places_due = self._certainty_due = 0.0
        self._refresher: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def watch(self, job_id: str, *, after: int = 0) -> AsyncGenerator[Job, None]:
        """The state as it is, then each newer one (a slow reader misses some, never the last), until the final one.

        `after` is the version last seen by whoever comes back: it is not repeated, unless it is the final one.
        NotFound if there is no such job.
        """
        await self._start()
        watched, wake = self._watched.setdefault(job_id, _Watched()), asyncio.Event()
        watched.wakes.add(wake)
        if watched.job:
            wake.set()
        else:
            self._look_at(job_id)
        shown: Job | None = None
        try:
            while True:
                await wake.wait()
                wake.clear()
                job = watched.job
                if job is None:
                    raise NotFound("Job not found")
                if job.final or (job != shown and (shown or job.version > after)):
                    yield job
                shown = job
                if job.final:
                    return
        finally:
            watched.wakes.discard(wake)
            if not watched.wakes and self._watched.get(job_id) is watched:
                del self._watched[job_id]

    async def close(self) -> None:
        """Stop listening; whoever still waits, waits in vain."""
        if self._refresher:
            self._database.unlisten(JOBS_CHANNEL, self._heard)
            self._refresher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refresher
            self._refresher = None

    async def _start(self) -> None:
        async with self._starting:
            if self._refresher is None:
                await self._database.listen(JOBS_CHANNEL, self._heard)
                self._refresher = asyncio.create_task(self._refresh())

    def _heard(self, payload: str | None) -> None:
        if payload is None:
            self._changed.update(self._watched)
            self._stir.set()
            return
        job_id, lane, status, before = payload.split(" ")
        if job_id in self._watched:
            self._look_at(job_id)
        if "pending" in (status, before) and status != before:
            self._moved.add(lane)

    def _look_at(self, job_id: str) -> None:
        self._changed.add(job_id)
        self._stir.set()

    async def _refresh(self) -> None:
        """One query at a time; what changes meanwhile is in the next."""
        clock = asyncio.get_running_loop().time
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stir.wait(), _PLACES_SECONDS if self._watched else None)
            self._stir.clear()
            began = clock()
            if began >= self._certainty_due:
                self._certainty_due = began + _CERTAINTY_SECONDS
                self._changed.update(self._watched)
            if began >= self._places_due:
                self._places_due = began + _PLACES_SECONDS
                self._changed.update(self._displaced())
            if self._changed:
                await self._show_changed()
                await asyncio.sleep(min(clock() - began, _LONGEST_PAUSE))

    def _displaced(self) -> list[str]:
        """Who waits in a lane in which somebody came or went since we last looked."""
        moved, self._moved = self._moved, set()
        return [
            job_id
            for job_id, watched in self._watched.items()
            if watched.job and watched.job.status == "pending" and watched.job.lane in moved
        ]

    async def _show_changed(self) -> None:
        changed, self._changed = self._changed & self._watched.keys(), set()
        try:
            jobs = await self._load(list(changed)) if changed else {}
        except DatabaseUnavailable:
            self._changed |= changed
            self._stir.set()
            await asyncio.sleep(_LONGEST_PAUSE)
            return
        for job_id in changed:
            if watched := self._watched.get(job_id):
                watched.show(jobs.get(job_id))

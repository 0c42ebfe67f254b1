"""What a worker does for the archive: posts captured, sources listed, claims kept alive, lost work found again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from clipstead.archive.discover import Discovery
from clipstead.archive.failures import FIRST_PAUSE
from clipstead.archive.parts import Archive
from clipstead.db import DatabaseUnavailable
from clipstead.errors import StorageError
from clipstead.tasks.listings import Listings
from clipstead.tasks.posts import Posts

Tidy = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Terms:
    """How much one process does at a time, and how often it looks for lost work and tidies up, in seconds.

    `calls` and `downloads` under way, and posts that are put into the store and written down beside them (`keeping`),
    which is mostly waiting for disks; `sources` listed at a time; `most_waiting` listed posts before listing pauses;
    `first_pause` before a second attempt.
    """

    calls: int = 8
    downloads: int = 20
    keeping: int = 12
    sources: int = 4
    most_waiting: int = 5000
    sweep: int = 10
    tidy: int = 600
    first_pause: float = FIRST_PAUSE


class ArchiveWork:
    """Registers all that a worker does for the archive with its engine; `tidy` is called now and then by one of all.

    `under_way` has to be entered before the engine runs, and left after.
    """

    def __init__(self, archive: Archive, terms: Terms, *, tidy: Tidy | None = None) -> None:
        self._archive = archive
        self._tidy = tidy
        self._posts = Posts(archive, hands=terms.calls + terms.downloads + terms.keeping, first_pause=terms.first_pause)
        discovery = Discovery(
            archive.database, archive.sources, archive.listing, archive.budget, most_waiting=terms.most_waiting
        )
        self._listings = Listings(archive, discovery, hands=terms.sources, first_pause=terms.first_pause)
        archive.engine.schedule("archive-sweep", terms.sweep, self._sweep)
        if tidy is not None:
            archive.engine.schedule("archive-tidy", terms.tidy, self._tidied)

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """Claims are kept alive meanwhile."""
        pulse = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            pulse.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pulse
            self._archive.answers.close()
            with contextlib.suppress(DatabaseUnavailable):
                await self._archive.budget.close()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._archive.ledger.lease / 3)
            for beat in (self._posts.keep_alive, self._listings.keep_alive, self._archive.budget.flush):
                with contextlib.suppress(DatabaseUnavailable):
                    await beat()
            self._archive.answers.sweep()

    async def _sweep(self) -> None:
        for sweep in (self._archive.ledger.sweep, self._archive.sources.sweep):
            with contextlib.suppress(DatabaseUnavailable):
                await sweep()

    async def _tidied(self) -> None:
        if self._tidy is not None:
            with contextlib.suppress(StorageError):  # the next time, then
                await self._tidy()

"""The task of a download job: what its link leads to, as one file that is named after its post."""

from __future__ import annotations

import asyncio

from clipstead.errors import DownloadFailed
from clipstead.jobs import Result
from clipstead.jobs.attempt import Attempt
from clipstead.model import Media
from clipstead.tasks.fetching import Downloads
from clipstead.tasks.kit import Kit
from clipstead.tasks.wish import Wish

_LONGEST_SECONDS = 6 * 3600.0


async def download_link(kit: Kit, attempt: Attempt) -> Result:
    """Raises what `Downloads.fetch` raises, StorageFull before the disk is."""
    kit.workspace.check_floor()
    downloads = Downloads(kit.resolver, kit.capture, kit.bench, kit.encodes, kit.ticks)

    def fetched(media: Media, done: int, total: int | None) -> None:
        kit.workspace.check_floor(max(0, (total or 0) - done))

    try:
        async with asyncio.timeout(_LONGEST_SECONDS) as patience, kit.folder(attempt) as folder:
            made, name = await downloads.fetch(Wish.of(attempt.job.params), folder, attempt.report, fetched)
            return await kit.keep(attempt.job, made, name)
    except TimeoutError:
        if not patience.expired():
            raise
        raise DownloadFailed("The download took too long", transient=False) from None

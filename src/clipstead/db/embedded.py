"""The database that is simply there: Postgres from the wheel, or the one whose URL is given."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from clipstead.db.unavailable import DatabaseUnavailable


@asynccontextmanager
async def reach(given: str, data_dir: Path) -> AsyncIterator[str]:
    """The URL of the database to use: the `given` one, or, if that is empty, the embedded one in `data_dir`."""
    if given:
        yield given
        return
    async with embedded(data_dir) as url:
        yield url


@asynccontextmanager
async def embedded(data_dir: Path) -> AsyncIterator[str]:
    """The URL of a running Postgres whose data lies in `data_dir`/postgres; it stays valid until the context ends.

    All of our processes that name the same folder share it. DatabaseUnavailable, in one line, where there can be none.
    """
    if sys.platform == "win32":
        raise DatabaseUnavailable("no Postgres can be embedded on Windows: set CLIPSTEAD_DATABASE_URL")
    from clipstead.db.household import join  # what it stands on is not on every platform

    household = await join(data_dir)
    watch = asyncio.create_task(household.watch())
    try:
        yield household.url
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await household.leave()

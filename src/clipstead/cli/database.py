"""The database that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clipstead.db import Database, reach, upgrade
from clipstead.settings import Settings


@asynccontextmanager
async def open_database(settings: Settings, *, connections: int = 1) -> AsyncIterator[Database]:
    """Up to date and answering: the one of DATABASE_URL, else ours. DatabaseUnavailable in one line if not."""
    async with reach(settings.database_url, settings.data_dir) as url:
        await upgrade(url)
        async with Database.open(url, connections=connections) as database:
            yield database

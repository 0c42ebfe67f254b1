"""The database that the settings name, for commands that need nothing else of the house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from clipstead.db import Database, embedded, upgrade
from clipstead.settings import Settings


@asynccontextmanager
async def open_database(settings: Settings, *, connections: int = 1) -> AsyncIterator[Database]:
    """Up to date and answering: the one of DATABASE_URL, else ours. DatabaseUnavailable in one line if not."""
    async with AsyncExitStack() as stack:
        url = settings.database_url or await stack.enter_async_context(embedded(settings.data_dir))
        await upgrade(url)
        yield await stack.enter_async_context(Database.open(url, connections=connections))

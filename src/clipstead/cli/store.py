"""The archive's store, as the settings name it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clipstead.archive.store import Store, open_store
from clipstead.settings import Settings, SettingsError


def store_url(settings: Settings) -> str:
    """Where ARCHIVE_STORE says that files are kept; it holds no secret."""
    return settings.archive_store or str(settings.data_dir / "archive")


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """The store that ARCHIVE_STORE names. Nothing is dialled yet."""
    try:
        store = open_store(store_url(settings), settings.data_dir / "archive-staging")
    except ValueError as error:
        raise SettingsError(f"CLIPSTEAD_ARCHIVE_STORE: {error} (see docs/configuration.md)") from None
    try:
        yield store
    finally:
        await store.close()

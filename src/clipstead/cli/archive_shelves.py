"""What the archive's commands stand on that ask nobody outside: its database, its store, and the books about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from clipstead.archive.audit import Audit
from clipstead.archive.budget import Budget
from clipstead.archive.catalog import Catalog
from clipstead.archive.dead import DeadLetters
from clipstead.archive.erase import Eraser
from clipstead.archive.janitor import Janitor
from clipstead.archive.ledger import Ledger
from clipstead.archive.leftovers import Leftovers
from clipstead.archive.retention import Retention, parse_retention
from clipstead.archive.sources import Sources
from clipstead.archive.store import Store
from clipstead.archive.tombstones import Tombstones
from clipstead.cli.database import open_database
from clipstead.cli.exits import CannotWork
from clipstead.cli.store import opened_store, store_url
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.errors import StorageError
from clipstead.settings import Settings, SettingsError, load

_CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class Shelves:
    """What is kept, and the books about it: all that a command needs which asks nobody outside."""

    settings: Settings
    database: Database
    engine: Engine
    store: Store
    ledger: Ledger
    sources: Sources
    catalog: Catalog
    dead: DeadLetters
    audit: Audit
    tombstones: Tombstones
    eraser: Eraser
    janitor: Janitor


@asynccontextmanager
async def open_shelves(settings: Settings | None = None) -> AsyncIterator[Shelves]:
    """On the database and the store that the settings name. Raises DatabaseUnavailable, SettingsError, StorageError."""
    settings = settings or load()
    retention = retention_of(settings)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened_store(settings))
        database = await stack.enter_async_context(open_database(settings, connections=_CONNECTIONS))
        yield shelves_of(settings, database, Engine(database), store, retention)


def shelves_of(
    settings: Settings, database: Database, engine: Engine, store: Store, retention: Retention | None = None
) -> Shelves:
    """The same, on what is open already."""
    ledger = Ledger(database, engine, most=settings.archive_attempts)
    catalog, dead, tombstones = Catalog(database), DeadLetters(database, engine), Tombstones(database)
    eraser, leftovers = Eraser(tombstones, store), Leftovers(database, store, ledger, dead)
    return Shelves(
        settings=settings,
        database=database,
        engine=engine,
        store=store,
        ledger=ledger,
        sources=Sources(database, engine, ledger),
        catalog=catalog,
        dead=dead,
        audit=Audit(database),
        tombstones=tombstones,
        eraser=eraser,
        janitor=Janitor(database, store, catalog, dead, eraser, leftovers, retention or retention_of(settings)),
    )


async def probed(shelves: Shelves) -> Sequence[str]:
    """What an operator should know of the store, which is tried out before anything is put there: puts go by what it
    was seen to do. CannotWork, which names it, where it is of no use."""
    try:
        return (await shelves.store.probe()).notes
    except StorageError as error:
        raise CannotWork(f"the archive's store, {store_url(shelves.settings)}, cannot be used: {error}") from None


def budget_of(settings: Settings, database: Database) -> Budget:
    """What each provider may be asked, by all who share the database."""
    return Budget(
        database,
        at_once=settings.archive_api_concurrent,
        per_minute=settings.archive_api_per_minute,
        rates={"tikwm": settings.tikwm_per_second * 60, "tiklive": settings.tiklive_per_minute},
    )


def retention_of(settings: Settings) -> Retention:
    """The rules of ARCHIVE_RETENTION."""
    try:
        return parse_retention(settings.archive_retention)
    except ValueError as error:
        raise SettingsError(f"CLIPSTEAD_ARCHIVE_RETENTION: {error} (see docs/archive.md)") from None

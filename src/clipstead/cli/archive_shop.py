"""The parts that the archive's commands stand on, put together: its database and store, and whoever can be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from clipstead.app import App, open_app
from clipstead.archive.answers import Answers
from clipstead.archive.audit import Audit, Deed
from clipstead.archive.budget import Budget
from clipstead.archive.calls import Calls
from clipstead.archive.catalog import Catalog
from clipstead.archive.dead import DeadLetters
from clipstead.archive.erase import Eraser
from clipstead.archive.janitor import Janitor
from clipstead.archive.ledger import Ledger
from clipstead.archive.leftovers import Leftovers
from clipstead.archive.parts import Archive
from clipstead.archive.pipeline import Pipeline
from clipstead.archive.retention import Retention, parse_retention
from clipstead.archive.sources import Sources
from clipstead.archive.store import Store
from clipstead.archive.tombstones import Tombstones
from clipstead.capture import Capture
from clipstead.cli.database import open_database
from clipstead.cli.store import opened_store
from clipstead.db import Database
from clipstead.engine import Engine
from clipstead.errors import StorageError
from clipstead.settings import Settings, SettingsError, load
from clipstead.tasks.archive import ArchiveWork, Terms

_CONNECTIONS = 10
# Posts that were listed and wait: more than a minute's worth would be stale by the time they are resolved.
_LEAST_WAITING, _MOST_WAITING = 100, 5000


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


def archive_of(app: App, shelves: Shelves) -> Archive:
    """With those who can be asked: what lists, captures and looks again. Raises StorageError."""
    settings = app.settings
    budget = Budget(
        shelves.database,
        at_once=settings.archive_api_concurrent,
        per_minute=settings.archive_api_per_minute,
        rates={"tikwm": settings.tikwm_per_second * 60, "tiklive": settings.tiklive_per_minute},
    )
    calls = Calls(app.resolver, budget)
    capture = Capture(calls, app.fetcher, max_bytes=settings.max_file_bytes, hashing=True, at_hand=True)
    answers = Answers(_made_folder(settings))

    async def report(key: str, why: str) -> None:
        await shelves.audit.write([Deed("quarantine", key, why, "run")])

    return Archive(
        database=shelves.database,
        engine=shelves.engine,
        ledger=shelves.ledger,
        sources=shelves.sources,
        catalog=shelves.catalog,
        dead=shelves.dead,
        tombstones=shelves.tombstones,
        audit=shelves.audit,
        store=shelves.store,
        budget=budget,
        resolver=app.resolver,
        calls=calls,
        capture=capture,
        listing=app.listing,
        answers=answers,
        pipeline=Pipeline(
            shelves.ledger, shelves.store, calls, capture, answers, report, downloads=settings.archive_downloads
        ),
    )


def archive_work(archive: Archive, shelves: Shelves) -> ArchiveWork:
    """What a worker does for the archive, registered with its engine."""
    settings = shelves.settings
    per_minute = settings.archive_api_per_minute
    terms = Terms(
        calls=settings.archive_api_concurrent,
        downloads=settings.archive_downloads,
        most_waiting=max(_LEAST_WAITING, int(per_minute)) if per_minute else _MOST_WAITING,
    )
    return ArchiveWork(archive, terms, tidy=shelves.janitor.sweep)


@asynccontextmanager
async def open_archive(settings: Settings | None = None) -> AsyncIterator[tuple[Archive, Shelves]]:
    """Everything. Raises DatabaseUnavailable, SettingsError, StorageError."""
    settings = settings or load()
    async with open_app(lean(settings)) as app, open_shelves(settings) as shelves:
        archive = archive_of(app, shelves)
        yield archive, shelves
        await archive.budget.close()


def lean(settings: Settings) -> Settings:
    """Without memory for answers: the archive asks about each post once."""
    return settings.model_copy(update={"cache_bytes": 0})


def retention_of(settings: Settings) -> Retention:
    """The rules of ARCHIVE_RETENTION."""
    try:
        return parse_retention(settings.archive_retention)
    except ValueError as error:
        raise SettingsError(f"CLIPSTEAD_ARCHIVE_RETENTION: {error} (see docs/archive.md)") from None


def _made_folder(settings: Settings) -> Path:
    folder = settings.data_dir / "archive-answers"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageError(f"cannot keep {folder}: {error.strerror}; set CLIPSTEAD_DATA_DIR") from None
    return folder

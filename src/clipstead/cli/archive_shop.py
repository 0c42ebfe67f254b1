"""The archive with those who can be asked, put together: what lists, captures and looks again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from clipstead.app import App, open_app
from clipstead.archive.answers import Answers
from clipstead.archive.audit import Deed
from clipstead.archive.calls import Calls
from clipstead.archive.parts import Archive
from clipstead.archive.pipeline import Pipeline
from clipstead.capture import Capture
from clipstead.cli.archive_shelves import Shelves, budget_of, open_shelves
from clipstead.errors import StorageError
from clipstead.settings import Settings, load
from clipstead.tasks.archive import ArchiveWork, Terms

# Posts that were listed and wait: more than a minute's worth would be stale by the time they are resolved.
_LEAST_WAITING, _MOST_WAITING = 100, 5000


def archive_of(app: App, shelves: Shelves) -> Archive:
    """With those who can be asked: what lists, captures and looks again. Raises StorageError."""
    settings = app.settings
    budget = budget_of(settings, shelves.database)
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
        try:
            yield archive, shelves
        finally:
            await archive.budget.close()


def lean(settings: Settings) -> Settings:
    """Without memory for answers: the archive asks about each post once."""
    return settings.model_copy(update={"cache_bytes": 0})


def _made_folder(settings: Settings) -> Path:
    folder = settings.data_dir / "archive-answers"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageError(f"cannot keep {folder}: {error.strerror}; set CLIPSTEAD_DATA_DIR") from None
    return folder

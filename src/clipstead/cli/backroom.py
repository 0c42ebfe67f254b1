"""What a server has behind it: the database with all that stands on it, and the worker processes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from functools import partial

from clipstead.app import App
from clipstead.archive.catalog import Catalog
from clipstead.archive.store import Store
from clipstead.cli import worker as worker_command
from clipstead.cli.first_key import defaults_of, tell_first_key
from clipstead.cli.store import opened_store
from clipstead.cli.workshop import open_workshop
from clipstead.db import Database
from clipstead.errors import ClipsteadError, StorageError
from clipstead.resolve.tiktok.short import expand
from clipstead.server.archive_room import archive_room
from clipstead.server.archived import Archived
from clipstead.server.keys import Keys
from clipstead.server.workroom import NotReady, Workroom
from clipstead.settings import Settings, SettingsError
from clipstead.worker import Supervisor

_PAUSE_SECONDS = 5.0

log = logging.getLogger(__name__)


class _Store:
    """The archive's store, opened when it is first asked for: a server whose archive nobody reads has no use for it."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self._store: Store | None = None

    async def opened(self) -> Store:
        """It; opening dials nobody and waits for nothing. Raises StorageError, also for a setting that names none."""
        if self._store is None:
            try:
                self._store = await self._stack.enter_async_context(opened_store(self._settings))
            except SettingsError as error:
                raise StorageError(str(error)) from None
        return self._store


class Backroom:
    """The workroom of a server, opened behind it: ClipX answers meanwhile, and whoever needs a job is told to wait."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._room: Workroom | None = None
        self._why = "Starting up, try again in a moment"

    def room(self) -> Workroom:
        """The parts; NotReady while they are not there."""
        if self._room is None:
            raise NotReady(self._why)
        return self._room

    async def run(self, stop: asyncio.Event) -> None:
        """Open it, with worker processes, until `stop` is set; what is not to be had is tried again."""
        while not stop.is_set():
            try:
                await self._open(stop)
            except ClipsteadError as error:  # no database, no ffmpeg, no room on the disk
                log.warning("jobs cannot be taken: %s", error)
                self._why = "Jobs cannot be taken just now, try again in a moment"
            finally:
                self._room = None
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PAUSE_SECONDS)

    async def _open(self, stop: asyncio.Event) -> None:
        settings = self._app.settings
        async with open_workshop(self._app) as shop, AsyncExitStack() as stack:
            keys = Keys(shop.database, defaults_of(settings), open_to_all=settings.open)
            await tell_first_key(keys.desk)
            kit = shop.kit
            store = _Store(settings, stack)
            archived = await self._archived(shop.database, store)
            archive = archive_room(shop.database, shop.engine, store.opened, partial(expand, net=self._app.net))
            self._room = Workroom(
                kit.jobs, kit.workspace, kit.receipts, keys, kit.bench, archived, archive, shop.database
            )
            await Supervisor(worker_command.command("worker"), settings.workers).run(stop)

    async def _archived(self, database: Database, store: _Store) -> Archived | None:
        """What the archive holds, where it may be asked; a store that cannot be opened keeps nobody else waiting."""
        if not self._app.settings.archive_serves:
            return None
        try:
            return Archived(Catalog(database), await store.opened())
        except StorageError as error:
            log.warning("the archive is not asked for posts: %s", error)
            return None

"""What a worker process does: jobs, the archive's posts and lists, webhooks, and the tidying up between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from clipstead.app import App, open_app
from clipstead.cli.archive_shelves import shelves_of
from clipstead.cli.archive_shop import archive_of, archive_work
from clipstead.cli.delivering import deliver_webhooks
from clipstead.cli.store import opened_store
from clipstead.cli.workshop import Workshop, open_workshop
from clipstead.db.key_log import sweep_credits, sweep_key_uses
from clipstead.errors import StorageError
from clipstead.settings import Settings
from clipstead.tasks import sweeps, tasks
from clipstead.worker import Worker, default_lanes

log = logging.getLogger(__name__)


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Do jobs until `stop` is set: what a worker process is for."""
    async with open_app(settings) as app, open_workshop(app) as shop:
        worker = Worker(
            shop.kit.jobs,
            shop.engine,
            tasks(shop.kit),
            default_lanes(),
            drop_result=shop.kit.workspace.drop_result,
            sweeps=(*sweeps(shop.kit), partial(sweep_key_uses, shop.database), partial(sweep_credits, shop.database)),
        )
        deliver_webhooks(app, shop.database, shop.engine)
        async with _archive_under_way(app, shop):
            await worker.run(stop)


@asynccontextmanager
async def _archive_under_way(app: App, shop: Workshop) -> AsyncIterator[None]:
    """What the archive wants done is done besides; a store that cannot be used keeps nobody's jobs waiting."""
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(opened_store(app.settings))
            for note in (await store.probe()).notes:
                log.warning("%s", note)
            shelves = shelves_of(app.settings, shop.database, shop.engine, store)
            await stack.enter_async_context(archive_work(archive_of(app, shelves), shelves).under_way())
        except StorageError as error:
            log.warning("nothing is archived: %s", error)
        yield

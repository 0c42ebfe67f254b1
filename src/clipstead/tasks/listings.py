"""The task of listing a source: page after page, as long as what it brings can be served soon."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from clipstead.archive.discover import Discovery
from clipstead.archive.failures import FIRST_PAUSE, backoff
from clipstead.archive.parts import Archive
from clipstead.archive.source_row import SourceClaim
from clipstead.archive.sources import KIND
from clipstead.archive.sources import row_id as row_id_of
from clipstead.db import DatabaseUnavailable
from clipstead.engine import TryAgain
from clipstead.errors import Blocked, ClipsteadError, SourceUnavailable, StorageError

_BEHIND_PAUSES, _BLOCKED_PAUSES = 2.5, 5.0  # times the first pause
_random = random.SystemRandom()

log = logging.getLogger(__name__)


class Listings:
    """Lists sources, `hands` at a time. Registers with the engine. `first_pause`: seconds after a first failure."""

    def __init__(self, archive: Archive, discovery: Discovery, *, hands: int, first_pause: float = FIRST_PAUSE) -> None:
        self._first_pause = first_pause
        self._archive = archive
        self._discovery = discovery
        self._claims: dict[str, SourceClaim] = {}
        archive.engine.register(KIND, self._do, hands)

    async def _do(self, row_id: str) -> None:
        try:
            claim = await self._archive.sources.begin(row_id)
        except DatabaseUnavailable as error:
            raise TryAgain(1.0) from error
        if claim is None:
            return
        self._claims[row_id] = claim
        try:
            await self._list(claim)
        finally:
            if self._claims.get(row_id) == claim:  # a later attempt's is its own to forget
                del self._claims[row_id]

    async def _list(self, claim: SourceClaim) -> None:
        sources, at = self._archive.sources, claim
        try:
            page: SourceClaim | None = claim
            while page is not None:
                at = page
                if await self._discovery.behind():
                    delay = _BEHIND_PAUSES * self._first_pause * (0.5 + _random.random())
                    await sources.put_back(at, delay, "behind")
                    raise TryAgain(delay)
                page = await self._discovery.page(at)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseUnavailable):  # then the lease will run out
                await sources.put_back(at)
            raise
        except SourceUnavailable as error:
            log.warning("%s cannot be listed: %s", claim.spec, error)
            await sources.unavailable(at, error.reason, str(error))
        except ClipsteadError as error:
            await self._failed(at, error)

    async def _failed(self, claim: SourceClaim, error: ClipsteadError) -> None:
        """What keeps us out is no fault of the source's; other failures count, and too many in a row pause it."""
        sources, spread = self._archive.sources, _random.random()
        if isinstance(error, DatabaseUnavailable):
            raise TryAgain(1.0) from error
        if isinstance(error, Blocked | StorageError):
            asked = (isinstance(error, Blocked) and error.retry_after) or 0.0
            delay = max(asked, _BLOCKED_PAUSES * self._first_pause * (0.5 + spread))
            await sources.put_back(claim, delay, error.code)
        else:
            delay = backoff(claim.failures + 1, spread, first=self._first_pause)
            row = await sources.fail(claim, error.code, str(error), delay=delay)
            if row is not None and row.state == "paused":
                log.warning("%s is paused: %s", row.spec, row.detail)
                return
        raise TryAgain(delay) from error

    async def keep_alive(self) -> None:
        """Promise to be alive; a source that is another's by now is dropped. Raises DatabaseUnavailable."""
        for row_id, claim in list(self._claims.items()):
            if not await self._archive.sources.keep_alive(claim) and self._claims.get(row_id) == claim:
                self._archive.engine.drop(row_id_of(claim.id))

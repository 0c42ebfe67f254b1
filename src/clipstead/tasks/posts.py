"""The task of capturing a post: its attempt counted, its failure judged, its claim kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

from clipstead.archive.brake import Brake
from clipstead.archive.claims import KIND
from clipstead.archive.erase import delete_objects
from clipstead.archive.failures import FIRST_PAUSE, Verdict, judge
from clipstead.archive.ledger import Claim
from clipstead.archive.parts import Archive
from clipstead.archive.pipeline import Lost
from clipstead.archive.record import Record
from clipstead.archive.tombstones import Buried
from clipstead.db import DatabaseUnavailable
from clipstead.db.finishing import surely, undisturbed
from clipstead.engine import TryAgain
from clipstead.errors import ClipsteadError, StorageError

_random = random.SystemRandom()

log = logging.getLogger(__name__)


class Posts:
    """Captures posts, `hands` at a time, those that wait for an answer among them. Registers with the engine.

    `first_pause`: seconds after a post's first failure, doubled with each further one.
    """

    def __init__(self, archive: Archive, *, hands: int, first_pause: float = FIRST_PAUSE) -> None:
        self._archive = archive
        self._first_pause = first_pause
        self._brake = Brake(shortest=first_pause / 2)
        self._claims: dict[str, Claim] = {}
        archive.engine.register(KIND, self.capture, hands)

    async def capture(self, row_id: str) -> None:
        """What the engine calls: one attempt at the post that `row_id` stands for. Raises TryAgain."""
        async with self._brake.go():
            try:
                claim = await self._archive.ledger.begin(row_id)
            except DatabaseUnavailable as error:
                raise TryAgain(1.0) from error
            if claim is None:
                return
            self._claims[row_id] = claim
            try:
                await self._carry_out(claim)
            finally:
                if self._claims.get(row_id) == claim:
                    del self._claims[row_id]

    async def _carry_out(self, claim: Claim) -> None:
        ledger = self._archive.ledger
        try:
            record = await self._archive.pipeline.archive(claim)
        except Lost:
            await self._withdraw(claim)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseUnavailable):  # then the lease will run out
                if not await ledger.put_back(claim, 0.0, "", False):
                    await self._withdraw(claim)
            raise
        except ClipsteadError as error:
            await self._failed(claim, error)
        else:
            await undisturbed(self._hand_in(claim, record))

    async def _hand_in(self, claim: Claim, record: Record) -> None:
        if await surely(lambda: self._archive.ledger.finish(claim, record)):
            self._brake.release()
        else:
            with contextlib.suppress(StorageError):  # then the next attempt does it
                await self._unmake(claim, record)

    async def _unmake(self, claim: Claim, record: Record) -> None:
        """A post that was erased while it was captured, or whose author was, leaves nothing behind."""
        archive = self._archive
        if not await archive.tombstones.is_erased(claim.aweme_id, record.author.id, record.author.username):
            return
        keys = tuple(file.key for file in record.files)
        await delete_objects(archive.store, Buried(claim.aweme_id, record.storage_key, keys, record.bytes))
        await archive.ledger.die(claim, "erased", "It was erased, or its author was")

    async def _withdraw(self, claim: Claim) -> None:
        """The post is another attempt's by now, or erased: then what this one has put goes, or the sweep does it."""
        with contextlib.suppress(StorageError):  # the database's are among them
            if raced := await self._archive.tombstones.raced(claim.aweme_id):
                await delete_objects(self._archive.store, raced)

    async def _failed(self, claim: Claim, error: ClipsteadError) -> None:
        verdict = judge(error, claim.attempts, _random.random(), first=self._first_pause)
        ledger = self._archive.ledger
        if verdict.fate == "dead" or (verdict.fate == "again" and claim.attempts >= ledger.most):
            if not await surely(lambda: ledger.die(claim, verdict.reason, verdict.detail)):
                await self._withdraw(claim)
            self._brake.release()
            return
        pause = verdict.pause
        if verdict.slow:
            pause += self._slow_down(verdict)
        counted = verdict.fate == "again"
        if counted:
            self._archive.answers.spoil(claim.aweme_id)
        if not await surely(lambda: ledger.put_back(claim, pause, verdict.reason, counted, blames_source=counted)):
            await self._withdraw(claim)
        raise TryAgain(pause) from error

    def _slow_down(self, verdict: Verdict) -> float:
        if not self._brake.pressed:
            log.warning("the archive slows down: %s", verdict.detail)
        return self._brake.press(verdict.detail, verdict.asked)

    async def keep_alive(self) -> None:
        """Promise to be alive, all claims in one statement, and learn which are not ours any more.

        Due every third of the ledger's lease. Raises DatabaseUnavailable.
        """
        claims = list(self._claims.values())
        for claim, held in zip(claims, await self._archive.ledger.keep_alive(claims), strict=True):
            if not held and self._claims.get(claim.row_id) == claim:
                self._archive.engine.drop(claim.row_id)

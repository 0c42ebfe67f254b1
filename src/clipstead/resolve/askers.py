"""Who is asked when several could answer: in order, the resting passed over, each one's health kept."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from clipstead.errors import (
    Attempt,
    Blocked,
    ClipsteadError,
    DeadlineExceeded,
    NotFound,
    PostUnavailable,
    ProviderFailed,
    ResolveFailed,
    SourceUnavailable,
    UpstreamError,
)
from clipstead.resolve.health import Health, ProviderHealth, Unread

PATIENCE = 180.0
"""Seconds that one of them may take, its place in the queue of its own pace included."""

FINAL = (SourceUnavailable, PostUnavailable, NotFound)
"""Answers that nobody else need be asked about."""


class Asker(Protocol):
    """Anybody with a name; `home` is their public site, "" for none."""

    @property
    def name(self) -> str: ...
    @property
    def home(self) -> str: ...


A = TypeVar("A", bound=Asker)
T = TypeVar("T")


class Askers:
    """The health of some askers, and the rules of `Rotation` for those whose calls are no posts.

    `clock` gives unix seconds and times the rests, `jitter` a number from 0 to 1 that spreads them, `patience` seconds
    bound one attempt.
    """

    def __init__(
        self,
        askers: Sequence[Asker],
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        patience: float = PATIENCE,
    ) -> None:
        self._homes = {asker.name: asker.home for asker in askers}
        self._health = {asker.name: Health(jitter) for asker in askers}
        self._clock = clock
        self._patience = patience

    async def ask(self, able: Sequence[A], call: Callable[[A], Awaitable[T]]) -> T:
        """The first answer that one of `able` gives; if all of them rest, the one that wakes first is asked.

        Raises what is FINAL at once (but "unsupported": the next one may know it), Blocked where all were blocked,
        ResolveFailed where all have failed; the error itself where only one was asked, or all gave Unread.
        """
        attempts: list[Attempt] = []
        errors: list[ClipsteadError] = []
        for each in self._in_turn(able):
            if attempts and not self._health[each.name].may_be_asked(self._clock()):
                continue  # put to rest meanwhile
            try:
                return await self._attempt(each, call, attempts)
            except SourceUnavailable as error:
                if error.reason != "unsupported":
                    raise
                errors.append(error)
            except UpstreamError as error:
                errors.append(error)
        raise _failure(errors, attempts)

    def _in_turn(self, able: Sequence[A]) -> Sequence[A]:
        now = self._clock()
        awake = [each for each in able if self._health[each.name].may_be_asked(now)]
        return awake or [min(able, key=lambda each: self._health[each.name].wakes())]

    async def ask_one(self, asker: A, call: Callable[[A], Awaitable[T]]) -> T:
        """That one's answer or error; Blocked, with the seconds left, while it rests."""
        now = self._clock()
        until = self._health[asker.name].resting_until(now)
        if until is not None:
            last = self._health[asker.name].last_error
            raise Blocked(f"{asker.name} rests after failures{f': {last}' if last else ''}", retry_after=until - now)
        return await self._attempt(asker, call, [])

    async def _attempt(self, asker: A, call: Callable[[A], Awaitable[T]], attempts: list[Attempt]) -> T:
        health, began = self._health[asker.name], time.perf_counter()
        probing = health.begin()

        def note(outcome: str, detail: str = "") -> float:
            ms = (time.perf_counter() - began) * 1000
            attempts.append(Attempt(asker.name, outcome, ms, detail))
            health.count(outcome, ms)
            return ms

        try:
            async with asyncio.timeout(self._patience) as limit:
                answer = await call(asker)
            health.succeeded(note("ok"))
            return answer
        except FINAL as final:
            health.succeeded(note(final.code, str(final)))
            raise
        except UpstreamError as error:
            note(error.code, str(error))
            retry_after = error.retry_after if isinstance(error, Blocked) else None
            if not isinstance(error, Unread):
                health.failed(self._clock(), str(error), retry_after=retry_after)
            raise
        except TimeoutError:
            if not limit.expired():
                raise  # not ours: a bug to be seen
            words = f"{asker.name} had no answer within {self._patience:g} s"
            note(DeadlineExceeded.code, words)
            health.failed(self._clock(), words)
            raise ProviderFailed(words) from None
        finally:
            if probing:
                health.end_probe()

    def health(self) -> list[ProviderHealth]:
        """Each as it stands now, in order."""
        now = self._clock()
        return [health.report(name, self._homes[name], now) for name, health in self._health.items()]


def _failure(errors: Sequence[ClipsteadError], attempts: Sequence[Attempt]) -> ClipsteadError:
    """One error for all: those who merely cannot do it count only where nobody can."""
    told = [error for error in errors if isinstance(error, UpstreamError)]
    if len(told) <= 1 or all(isinstance(error, Unread) for error in told):
        return (told or errors)[0]
    words = "; ".join(f"{each.provider}: {each.detail or each.outcome}" for each in attempts)
    blocks = [error for error in told if isinstance(error, Blocked)]
    if len(blocks) == len(told):
        waits = [error.retry_after for error in blocks if error.retry_after is not None]
        return Blocked(f"Everybody who could be asked keeps us out: {words}", retry_after=min(waits, default=None))
    failure = ResolveFailed(f"Nobody who could be asked had an answer: {words}", attempts)
    failure.transient = any(error.transient for error in told)
    return failure

"""Which provider is asked, in which order, for how long, and when to stop: all within one deadline."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from clipstead.errors import (
    Attempt,
    Blocked,
    DeadlineExceeded,
    InvalidParams,
    PostUnavailable,
    ResolveFailed,
    UnsupportedLink,
    UpstreamError,
)
from clipstead.model import Link, Post
from clipstead.resolve.flights import Trip
from clipstead.resolve.health import Health, ProviderHealth, Unread
from clipstead.resolve.providers.base import Net, Provider

SMALLEST_SHARE = 1.0  # seconds: less is of no use to any provider


class Answer(NamedTuple):
    """A post, and the name of the provider that gave it."""

    post: Post
    provider: str


@dataclass(frozen=True, slots=True)
class Turns:
    """Whose turn it is: in the operator's order or `shuffled`, `first` before all others, `most` at the most (0: all).

    A provider named as `first` is asked even while it rests: it was asked for.
    """

    shuffled: bool = False
    first: str = ""
    most: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: the post behind `link`, in `language`, of everybody or of the provider named `only`."""

    link: Link
    language: str = "en"
    only: str | None = None
    turns: Turns = Turns()


@runtime_checkable
class _Closable(Protocol):
    async def close(self) -> None: ...


class Rotation:
    """The providers in the operator's order, each with its health.

    `clock` gives unix seconds and times the rests; `jitter` a number from 0 to 1 that spreads them. No provider gets
    less than `smallest_share` seconds of a deadline, as long as there are that many.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        smallest_share: float = SMALLEST_SHARE,
    ) -> None:
        self._providers = tuple(providers)
        self._clock = clock
        self._smallest_share = smallest_share
        self._health = {provider.name: Health(jitter) for provider in self._providers}

    @property
    def names(self) -> tuple[str, ...]:
        """The providers' names, in order."""
        return tuple(self._health)

    async def ask(self, query: Query, net: Net, trip: Trip) -> Answer:
        """The post from the first provider that has it; each attempt is added to `trip.attempts`.

        Nobody is asked twice. A provider may take an equal share of the time that is left among those that may
        still be asked (at least `SMALLEST_SHARE`), so a stalled one leaves time for the next. Raises
        PostUnavailable as soon as one provider says so, UnsupportedLink when no provider takes the link,
        DeadlineExceeded when the time is over, ResolveFailed when all have failed, InvalidParams for an unknown
        `only`. What is no UpstreamError is a fault of ours and passes through.
        """
        waiting = self._in_turn(self._candidates(query), query)
        errors: list[tuple[str, UpstreamError]] = []
        while waiting and not trip.over():
            provider = waiting.pop(0)
            if not self._may_ask(provider, query, trip):
                continue
            share = max(trip.remaining() / (1 + len(waiting)), self._smallest_share)
            post = await self._attempt(provider, query, net, trip, share if waiting else None, errors)
            if post is not None:
                self._blame(errors)
                return Answer(post, provider.name)
        raise self._failure(trip, errors)

    def _candidates(self, query: Query) -> list[Provider]:
        if query.only is not None and query.only not in self._health:
            raise InvalidParams({"provider": f"must be one of {', '.join(self._health)}"})
        named = [provider for provider in self._providers if query.only in (None, provider.name)]
        accepting = [provider for provider in named if provider.accepts(query.link)]
        if not accepting:
            raise UnsupportedLink("No provider takes this link")
        able = [provider for provider in accepting if not provider.maintenance]
        if not able:
            attempts = [Attempt(each.name, "maintenance", 0.0, each.maintenance) for each in accepting]
            raise ResolveFailed("Every provider for this link is under maintenance", attempts)
        now = self._clock()
        awake = [provider for provider in able if self._health[provider.name].may_be_asked(now)]
        # Nobody awake: the one that wakes first is asked all the same. No request fails without anybody asked.
        return awake or [min(able, key=lambda each: self._health[each.name].wakes())]

    def _in_turn(self, awake: list[Provider], query: Query) -> list[Provider]:
        turns = query.turns
        if turns.shuffled:
            random.shuffle(awake)
        if turns.first:
            able = (each for each in self._providers if each.accepts(query.link) and not each.maintenance)
            named = [each for each in able if each.name == turns.first]
            awake = [*named, *(each for each in awake if each.name != turns.first)]
        return awake[: turns.most or None]

    def _may_ask(self, provider: Provider, query: Query, trip: Trip) -> bool:
        """Look again, since others may have put it to rest meanwhile; the first to be asked was just chosen."""
        asked_on_purpose = query.only is not None or not trip.attempts
        return asked_on_purpose or self._health[provider.name].may_be_asked(self._clock())

    async def _attempt(
        self,
        provider: Provider,
        query: Query,
        net: Net,
        trip: Trip,
        share: float | None,
        errors: list[tuple[str, UpstreamError]],
    ) -> Post | None:
        """One provider asked once, for `share` seconds (None: all that is left); None when it failed."""
        health = self._health[provider.name]
        began = time.perf_counter()
        probing = health.begin()

        def note(outcome: str, detail: str = "") -> float:
            ms = (time.perf_counter() - began) * 1000
            trip.attempts.append(Attempt(provider.name, outcome, ms, detail))
            health.count(outcome, ms)
            return ms

        try:
            async with trip.limit(share) as limit:
                post = await provider.fetch(query.link, net, language=query.language)
            health.succeeded(note("ok"))
            return post
        except PostUnavailable as final:
            health.succeeded(note(final.code, str(final)))
            final.attempts = tuple(trip.attempts)
            raise
        except UnsupportedLink as refusal:
            note(refusal.code, str(refusal))
        except UpstreamError as error:
            note(error.code, str(error))
            retry_after = error.retry_after if isinstance(error, Blocked) else None
            if not isinstance(error, Unread):
                health.failed(self._clock(), str(error), retry_after=retry_after)
            errors.append((provider.name, error))
        except TimeoutError:
            if not limit.expired():
                raise  # not ours: a provider let its own timeout slip out, which is a bug to be seen
            words = f"no answer in {time.perf_counter() - began:.1f} s"
            note(DeadlineExceeded.code, words)
            health.failed(self._clock(), words)
        finally:
            if probing:
                health.end_probe()
        return None

    def _blame(self, errors: Sequence[tuple[str, UpstreamError]]) -> None:
        """The post is there: whoever could not read it has trouble of its own after all."""
        for name, error in errors:
            if isinstance(error, Unread):
                self._health[name].failed(self._clock(), str(error))

    def _failure(self, trip: Trip, errors: Sequence[tuple[str, UpstreamError]]) -> Exception:
        attempts = trip.attempts
        if trip.over():
            told = f": {_each(attempts)}" if attempts else ""
            return DeadlineExceeded(f"No provider answered in time{told}", attempts)
        if all(attempt.outcome == UnsupportedLink.code for attempt in attempts):
            return UnsupportedLink(attempts[-1].detail)
        failure = ResolveFailed(_in_words(attempts), attempts)
        # When nothing but lasting faults came back, asking again is of no use.
        failure.transient = any(error.transient for _, error in errors) or len(errors) < len(attempts)
        return failure

    def health(self) -> list[ProviderHealth]:
        """Every provider as it stands now, in order."""
        now = self._clock()
        return [
            self._health[each.name].report(each.name, each.home, now, maintenance=each.maintenance)
            for each in self._providers
        ]

    async def close(self) -> None:
        """Close those providers that hold something."""
        for provider in self._providers:
            if isinstance(provider, _Closable):
                await provider.close()


def _in_words(attempts: Sequence[Attempt]) -> str:
    if all(attempt.outcome == Blocked.code for attempt in attempts):
        lead = "The platform blocked every attempt, which says nothing about the post"
    else:
        lead = "No provider could give this post"
    return f"{lead}: {_each(attempts)}"


def _each(attempts: Sequence[Attempt]) -> str:
    return "; ".join(f"{each.provider}: {each.detail or each.outcome}" for each in attempts)

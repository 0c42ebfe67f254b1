"""One fetch for all who wait, and nobody's impatience is anybody else's."""

import asyncio

import pytest

from clipstead.errors import Attempt, DeadlineExceeded, ProviderFailed
from clipstead.resolve.flights import Flights, Trip


class Fetch:
    """A fetch that ends when told, or when its trip is over."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.done = asyncio.Event()
        self.error: Exception | None = None
        self.trips: list[Trip] = []

    async def __call__(self, trip: Trip) -> str:
        self.started += 1
        self.trips.append(trip)
        trip.attempts.append(Attempt("a", "provider_failed", 1.0))
        try:
            async with trip.limit(None):
                await self.done.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        except TimeoutError:
            raise DeadlineExceeded("over", trip.attempts) from None
        if self.error is not None:
            raise self.error
        return "landed"


async def settled() -> None:
    """Let every task that can move, move."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_wait_share_one_fetch() -> None:
    flights: Flights[str, str] = Flights()
    fetch = Fetch()
    waiters = [asyncio.ensure_future(flights.share("k", fetch, 5)) for _ in range(50)]
    other = asyncio.ensure_future(flights.share("other", fetch, 5))
    await settled()
    fetch.done.set()
    assert await asyncio.gather(*waiters, other) == ["landed"] * 51
    assert fetch.started == 2
    assert len(flights) == 0


async def test_who_leaves_does_not_end_it_for_the_others() -> None:
    flights: Flights[str, str] = Flights()
    fetch = Fetch()
    waiters = [asyncio.ensure_future(flights.share("k", fetch, 5)) for _ in range(3)]
    await settled()
    waiters[0].cancel()
    await settled()
    fetch.done.set()
    assert await asyncio.gather(*waiters[1:]) == ["landed", "landed"]
    assert (fetch.started, fetch.cancelled) == (1, 0)


async def test_the_last_who_leaves_ends_it() -> None:
    """And who comes right after starts anew instead of boarding what is being called off."""
    flights: Flights[str, str] = Flights()
    fetch = Fetch()
    waiters = [asyncio.ensure_future(flights.share("k", fetch, 5)) for _ in range(3)]
    await settled()
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    newcomer = asyncio.ensure_future(flights.share("k", fetch, 5))
    await settled()
    assert (fetch.started, fetch.cancelled) == (2, 1)
    fetch.done.set()
    assert await newcomer == "landed"


async def test_an_error_is_every_waiters_error_and_nobody_elses() -> None:
    flights: Flights[str, str] = Flights()
    fetch = Fetch()
    fetch.error = ProviderFailed("odd")
    waiters = [asyncio.ensure_future(flights.share("k", fetch, 5)) for _ in range(3)]
    await settled()
    fetch.done.set()
    assert await asyncio.gather(*waiters, return_exceptions=True) == [fetch.error] * 3
    fetch.error = None
    assert await flights.share("k", fetch, 5) == "landed"


async def test_each_waiter_is_bound_by_its_own_time() -> None:
    """The impatient one leaves with what was tried so far; the patient one, who came later, gets the answer."""
    flights: Flights[str, str] = Flights()
    fetch = Fetch()
    impatient = asyncio.ensure_future(flights.share("k", fetch, 0.1))
    await settled()
    patient = asyncio.ensure_future(flights.share("k", fetch, 30))
    with pytest.raises(DeadlineExceeded) as caught:
        await impatient
    assert [each.provider for each in caught.value.attempts] == ["a"]
    fetch.done.set()
    assert await patient == "landed"
    assert (fetch.started, fetch.cancelled) == (1, 0)


async def test_a_fetch_that_ignores_its_trip_cannot_hold_its_waiters() -> None:
    flights: Flights[str, str] = Flights()
    stubborn = asyncio.Event()

    async def fetch(trip: Trip) -> str:
        await stubborn.wait()
        return "late"

    with pytest.raises(DeadlineExceeded):
        await flights.share("k", fetch, 0.05)
    await settled()
    assert len(flights) == 0


async def test_close_ends_what_is_under_way_and_waits_for_it() -> None:
    flights: Flights[str, str] = Flights()
    fetch = Fetch()
    waiter = asyncio.ensure_future(flights.share("k", fetch, 5))
    left = asyncio.ensure_future(flights.share("other", fetch, 5))
    await settled()
    left.cancel()
    await flights.close()
    assert fetch.cancelled == 2
    await asyncio.gather(waiter, left, return_exceptions=True)

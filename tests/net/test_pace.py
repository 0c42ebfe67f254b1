"""Turns: rate, concurrency, fairness, and that nobody who leaves takes a turn along."""

import asyncio

import pytest

from clipstead.net.pace import Pace


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += seconds


async def test_starts_are_spaced_and_in_the_order_they_were_asked_for() -> None:
    time = FakeTime()
    pace = Pace(per_second=4, clock=time, sleep=time.sleep)
    starts: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        async with pace:
            starts.append((number, time.now))

    await asyncio.gather(*(one(number) for number in range(5)))
    assert starts == [(0, 100.0), (1, 100.25), (2, 100.5), (3, 100.75), (4, 101.0)]
    time.now += 60  # a long rest earns no burst
    starts.clear()
    await asyncio.gather(*(one(number) for number in range(2)))
    assert starts == [(0, 161.0), (1, 161.25)]


async def test_no_more_than_so_many_at_once_first_come_first_served() -> None:
    pace = Pace(concurrent=2)
    inside, most, order = 0, 0, []

    async def one(number: int) -> None:
        nonlocal inside, most
        async with pace:
            inside, most = inside + 1, max(most, inside + 1)
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one(number) for number in range(20)))
    assert (most, inside) == (2, 0) and order == list(range(20))


@pytest.mark.parametrize("leaver", [0, 1, 2, 3])
async def test_a_waiter_that_is_cancelled_costs_nobody_a_turn_or_a_place(leaver: int) -> None:
    """Whoever leaves (asleep for its turn, queued behind the sleeper, or outside), the others go in on time."""
    time = FakeTime()
    go = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await go.wait()
        time.now += seconds

    pace = Pace(per_second=1, concurrent=2, clock=time, sleep=sleep)
    starts: list[float] = []

    async def one() -> None:
        async with pace:
            starts.append(time.now)

    await one()
    waiters = [asyncio.create_task(one()) for _ in range(4)]
    for _ in range(5):
        await asyncio.sleep(0)
    waiters[leaver].cancel()
    go.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*waiters, return_exceptions=True)
        async with pace, pace:  # both places are still there
            await asyncio.sleep(0)
    assert starts == [100.0 + turn for turn in range(4)] and time.now == 105.0


async def test_an_error_inside_gives_the_place_back() -> None:
    pace = Pace(concurrent=1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with pace:
                raise RuntimeError
    async with asyncio.timeout(5):
        async with pace:
            pass


async def test_without_limits_nobody_waits() -> None:
    pace = Pace()
    async with pace, pace, pace:
        pass


def test_a_negative_pace_is_refused() -> None:
    with pytest.raises(ValueError):
        Pace(per_second=-1)
    with pytest.raises(ValueError):
        Pace(concurrent=-1)

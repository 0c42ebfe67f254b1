"""Rolling limits are exact: no window of any position ever holds one request too many, and memory stays bounded."""

import random

from clipstead.server.limits import RollingLimits, Window

MINUTE, DAY = Window(10, 60.0), Window(100, 86_400.0)


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_eleventh_request_waits_for_the_first_to_leave_the_window() -> None:
    """Ten go through at once; the next only when exactly a minute has passed since the first."""
    time = Time()
    limits = RollingLimits((MINUTE, DAY), time)
    assert [limits.admit("a") for _ in range(11)] == [True] * 10 + [False]
    time.now = 59.999
    assert not limits.admit("a")
    time.now = 60.0
    assert limits.admit("a")


def test_random_arrivals_agree_with_the_definition() -> None:
    """Admitted exactly when both windows, counted by hand over everything ever admitted, have room."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng, time = random.Random(seed), Time()
    windows = (Window(5, 10.0), Window(20, 200.0))
    limits = RollingLimits(windows, time)
    admitted: dict[str, list[float]] = {"a": [], "b": []}
    for _ in range(5000):
        time.now += rng.choice((0.0, 0.5, 1.0, 2.0, 30.0)) * rng.random()
        client = rng.choice("ab")
        log = admitted[client]
        used = [sum(1 for at in log if at > time.now - window.seconds) for window in windows]
        expected = all(count < window.limit for count, window in zip(used, windows, strict=True))
        rooms = limits.rooms(client)
        assert [room.remaining for room in rooms] == [w.limit - n for w, n in zip(windows, used, strict=True)]
        assert limits.admit(client) is expected
        if expected:
            log.append(time.now)


def test_refused_requests_do_not_count() -> None:
    """Hammering a full window does not push its end away."""
    time = Time()
    limits = RollingLimits((Window(1, 10.0),), time)
    assert limits.admit("a")
    for moment in range(1, 10):
        time.now = float(moment)
        assert not limits.admit("a")
    time.now = 10.0
    assert limits.admit("a")


def test_reset_is_when_the_oldest_leaves() -> None:
    """And the whole window where there is nothing in it."""
    time = Time()
    limits = RollingLimits((MINUTE,), time)
    assert limits.rooms("a")[0].reset_in == 60.0
    limits.admit("a")
    time.now = 15.0
    limits.admit("a")
    assert limits.rooms("a")[0].reset_in == 45.0


def test_no_limit_keeps_no_memory() -> None:
    """A limit of 0 is no limit, and nobody is written down."""
    limits = RollingLimits((Window(0, 60.0), Window(0, 86_400.0)), Time())
    assert all(limits.admit(str(n)) for n in range(1000))
    assert len(limits) == 0


def test_memory_is_bounded_by_clients() -> None:
    """More clients than fit: the one not seen for longest is forgotten, the busy one stays limited."""
    time = Time()
    limits = RollingLimits((Window(1, 60.0),), time, max_clients=100)
    assert limits.admit("busy")
    for number in range(1000):
        time.now += 0.01
        limits.admit(f"passer-by {number}")
        assert not limits.admit("busy")
    assert len(limits) <= 101


def test_idle_clients_are_swept_as_others_come() -> None:
    """After the longest window is over, memory shrinks to those who still count."""
    time = Time()
    limits = RollingLimits((Window(5, 60.0),), time)
    for number in range(500):
        limits.admit(f"early {number}")
    time.now = 61.0
    for number in range(400):
        limits.admit(f"late {number}")
    assert len(limits) == 400

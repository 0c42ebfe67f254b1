"""Exact rolling limits in memory: a sliding log per client, so no window of any length ever holds one too many."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` requests in any `seconds`; 0 means no such limit."""

    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Room:
    """What is left in a window; in `reset_in` seconds the oldest request in it leaves (the whole window if none is)."""

    remaining: int
    reset_in: float


class RollingLimits:
    """One log of admission times per client; only admitted requests are written down.

    Memory is bounded by `max_clients`: the one not seen for longest is forgotten first, and those whose log has run
    out are swept as others come. `ticks` is a clock that never goes back, in seconds.
    """

    def __init__(self, windows: Sequence[Window], ticks: Callable[[], float], *, max_clients: int = 50_000) -> None:
        self.windows = tuple(windows)
        self._active = tuple(window for window in windows if window.limit)
        self._horizon = max((window.seconds for window in self._active), default=0.0)
        self._ticks = ticks
        self._max_clients = max_clients
        self._logs: dict[str, array[float]] = {}

    def __len__(self) -> int:
        return len(self._logs)

    def admit(self, client: str) -> bool:
        """Count this request, or refuse it without counting it."""
        if not self._active:
            return True
        now = self._ticks()
        log = self._logs.pop(client, None)
        if log is None:
            log = array("d")
            self._make_room(now)
        admitted = all(self._used(log, window, now) < window.limit for window in self._active)
        if admitted:
            del log[: bisect_right(log, now - self._horizon)]
            log.append(now)
        self._logs[client] = log  # put last: the front of the dict is who was not seen for longest
        return admitted

    def rooms(self, client: str) -> tuple[Room, ...]:
        """What is left to a client in each window, in their order, counting nothing."""
        now = self._ticks()
        log = self._logs.get(client) or array("d")
        return tuple(self._room(log, window, now) for window in self.windows)

    def _room(self, log: array[float], window: Window, now: float) -> Room:
        first = bisect_right(log, now - window.seconds)
        reset_in = log[first] + window.seconds - now if first < len(log) else window.seconds
        return Room(max(0, window.limit - (len(log) - first)), reset_in)

    @staticmethod
    def _used(log: array[float], window: Window, now: float) -> int:
        return len(log) - bisect_right(log, now - window.seconds)

    def _make_room(self, now: float) -> None:
        """Two out for every one that comes in, as long as the front is idle or there are too many."""
        for _ in range(2):
            oldest = next(iter(self._logs), None)
            if oldest is None:
                return
            idle = self._logs[oldest][-1] <= now - self._horizon
            if not idle and len(self._logs) < self._max_clients:
                return
            del self._logs[oldest]

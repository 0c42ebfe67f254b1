"""What happened a moment ago, by name: a small memory that forgets by age and by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """Keeps a value per key for `seconds`, and at most `limit` of them. `ticks` never goes back."""

    def __init__(self, seconds: float, ticks: Callable[[], float], *, limit: int = 4096) -> None:
        self._seconds = seconds
        self._ticks = ticks
        self._limit = limit
        self._kept: dict[str, tuple[float, V]] = {}

    def put(self, key: str, value: V) -> None:
        """Remember it from now on; the oldest goes when there are too many."""
        self._kept.pop(key, None)
        if len(self._kept) >= self._limit:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._ticks() + self._seconds, value)

    def get(self, key: str) -> V | None:
        """The value, while it is recent."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= self._ticks():
            del self._kept[key]
            return None
        return found[1]

"""How far a download is: bytes of several files and the work after them, as one percentage with speed and time left."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from clipstead.capture.choose import Want
from clipstead.media.progress import Progress, Report
from clipstead.model import Media

_WINDOW_SECONDS = 3.0
_UNTOLD = 4_000_000  # bytes that a file is taken to have while nobody says


class Tell(Protocol):
    """Where it is told: percent of the whole, speed in words, seconds left."""

    def __call__(self, percent: float, *, speed: str | None = None, eta: float | None = None) -> None: ...


class Gauge:
    """Fetching is the first `share` percent of the whole. `ticks` is a clock that never goes back, in seconds."""

    def __init__(self, tell: Tell, ticks: Callable[[], float], *, share: float) -> None:
        self._tell = tell
        self._ticks = ticks
        self.share = share
        self._places: dict[str, int] = {}
        self._files: list[tuple[int, int | None]] = []
        self._seen: deque[tuple[float, int]] = deque()
        self._best = 0.0

    def expect(self, wants: Sequence[Want]) -> None:
        """These files will be fetched; the variants of one of them stand in for one another."""
        self._places = {media.variant: place for place, want in enumerate(wants) for media in want.candidates}
        self._files = [(0, want.candidates[0].size) for want in wants]

    def fetched(self, media: Media, done: int, total: int | None) -> None:
        """So many bytes of a file are here, of so many if that is told."""
        place = self._places.get(media.variant)
        if place is None:
            return
        self._files[place] = done, total or media.size
        here = sum(there for there, _ in self._files)
        whole = sum(max(there, size or _UNTOLD) for there, size in self._files)
        rate = self._rate(here)
        told = all(size for _, size in self._files)
        eta = (whole - here) / rate if rate and told else None
        self._say(self.share * here / whole, speed=_rate_words(rate) if rate else None, eta=eta)

    def working(self, begin: float, end: float) -> Report:
        """A report for work that takes the whole from `begin` to `end` percent."""

        def report(progress: Progress) -> None:
            speed = f"{progress.speed:.1f}x" if progress.speed else None
            self._say(begin + (end - begin) * progress.percent / 100, speed=speed, eta=progress.eta)

        return report

    def _say(self, percent: float, *, speed: str | None, eta: float | None) -> None:
        self._best = max(self._best, min(percent, 99.0))  # another variant begins anew; a bar does not go back
        self._tell(self._best, speed=speed, eta=eta)

    def _rate(self, here: int) -> float | None:
        """Bytes a second over the last few seconds."""
        now = self._ticks()
        if self._seen and here < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, here))
        while now - self._seen[0][0] > _WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        began, before = self._seen[0]
        return (here - before) / (now - began) if now - began > 0.1 else None


def _rate_words(rate: float) -> str:
    """As the contract writes it: 2.5MB/s."""
    return f"{rate / 1e6:.1f}MB/s" if rate >= 1e6 else f"{rate / 1e3:.0f}KB/s"

"""What `ffmpeg -progress` says while it works, turned into a percentage of the length that is expected."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: percent of the whole, times real time, and seconds left where both can be told."""

    percent: float
    speed: float | None = None
    eta: float | None = None


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """A report to nobody."""


class ProgressReader:
    """Takes the lines of one run; `seconds` is the expected length of what it writes, without it nothing is told."""

    def __init__(self, seconds: float | None, report: Report) -> None:
        self._seconds = seconds
        self._report = report
        self._done = 0.0
        self._speed: float | None = None

    def line(self, text: str) -> None:
        """One `key=value` line; a block of them ends with `progress=`. Anything else is passed over."""
        key, _, value = text.strip().partition("=")
        if key == "out_time_us":
            self._done = max(self._done, _number(value) / 1e6)
        elif key == "speed":
            self._speed = _number(value.rstrip("x")) or None
        elif key == "progress":
            self._tell()

    def _tell(self) -> None:
        # `progress=end` also comes after SIGTERM, so the end of a run is never told from here: 100 is for who checked.
        if not self._seconds:
            return
        percent = min(99.0, 100 * self._done / self._seconds)
        left = max(0.0, self._seconds - self._done)
        self._report(Progress(percent, self._speed, left / self._speed if self._speed else None))


def _number(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0  # "N/A" until the first frame is out


def part_of(report: Report, index: int, count: int) -> Report:
    """The same report for run `index` of `count`, each taken as an equal part of the whole."""

    def scaled(progress: Progress) -> None:
        report(Progress((100 * index + progress.percent) / count, progress.speed, progress.eta))

    return scaled

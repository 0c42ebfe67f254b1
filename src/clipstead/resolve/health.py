"""How one provider is doing: counts, speed, and the breaker that lets it rest after failures and heals itself."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clipstead.errors import ProviderFailed

FAILURES_BEFORE_REST = 3
SHORTEST_REST = 5.0
LONGEST_REST = 300.0
LONGEST_ASKED_REST = 3600.0
"""An upstream's own Retry-After is believed up to this many seconds."""

_NEW_LATENCY_WEIGHT = 0.2
_JITTER = 0.2


class Unread(ProviderFailed):
    """It could not read this one post, which is deleted, private or never was; seldom is that trouble of its own.

    By itself it says nothing of how the provider is doing: else whoever asks for dead posts puts it to rest for all.
    """


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """A provider as it stands now.

    `resting_until` is in unix seconds, None when it may be asked; `latency_ms` the moving average of its answers,
    None before the first; `last_error` public words, kept after it has healed. `outcomes` counts attempts by
    outcome ("ok", an error's code, "timeout"), `busy_seconds` adds up what they took: both only grow.
    """

    name: str
    home: str
    resting_until: float | None
    successes: int
    failures: int
    latency_ms: float | None
    last_error: str
    maintenance: str = ""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    busy_seconds: float = 0.0


class Health:
    """The mutable record behind a ProviderHealth. `now` is always the caller's clock, in unix seconds.

    The breaker: closed until `FAILURES_BEFORE_REST` failures in a row (or one that names its own pause), then open
    for a rest that doubles from one rest to the next, then half open: one request probes, the others still see a
    resting provider. A success closes it and forgets everything, a failed probe starts the next, longer rest.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._failures_in_a_row = 0
        self._rests = 0
        self._rest_ends: float | None = None
        self._probing = False
        self.successes = 0
        self.failures = 0
        self.latency_ms: float | None = None
        self.last_error = ""
        self.outcomes: Counter[str] = Counter()
        self.busy_seconds = 0.0

    def report(self, name: str, home: str, now: float, *, maintenance: str = "") -> ProviderHealth:
        """It as it stands now."""
        return ProviderHealth(
            name=name,
            home=home,
            resting_until=self.resting_until(now),
            successes=self.successes,
            failures=self.failures,
            latency_ms=self.latency_ms,
            last_error=self.last_error,
            maintenance=maintenance,
            outcomes=dict(self.outcomes),
            busy_seconds=self.busy_seconds,
        )

    def resting_until(self, now: float) -> float | None:
        """The end of the rest in unix seconds, or None. A rest longer than any we give is a clock set back: over."""
        if self._rest_ends is None or not 0 < self._rest_ends - now <= LONGEST_ASKED_REST + 1:
            return None
        return self._rest_ends

    def may_be_asked(self, now: float) -> bool:
        """Whether it is awake, or its rest is over and nobody else is probing."""
        return self._rest_ends is None or (self.resting_until(now) is None and not self._probing)

    def wakes(self) -> float:
        """When the rest ends or ended, for choosing among the resting."""
        return self._rest_ends or 0.0

    def begin(self) -> bool:
        """Note that somebody is asking; True when that is the probe of a half-open breaker: `end_probe` must follow."""
        if self._rest_ends is None or self._probing:
            return False
        self._probing = True
        return True

    def end_probe(self) -> None:
        """Let the next request probe, whatever came of this one."""
        self._probing = False

    def count(self, outcome: str, ms: float) -> None:
        """Add an attempt to the running totals."""
        self.outcomes[outcome] += 1
        self.busy_seconds += ms / 1000

    def succeeded(self, ms: float) -> None:
        """It gave an answer, be it a post or a final no."""
        self.successes += 1
        weight = _NEW_LATENCY_WEIGHT if self.latency_ms is not None else 1.0
        self.latency_ms = weight * ms + (1 - weight) * (self.latency_ms or 0.0)
        self._failures_in_a_row = self._rests = 0
        self._rest_ends = None

    def failed(self, now: float, words: str, *, retry_after: float | None = None) -> None:
        """It gave none; `retry_after` (seconds) is what the upstream itself asked for."""
        self.failures += 1
        self.last_error = words
        self._failures_in_a_row += 1
        asked = min(retry_after or 0.0, LONGEST_ASKED_REST)
        resting_until = self.resting_until(now)
        if resting_until is not None:
            # Requests that were under way when the rest began fail too: one outage is one rest, not one a request.
            self._rest_ends = max(resting_until, now + asked)
        elif retry_after is not None or self._rest_ends is not None or self._failures_in_a_row >= FAILURES_BEFORE_REST:
            self._rest_ends = now + max(self._next_rest(), asked)

    def _next_rest(self) -> float:
        spread = 1 + _JITTER * (2 * self._jitter() - 1)
        rest = min(SHORTEST_REST * 2.0**self._rests, LONGEST_REST) * spread
        self._rests = min(self._rests + 1, 16)
        return rest

"""When a call is tried again, and after how long: what the server asks for, else a doubling pause with jitter."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

_random = random.SystemRandom()
_BUSY = frozenset({429, 503})  # nothing was done yet
_STARTING = frozenset({502, 503, 504})  # a proxy's words for it, and our own
_PASSING = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """`tries` of each call; the first pause is about `pause` seconds, none is longer than `longest`."""

    tries: int = 4
    pause: float = 0.5
    longest: float = 60.0

    def wait(self, attempt: int, *, status: int | None, asked: float, repeatable: bool) -> float | None:
        """Seconds before the next try, None to give up. `attempt` counts from 0; `status` None: no answer came."""
        if attempt + 1 >= self.tries or asked > self.longest:
            return None
        if status in _BUSY or (repeatable and (status is None or status in _PASSING)):
            return max(asked, min(self.pause * (1 << attempt), self.longest) * _random.uniform(0.5, 1.5))
        return None

    def reopen(self, failures: int, *, status: int | None) -> float | None:
        """Seconds before a stream is opened again after so many connections in a row that told nothing; None: give up.

        `status` is that of the last answer, None where none came. Who answers and tells nothing is asked `tries` times;
        a server that is not there may be starting again, which is waited for until the pauses come to `longest`.
        """
        pause = min(self.pause * (1 << min(failures - 1, 30)), self.longest)
        starting = self.pause > 0 and (status is None or status in _STARTING)
        return pause if (2 * pause <= self.longest if starting else failures < self.tries) else None


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, in either of its forms; 0 where there is none."""
    told = headers.get("retry-after", "")
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0

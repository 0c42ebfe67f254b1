"""Who may still ask: a client's rolling limits, which an operator's token lifts."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from clipstead.server.limits import RollingLimits, Room, Window


class Quota:
    """Limits by client; a request with a known token is neither refused nor counted."""

    def __init__(self, limits: RollingLimits, tokens: Sequence[str] = ()) -> None:
        self._limits = limits
        self._tokens = tuple(token.encode() for token in tokens)
        self.limited = any(window.limit for window in limits.windows)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows, in the order of `rooms`."""
        return self._limits.windows

    def lifted(self, token: bytes | None) -> bool:
        """Whether this request is without limits. Each token is compared, in constant time."""
        if not self.limited:
            return True
        known = False
        for mine in self._tokens if token else ():
            known |= hmac.compare_digest(mine, token or b"")
        return known

    def admit(self, client: str, token: bytes | None) -> bool:
        """Count the request, or refuse it uncounted."""
        return self.lifted(token) or self._limits.admit(client)

    def rooms(self, client: str) -> tuple[Room, ...]:
        """What is left to the client in each window."""
        return self._limits.rooms(client)

    def retry_after(self, client: str) -> float:
        """Seconds until a refused client is admitted again."""
        pairs = zip(self.windows, self.rooms(client), strict=True)
        return max((room.reset_in for window, room in pairs if window.limit and not room.remaining), default=0.0)

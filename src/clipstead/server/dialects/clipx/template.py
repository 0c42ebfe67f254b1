"""An answer written once, with holes for what each request has of its own; router and fast lane fill the same one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from clipstead.errors import Attempt
from clipstead.model import Resolution
from clipstead.server.dialects.clipx.params import Params
from clipstead.server.dialects.clipx.words import limits, standing
from clipstead.server.quota import Quota

_LOCATION = "local"


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds of one answer: in the resolver, of which asking providers, and writing the body."""

    resolve: float = 0.0
    fetch: float = 0.0
    format: float = 0.0


_NOTHING_SPENT = Spent()


def attempts_json(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Who was asked, and what came of it; `ms` with one decimal."""
    return [
        {"provider": each.provider, "outcome": each.outcome, "ms": round(each.ms, 1)}
        | ({"detail": each.detail} if each.detail else {})
        for each in attempts
    ]


class Template:
    """`good_until` in unix seconds by `clock`. Satisfies the fast lane's Prepared."""

    __slots__ = (
        "_after_trace",
        "_cache",
        "_clock",
        "_data",
        "_limited",
        "_quota",
        "_trace",
        "good_until",
        "size",
        "timed",
    )

    def __init__(
        self,
        resolution: Resolution,
        data: dict[str, Any],
        after_trace: dict[str, Any],
        params: Params,
        quota: Quota,
        clock: Callable[[], float],
        good_until: float,
    ) -> None:
        self.good_until = good_until
        self.timed = params.processing_time
        self._clock = clock
        self._quota = quota
        self._limited = params.rate_limit
        self._data = b'{"success":true,"data":' + orjson.dumps(data)[:-1]
        self._cache = _cache_format(resolution) if params.cache else b""
        self._trace = _trace_format(resolution) if params.trace else b""
        self._after_trace = orjson.dumps(after_trace)[1:-1]
        self.size = sum(map(len, (self._data, self._cache, self._trace, self._after_trace)))

    def render(
        self, request_id: str, client: str, token: bytes | None, started: float, spent: Spent = _NOTHING_SPENT
    ) -> bytes:
        """The whole body. `started` is the perf_counter reading at which the request came in."""
        rate_limit = self._rate_limit(client, token) if self._limited else b""
        left = max(0, math.ceil(self.good_until - self._clock()))
        total = (time.perf_counter() - started) * 1000
        parts = [self._data, rate_limit, b"}"]
        if self._cache:
            parts.append(self._cache % left)
        if self._trace:
            figures = (spent.resolve, spent.fetch, spent.format, total)
            parts.append(self._trace % (request_id.encode("ascii"), *figures))
        if self.timed:
            parts.append(b',"processing_time":"%dms"' % round(total))
        if self._after_trace:
            parts += (b",", self._after_trace)
        parts += (rate_limit, b"}")
        return b"".join(parts)

    def _rate_limit(self, client: str, token: bytes | None) -> bytes:
        figures = limits(self._quota.windows, self._quota.rooms(client), self._clock())
        return b',"rate_limit":' + orjson.dumps(standing(figures, unlimited=self._quota.lifted(token)))


def _cache_format(resolution: Resolution) -> bytes:
    hit = b"true" if resolution.cached else b"false"
    return b',"cache":{"hit":' + hit + b',"expiresIn":"%ds"}'


def _trace_format(resolution: Resolution) -> bytes:
    attempts = orjson.dumps(attempts_json(resolution.attempts)).replace(b"%", b"%%")
    return (
        b',"trace":{"request_id":"%b","worker_location":"'
        + _LOCATION.encode()
        + b'","timings":{"resolve_ms":%.3f,"fetch_ms":%.3f,"format_ms":%.3f,"total_ms":%.3f},"attempts":'
        + attempts
        + b"}"
    )


def error_trace(request_id: str, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The trace of an answer that never came to be."""
    return {"request_id": request_id, "worker_location": _LOCATION, "attempts": attempts_json(attempts)}

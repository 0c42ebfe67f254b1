"""What /metrics tells: requests by dialect and status, bytes, providers and cache, in a registry of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from clipstead.resolve.resolver import Resolver

LaneTotals = Callable[[], tuple[int, int]]


class Metrics:
    """Counts what passes the door. `lane_totals` gives requests and bytes that the fast lane has answered so far."""

    def __init__(self, resolver: Resolver, lane_totals: LaneTotals) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "clipstead_requests", "Requests answered", ("dialect", "status"), registry=self._registry
        )
        self._bytes = Counter("clipstead_sent_bytes", "Bytes of bodies sent", ("dialect",), registry=self._registry)
        self._lane_totals = lane_totals
        self._lane_told = (0, 0)
        self._child = lru_cache(maxsize=1024)(self._children)
        self._registry.register(_Upstream(resolver, lane_totals))
        ProcessCollector(registry=self._registry)

    def request(self, dialect: str, status: int, sent: int) -> None:
        """One request answered with that status and `sent` bytes of body."""
        requests, sent_bytes = self._child(dialect, status)
        requests.inc()
        sent_bytes.inc(sent)

    def _children(self, dialect: str, status: int) -> tuple[Counter, Counter]:
        return self._requests.labels(dialect, str(status)), self._bytes.labels(dialect)

    def text(self) -> bytes:
        """The exposition format; the fast lane counts by itself and is added here."""
        told, now = self._lane_told, self._lane_totals()
        self._lane_told = now
        requests, sent_bytes = self._child("clipx", 200)
        requests.inc(now[0] - told[0])
        sent_bytes.inc(now[1] - told[1])
        return generate_latest(self._registry)


class _Upstream(Collector):
    """Reads the resolver's own totals when asked: nothing is counted twice, whoever shares a fetch."""

    def __init__(self, resolver: Resolver, lane_totals: LaneTotals) -> None:
        self._resolver = resolver
        self._lane_totals = lane_totals

    def collect(self) -> Iterator[Metric]:
        """Providers, then the cache."""
        yield from self._providers()
        yield from self._cache()

    def _providers(self) -> Iterator[Metric]:
        attempts = CounterMetricFamily(
            "clipstead_provider_attempts", "Asked, by outcome", labels=("provider", "outcome")
        )
        seconds = CounterMetricFamily("clipstead_provider_seconds", "Time providers took", labels=("provider",))
        latency = GaugeMetricFamily(
            "clipstead_provider_latency_seconds", "Moving average of good answers", labels=("provider",)
        )
        resting = GaugeMetricFamily(
            "clipstead_provider_resting", "1 while it rests after failures", labels=("provider",)
        )
        for health in self._resolver.health():
            for outcome, count in health.outcomes.items():
                attempts.add_metric((health.name, outcome), count)
            seconds.add_metric((health.name,), health.busy_seconds)
            if health.latency_ms is not None:
                latency.add_metric((health.name,), health.latency_ms / 1000)
            resting.add_metric((health.name,), float(health.resting_until is not None))
        yield from (attempts, seconds, latency, resting)

    def _cache(self) -> Iterator[Metric]:
        stats = self._resolver.cache_stats()
        hits = CounterMetricFamily("clipstead_cache_hits", "Posts found, by who found them", labels=("by",))
        hits.add_metric(("resolver",), stats.hits)
        hits.add_metric(("fast_lane",), self._lane_totals()[0])
        yield hits
        yield CounterMetricFamily("clipstead_cache_misses", "Posts that had to be fetched", value=stats.misses)
        yield GaugeMetricFamily("clipstead_cache_bytes", "Memory that kept posts take", value=stats.size)
        yield GaugeMetricFamily("clipstead_cache_entries", "Posts kept", value=stats.entries)

"""The metrics of `/metrics`.

Every label has a closed set of values: no user, viewer, path or text of a platform is one, so a scrape is as large
after a million users as after ten. Children are kept, because looking one up costs as much as counting.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.health import BreakerState
from gateway.telemetry.aggregate import Snapshot
from gateway.telemetry.counters import Counters
from gateway.telemetry.exposition import snapshot_of, text_of
from gateway.telemetry.histogram import Durations, Series

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
LOGINS: Final = ("ok", "refused", "failed")
GATES: Final = ("waiting_room", "limit", "throttle", "breaker")
STATUSES: Final = frozenset(
    map(
        str, (200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 405, 408, 409, 413, 414, 422, 429, 500, 502, 503, 504)
    )
) | {""}
"""Of calls to platforms: what they document, and what stands in between sends."""
OTHER: Final = "_OTHER"
"""The semantic conventions' word for a method or a path that is none of ours."""


class Metrics:
    """Of one gateway. `text` is what a scrape gets."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Durations(
            "http_server_request_duration_seconds",
            "How long requests took, by route, status and problem.",
            ("http_request_method", "http_route", "http_response_status_code", "error_type"),
        )
        self.registry.register(self._requests)
        self._kept: dict[tuple[str | None, str | None, int | None, str | None], Series] = {}
        self._families = _Families(self.registry)
        what = "Tasks of the event loop that have not ended."
        Gauge("connection_gateway_tasks", what, registry=self.registry).set_function(_tasks)
        self._collect: Callable[[], Awaitable[Snapshot]] | None = None

    def request(
        self, method: str | None, route: str | None, status: int | None, problem: str | None, seconds: float
    ) -> None:
        """One request has ended: `route` is a template, `problem` a slug; without `status` its caller had left."""
        key = method, route, status, problem
        child = self._kept.get(key)
        if child is None:
            labels = method or OTHER, route or OTHER, "" if status is None else str(status), problem or ""
            child = self._kept[key] = self._requests.labels(*labels)
        child.observe(seconds)

    def watch_admission(self, in_work: Callable[[], int]) -> None:
        """Ask this whenever somebody scrapes."""
        what = "Requests that hold one of max_concurrency places."
        Gauge("connection_gateway_requests_in_work", what, registry=self.registry).set_function(in_work)

    def watch_log(self, dropped: Callable[[], int]) -> None:
        """Ask this whenever somebody scrapes."""
        self.registry.register(_DroppedLines(dropped))

    def of(self, platform: str) -> PlatformMetrics:
        return PlatformMetrics(self._families, platform)

    def watch_workers(self, collect: Callable[[], Awaitable[Snapshot]]) -> None:
        """Serve what this returns, the metrics of several processes, instead of this one's."""
        self._collect = collect

    def snapshot(self) -> Snapshot:
        """The metrics of this process."""
        return snapshot_of(self.registry)

    async def text(self) -> bytes:
        return generate_latest(self.registry) if self._collect is None else text_of(await self._collect())


class _DroppedLines(Collector):
    """Counts elsewhere, and is read when somebody scrapes."""

    def __init__(self, dropped: Callable[[], int]) -> None:
        self._dropped = dropped

    def collect(self) -> Iterable[Metric]:
        what = "Lines of the log that standard error did not take."
        yield CounterMetricFamily("connection_gateway_log_lines_dropped", what, value=self._dropped())


class _Families:
    """The metrics that every platform has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Durations(
            "http_client_request_duration_seconds",
            "How long calls to platforms took, by platform, status and error. Every try counts.",
            ("platform", "http_request_method", "http_response_status_code", "error_type"),
        )
        registry.register(self.calls)

        def counter(name: str, what: str, *labels: str) -> Counters:
            found = Counters(f"connection_gateway_{name}", what, ("platform", *labels))
            registry.register(found)
            return found

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"connection_gateway_{name}", what, ("platform", *labels), registry=registry)

        self.logins = counter(
            "logins", "Tokens that were wanted from a login, from a grant, or signed here, by outcome.", "outcome"
        )
        self.retries = counter("retries", "Second tries of a call.")
        self.refused = counter("refused", "What was not sent, by what kept it: no place to wait, or a gate.", "by")
        self.breaker = gauge("breaker_state", "1 for the state that the breaker is in.", "state")
        self.throttled = gauge("throttled", "1 while the platform has asked for fewer calls.")
        self.waiting = gauge("waiting", "Requests that wait for the platform.")
        self.active = gauge("calls_active", "Calls that hold one of max_calls places.")
        self.queued = gauge("calls_queued", "Calls that stand in line for one.")


class PlatformMetrics:
    """Of one platform: what its transports, its sessions and its bulkhead count."""

    def __init__(self, families: _Families, platform: str) -> None:
        self._families = families
        self._platform = platform
        self._kept: dict[tuple[str, str, str], Series] = {}
        self._logins = {outcome: families.logins.labels(platform, outcome) for outcome in LOGINS}
        refused = {gate: families.refused.labels(platform, gate).inc for gate in GATES}
        self.retried: Callable[[], None] = families.retries.labels(platform).inc
        self.refused_by_breaker: Callable[[], None] = refused["breaker"]
        self.refused_by_throttle: Callable[[], None] = refused["throttle"]
        self.refused_by_limit: Callable[[], None] = refused["limit"]
        self.refused_by_room: Callable[[], None] = refused["waiting_room"]

    def call(self, method: str, status: str, error: str, seconds: float) -> None:
        """One call ended: a platform may answer with any status, so most stand for their class."""
        known = status if status in STATUSES else f"{status[:1]}xx"
        labels = method, known, error
        child = self._kept.get(labels)
        if child is None:
            child = self._kept[labels] = self._families.calls.labels(self._platform, *labels)
        child.observe(seconds)

    def logged_in(self, outcome: str) -> None:
        """One login ended; `outcome` is one of LOGINS."""
        self._logins[outcome].inc()

    def watch(
        self,
        *,
        breaker: Callable[[], BreakerState],
        throttled: Callable[[], bool],
        waiting: Callable[[], int],
        active: Callable[[], int],
        queued: Callable[[], int],
    ) -> None:
        """Ask these whenever somebody scrapes."""
        families, platform = self._families, self._platform
        for state in BreakerState:
            families.breaker.labels(platform, state).set_function(functools.partial(_is, breaker, state))
        families.throttled.labels(platform).set_function(throttled)
        families.waiting.labels(platform).set_function(waiting)
        families.active.labels(platform).set_function(active)
        families.queued.labels(platform).set_function(queued)


def _tasks() -> float:
    """0 where no loop runs."""
    try:
        return float(len(asyncio.all_tasks()))
    except RuntimeError:
        return 0.0


def _is(breaker: Callable[[], BreakerState], state: BreakerState) -> float:
    return float(breaker() is state)

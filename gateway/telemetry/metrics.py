"""The metrics of `/metrics`.

Every label has a closed set of values: no user, viewer, path or text of a platform is one, so a scrape is as large
after a million users as after ten. Children are kept, because looking one up costs as much as counting.
"""

from __future__ import annotations

import asyncio
import platform as python
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gateway import __version__
from gateway.telemetry.counters import Count, Counters
from gateway.telemetry.exposition import snapshot_of, text_of
from gateway.telemetry.histogram import Histogram, Series
from gateway.telemetry.platform_metrics import OTHER, PlatformFamilies, PlatformMetrics
from gateway.telemetry.watched import Constant, WatchedCounter, WatchedGauge
from gateway.telemetry.worker_metrics import Snapshot

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
CLASSES: Final = {None: "unanswered"} | {status: f"{status // 100}xx" for status in range(100, 600)}


class Metrics:
    """Of one gateway. `text` is what a scrape gets."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "How long requests took, by route, platform (where there is one), status and problem.",
            ("http_request_method", "http_route", "platform", "http_response_status_code", "error_type"),
        )
        self.registry.register(self._requests)
        self._by_caller = self._counter(
            "caller_requests", "Calls of the API, by the caller's configured name.", "caller", "status_class"
        )
        self._entries = self._counter(
            "entry_problems", "Entries of answers about many that are problems, by their slugs.", "error_type"
        )
        self._reloads = self._counter("reloads", "Reloads of the configuration, by outcome.", "outcome")
        self._reloads_by_outcome = {
            good: self._reloads.labels(word) for good, word in ((True, "ok"), (False, "failed"))
        }
        self._kept: dict[tuple[str | int | None, ...], tuple[Series, Count]] = {}
        self._uncounted = Count()
        self._platforms: dict[str, PlatformMetrics] = {}
        self._families = PlatformFamilies(self.registry)
        self._loaded_at = time.time()
        self._is_loaded = True
        self._gauge("tasks", "Tasks of the event loop that have not ended.", _tasks)
        self._gauge(
            "config_last_reload_successful", "Whether the last reload was, or the start.", lambda: self._is_loaded
        )
        self._gauge(
            "config_last_reload_success_timestamp_seconds",
            "When the configuration in force was read.",
            lambda: self._loaded_at,
        )
        build = {"version": __version__, "python": python.python_version()}
        self.registry.register(Constant("connection_gateway_build_info", "What is running.", build))
        self._collect: Callable[[], Awaitable[Snapshot]] | None = None

    def request(
        self,
        method: str | None,
        route: str | None,
        status: int | None,
        problem: str | None,
        seconds: float,
        *,
        platform: str | None = None,
        caller: str | None = None,
    ) -> None:
        """One request has ended: `route` is a template, `problem` a slug; without `status` its caller had left.

        `caller` is the configured name of whoever called the API, None where none is needed.
        """
        key = method, route, platform, status, problem, caller
        kept = self._kept.get(key)
        if kept is None:
            known = platform if platform in self._platforms else ""
            labels = (
                method or OTHER,
                route or OTHER,
                known or "",
                "" if status is None else str(status),
                problem or "",
            )
            by_caller = self._uncounted if caller is None else self._by_caller.labels(caller, CLASSES[status])
            kept = self._requests.labels(*labels), by_caller
            if known == (platform or ""):
                self._kept[key] = kept
        series, count = kept
        series.observe(seconds)
        count.value += 1

    def entries(self, problems: Mapping[str, int]) -> None:
        """An answer about many had entries that are problems: how many of each."""
        for slug, times in problems.items():
            self._entries.labels(slug).value += times

    def reloaded(self, *, is_good: bool) -> None:
        """A reload has ended; one that is not good has changed nothing."""
        self._reloads_by_outcome[is_good].inc()
        self._is_loaded = is_good
        if is_good:
            self._loaded_at = time.time()

    def watch_admission(self, in_work: Callable[[], int], most: int) -> None:
        """Ask this whenever somebody scrapes."""
        self._gauge("requests_in_work", "Requests that hold one of max_concurrency places.", in_work)
        self._gauge("max_concurrency", "The most requests that may be in work.", lambda: most)

    def watch_caches(self, lookups: Callable[[], int], lists: Callable[[], int], most: int) -> None:
        """Ask these whenever somebody scrapes."""
        self._gauge("cache_entries", "Connections in the cache of lookups.", lookups)
        self._gauge("cache_max_entries", "The most connections in the cache of lookups.", lambda: most)
        self._gauge("list_cache_entries", "Connections in pages of lists that are kept for outages.", lists)

    def watch_streams(self, streams: Callable[[], int], most: int) -> None:
        """Ask this whenever somebody scrapes."""
        self._gauge("streams", "Open streams of /v1/watch.", streams)
        self._gauge("max_streams", "The most streams that may be open.", lambda: most)

    def watch_log(self, dropped: Callable[[], int]) -> None:
        """Ask this whenever somebody scrapes."""
        what = "Lines of the log that standard error did not take."
        self.registry.register(WatchedCounter("connection_gateway_log_lines_dropped", what, dropped))

    def watch_server(
        self,
        *,
        draining: Callable[[], bool],
        connections: Callable[[], int],
        cut_off: Mapping[str, Callable[[], int]],
        lag: Callable[[], float],
    ) -> None:
        """Ask these whenever somebody scrapes."""
        self._gauge("draining", "Whether the process has been told to stop.", draining)
        self._gauge("connections", "Connections of callers that are open.", connections)
        what = "The longest that a callback of the event loop has waited for its turn lately."
        self._gauge("event_loop_lag_seconds", what, lag)
        what = "Connections of callers that were closed without a word, by reason."
        self.registry.register(WatchedCounter("connection_gateway_connections_cut_off", what, cut_off, "reason"))

    def event(self, platform: str, outcome: str) -> None:
        """A platform has sent an event."""
        self._families.events.labels(platform, outcome).inc()

    def of(self, platform: str) -> PlatformMetrics:
        found = self._platforms[platform] = PlatformMetrics(self._families, platform)
        return found

    def has_platform(self, name: str) -> bool:
        """Whether this is a platform's configured name."""
        return name in self._platforms

    def watch_workers(self, collect: Callable[[], Awaitable[Snapshot]]) -> None:
        """Serve what this returns, the metrics of several processes, instead of this one's."""
        self._collect = collect

    def snapshot(self) -> Snapshot:
        """The metrics of this process."""
        return snapshot_of(self.registry)

    async def text(self) -> bytes:
        return generate_latest(self.registry) if self._collect is None else text_of(await self._collect())

    def _counter(self, name: str, what: str, *labels: str) -> Counters:
        found = Counters(f"connection_gateway_{name}", what, labels)
        self.registry.register(found)
        return found

    def _gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        self.registry.register(WatchedGauge(f"connection_gateway_{name}", what, read))


def _tasks() -> float:
    """0 where no loop runs."""
    try:
        return float(len(asyncio.all_tasks()))
    except RuntimeError:
        return 0.0

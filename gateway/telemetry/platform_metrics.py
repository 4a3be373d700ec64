"""The metrics that every platform has, and those of one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Final

import httpx
from prometheus_client import CollectorRegistry, Gauge

from gateway.health import BreakerState
from gateway.telemetry.counters import Count, Counters
from gateway.telemetry.histogram import SIZES, Histogram, Series

LOGINS: Final = ("ok", "refused", "failed")
WARNINGS: Final = ("refresh-token-not-kept", "refresh-token-unreadable")
"""What adapters warn of: counted from 0, or the first one would be no increase."""
GATES: Final = ("waiting_room", "limit", "throttle", "breaker")
STATUSES: Final = frozenset(
    map(
        str, (200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 405, 408, 409, 413, 414, 422, 429, 500, 502, 503, 504)
    )
) | {""}
"""Of calls to platforms: what they document, and what stands in between sends."""
CACHED: Final = {"hit": "hit", "miss": "miss", "stale": "expired", "request": "bypassed"}
"""What the cache had, in the words of `Cache-Status`, and as an outcome."""
OTHER: Final = "_OTHER"
"""The semantic conventions' word for a method or a path that is none of ours."""
MAX_TEMPLATES: Final = 32
"""Paths of a platform that are told apart."""
_NUMBER: Final = re.compile(r"(?<=/)[0-9]+(?=/|$)")


class PlatformFamilies:
    """The metrics that every platform has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Histogram(
            "http_client_request_duration_seconds",
            "How long calls to platforms took, by platform, path, status and error. Every try counts.",
            (
                "platform",
                "server_address",
                "http_request_method",
                "url_template",
                "http_response_status_code",
                "error_type",
            ),
        )
        registry.register(self.calls)
        what = "How many users each read of connections asked the platform for."
        self.batches = Histogram("connection_gateway_batch_size", what, ("platform",), SIZES)
        registry.register(self.batches)

        def counter(name: str, what: str, *labels: str) -> Counters:
            found = Counters(f"connection_gateway_{name}", what, ("platform", *labels))
            registry.register(found)
            return found

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"connection_gateway_{name}", what, ("platform", *labels), registry=registry)

        self.logins = counter(
            "logins", "Tokens that were wanted from a login, from a grant, or signed here, by outcome.", "outcome"
        )
        self.events = counter("events", "Events that the platform sent, by what became of them.", "outcome")
        self.retries = counter("retries", "Second tries of a call.")
        self.refused = counter("refused", "What was not sent, by what kept it: no place to wait, or a gate.", "by")
        self.lookups = counter(
            "cache_lookups", "Connections that were looked up, by what the cache had, before any call.", "outcome"
        )
        self.stale = counter("stale_answers", "Connections that were served stale, as the platform can't be asked.")
        self.coalesced = counter("coalesced_lookups", "Lookups that joined a call in flight.")
        self.warnings = counter("platform_warnings", "What the operator should know, by its word.", "warning")
        self.breaker = gauge("breaker_state", "1 for the state that the breaker is in.", "state")
        self.throttled = gauge("throttled", "1 while the platform has asked for fewer calls.")
        self.waiting = gauge("waiting", "Requests that wait for the platform.")
        self.max_waiting = gauge("max_waiting", "The most requests that may wait for the platform.")
        self.active = gauge("calls_active", "Calls that hold one of max_calls places.")
        self.max_calls = gauge("max_calls", "The most calls that may be on the wire to the platform.")
        self.queued = gauge("calls_queued", "Calls that stand in line for one.")


class LookupCounts:
    """How connections were looked up. Whoever counts writes `count.value += 1`: a call would cost more."""

    def __init__(self, families: PlatformFamilies, platform: str) -> None:
        self.cached: Mapping[str, Count] = {
            word: families.lookups.labels(platform, outcome) for word, outcome in CACHED.items()
        }
        """by what the cache had"""
        self.stale: Count = families.stale.labels(platform)
        self.coalesced: Count = families.coalesced.labels(platform)


class PlatformMetrics:
    """Of one platform: what its transports, its sessions, its lookups and its bulkhead count."""

    def __init__(self, families: PlatformFamilies, platform: str) -> None:
        self._families = families
        self._platform = platform
        self._kept: dict[tuple[str, str, str, str, str], Series] = {}
        self._templates: set[str] = set()
        self._logins = {outcome: families.logins.labels(platform, outcome) for outcome in LOGINS}
        for word in WARNINGS:
            families.warnings.labels(platform, word)
        self.lookups = LookupCounts(families, platform)
        self.batch: Callable[[float], None] = families.batches.labels(platform).observe
        refused = {gate: families.refused.labels(platform, gate).inc for gate in GATES}
        self.retried: Callable[[], None] = families.retries.labels(platform).inc
        self.refused_by_breaker: Callable[[], None] = refused["breaker"]
        self.refused_by_throttle: Callable[[], None] = refused["throttle"]
        self.refused_by_limit: Callable[[], None] = refused["limit"]
        self.refused_by_room: Callable[[], None] = refused["waiting_room"]

    def call(self, request: httpx.Request, status: str, error: str, seconds: float) -> None:
        """One call ended: a platform may answer with any status, so most stand for their class."""
        known = status if status in STATUSES else f"{status[:1]}xx"
        url = request.url
        labels = url.host, request.method, self._template(request), known, error
        child = self._kept.get(labels)
        if child is None:
            child = self._kept[labels] = self._families.calls.labels(self._platform, *labels)
        child.observe(seconds)

    def logged_in(self, outcome: str) -> None:
        """One login ended; `outcome` is one of LOGINS."""
        self._logins[outcome].inc()

    def warned(self, word: str) -> None:
        """The adapter has said, in one of its few words, what its operator should know. From any thread."""
        self._families.warnings.labels(self._platform, word).inc()

    def watch(
        self,
        *,
        breaker: Callable[[], BreakerState],
        throttled: Callable[[], bool],
        waiting: Callable[[], int],
        active: Callable[[], int],
        queued: Callable[[], int],
        max_waiting: int,
        max_calls: int,
    ) -> None:
        """Ask these whenever somebody scrapes."""
        families, platform = self._families, self._platform
        for state in BreakerState:
            families.breaker.labels(platform, state).set_function(functools.partial(_is, breaker, state))
        families.throttled.labels(platform).set_function(throttled)
        families.waiting.labels(platform).set_function(waiting)
        families.active.labels(platform).set_function(active)
        families.queued.labels(platform).set_function(queued)
        families.max_waiting.labels(platform).set(max_waiting)
        families.max_calls.labels(platform).set(max_calls)

    def _template(self, request: httpx.Request) -> str:
        """The path with `{id}` for numbers and for the users whom the request is about.

        There are few of them, unless an adapter does what it should not.
        """
        path = request.url.path
        if path in self._templates:
            return path
        found = _NUMBER.sub("{id}", path)
        users = request.extensions.get("users", ())
        if users and not isinstance(users[0], int):
            ids = {str(user) for user in users}
            found = "/".join("{id}" if part in ids else part for part in found.split("/"))
        if found not in self._templates:
            if len(self._templates) == MAX_TEMPLATES:
                return OTHER
            self._templates.add(found)
        return found


def _is(breaker: Callable[[], BreakerState], state: BreakerState) -> float:
    return float(breaker() is state)

"""The transports of one platform in their order, and its bulkhead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx

from adapters.contract import Viewer
from adapters.settings import PlatformSettings
from gateway.explain import timeline
from gateway.health import BreakerState, Gates, Health
from gateway.telemetry.platform_metrics import PlatformMetrics
from gateway.telemetry.spans import UNTRACED, Spans
from gateway.transports.breaker import Breaker
from gateway.transports.bulkhead import Bulkhead
from gateway.transports.instrumented import Instrumented
from gateway.transports.limit import ConcurrencyLimit
from gateway.transports.retry import Retry
from gateway.transports.throttle import OnPause, Throttle, untold


class Stack:
    """The bulkhead, and the transports from the outside in: retry, concurrency limit, throttle, breaker, pool.

    Each try passes the gates anew, and nobody stands in line behind a gate that it has passed: who waits at the limit
    hears what throttle and breaker have to say when its turn comes.
    """

    def __init__(
        self,
        name: str,
        settings: PlatformSettings,
        wire: httpx.AsyncBaseTransport,
        metrics: PlatformMetrics,
        max_waiting: int,
        *,
        spans: Spans = UNTRACED,
        on_pause: OnPause = untold,
    ) -> None:
        """At most `max_waiting` requests may wait, unless this platform's settings say how many."""
        self.spans = spans
        self.metrics = metrics
        self.max_calls = settings.max_calls
        waiting = max_waiting if settings.max_waiting is None else settings.max_waiting
        measured = Instrumented(spans.wire(wire), metrics.call)
        self._breaker = Breaker(measured, platform=name, refused=_told("breaker", metrics.refused_by_breaker))
        self._throttle = Throttle(
            self._breaker,
            scope=settings.THROTTLE_SCOPE,
            refused=_told("throttle", metrics.refused_by_throttle),
            on_pause=on_pause,
        )
        limit = ConcurrencyLimit(
            self._throttle,
            platform=name,
            most=settings.max_calls,
            line=waiting,
            refused=_told("limit", metrics.refused_by_limit),
        )
        self.outermost: httpx.AsyncBaseTransport = Retry(limit, retried=metrics.retried)
        self.room = Bulkhead(name, waiting, metrics.refused_by_room)
        metrics.watch(
            breaker=lambda: self._breaker.state,
            throttled=lambda: self._throttle.is_active,
            waiting=lambda: self.room.taken,
            active=lambda: limit.active,
            queued=lambda: limit.queued,
            max_waiting=waiting,
            max_calls=settings.max_calls,
        )

    @property
    def health(self) -> Health:
        if self._breaker.state is BreakerState.OPEN:
            return Health.DOWN
        if self._breaker.state is BreakerState.HALF_OPEN or self._throttle.is_active:
            return Health.DEGRADED
        return Health.UP

    def hold(self, scope: bytes, seconds: float) -> None:
        """Send no calls in this scope for so long: another replica was told so by the platform."""
        self._throttle.hold(scope, seconds)

    def gates(self, viewer: Viewer) -> Gates:
        """As calls of this viewer find them now."""
        return Gates(self._breaker.state, self._breaker.tries_in, self._throttle.ends_in(viewer))

    async def aclose(self) -> None:
        await self.outermost.aclose()


def _told(gate: str, count: Callable[[], None]) -> Callable[[], None]:
    """To be called where this gate lets a call not through."""

    def refused() -> None:
        count()
        now = asyncio.get_running_loop().time()
        timeline.begin(timeline.StepKind.REFUSED, now, outcome=gate).end(now)

    return refused

"""The circuit breaker: a platform that fails is not called for a while, then probed with one call.

Closed, calls pass. It opens after 5 failures in a row, or when half of at least 20 calls of the last 10 s failed.
Failures are: no connection, a lost one, a timeout, 5xx; nothing else. The same question that fails again is no other
failure (`distinct`), or one caller could open the breaker for all others.

Open, every call is refused at once. After 1 s, doubling to 30 s as long as it does not recover, one real call is let
through (half-open): its success closes the breaker, its failure opens it again. A question that has failed already
waits a second longer, so that another one decides.

Some calls say nothing of the platform, and count for nothing: one that had left before the breaker last moved, one
that never left, and one that timed out after more than half of its time had gone by in here, in line or for a first
try.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httpx

from adapters.contract import Unavailable
from adapters.extensions import LocalShortage
from adapters.loop import OneLoop
from gateway.health import BreakerState
from gateway.transports.distinct_failures import DistinctFailures, Subject, subjects_of
from gateway.transports.window import Window

IN_A_ROW: Final = 5
ENOUGH: Final = 20
"""Calls within `LATELY` from which on a half of failures counts."""
LATELY: Final = 10.0
FIRST: Final = 1.0
LONGEST: Final = 30.0
"""Seconds that it stays open."""


class Breaker(OneLoop, httpx.AsyncBaseTransport):
    """Wraps `inner`. Raises Unavailable while it is open, and calls `refused` each time."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, *, platform: str, refused: Callable[[], None] = lambda: None
    ) -> None:
        self._inner = inner
        self._refused = refused
        self._platform = platform
        self._window = Window(LATELY)
        self._failures = DistinctFailures(LATELY)
        self._closed = True
        self._until = 0.0
        """while it is not closed: when the probe may leave"""
        self._open_for = 0.0
        self._probing = False
        self._moves = 0
        """how often it opened or closed: a call that began before another number is old"""

    @property
    def state(self) -> BreakerState:
        if self._closed:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._now() < self._until else BreakerState.HALF_OPEN

    @property
    def tries_in(self) -> float | None:
        """Seconds until one call is let through; None while all are."""
        return None if self._closed else max(self._until - self._now(), 0.0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_probe = not self._closed
        if is_probe:
            self._let_through(request)
        moves, entered = self._moves, self._now()
        failed: bool | None = None  # what a call that is cancelled says
        failure: httpx.RequestError | None = None
        try:
            response = await self._inner.handle_async_request(request)
            failed = response.is_server_error
        except httpx.RequestError as error:
            failure, failed = error, _tells(error, entered)
            raise
        finally:
            if is_probe:
                self._probing = False
            if moves == self._moves:
                if failed:
                    self._count_failure(subjects_of(request, failure))
                elif failed is not None:
                    self._count_success()
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _let_through(self, request: httpx.Request) -> None:
        now = self._now()
        wait = self._until - now
        if self._failures.has(now, subjects_of(request)):
            wait += FIRST
        if wait > 0 or self._probing:
            self._refused()
            detail = "nothing was sent: its last calls failed, and it is tried again now and then"
            raise Unavailable(self._platform, detail, retry_after=max(wait, FIRST))
        self._probing = True

    def _count_success(self) -> None:
        if not self._closed:
            self._close()
            return
        self._window.add(self._now(), calls=1)
        self._failures.end_row()

    def _count_failure(self, subjects: frozenset[Subject]) -> None:
        now = self._now()
        counts = self._failures.add(now, subjects)
        if not self._closed:
            self._open()
        elif counts:
            self._window.add(now, calls=1, marked=1)
            calls, failures = self._window.totals(now)
            if self._failures.in_a_row >= IN_A_ROW or (calls >= ENOUGH and 2 * failures >= calls):
                self._open()

    def _open(self) -> None:
        self._closed = False
        self._moves += 1
        self._open_for = min(2 * self._open_for, LONGEST) or FIRST
        self._until = self._now() + self._open_for

    def _close(self) -> None:
        self._closed = True
        self._moves += 1
        self._failures.clear()
        self._window.clear()
        self._open_for = 0.0

    def _now(self) -> float:
        return self._loop.time()


def _tells(error: httpx.RequestError, entered: float) -> bool | None:
    """Whether the platform failed; None where that can't be said. An answer that can't be decoded is an answer."""
    if isinstance(error, httpx.PoolTimeout | LocalShortage):
        return None
    if isinstance(error, httpx.TimeoutException):
        begun, deadline = error.request.extensions["begun"], error.request.extensions["deadline"]
        return True if deadline - entered >= (deadline - begun) / 2 else None
    return isinstance(error, httpx.TransportError)

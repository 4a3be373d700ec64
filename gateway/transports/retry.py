"""Retries a call once, where that can do no harm.

Tried again is what failed to connect, what lost its connection, and a 408, 502, 503 or 504 without `Retry-After`: a
request that says it is `safe` after any of them, every other only if the first certainly never left. Never more often
than for 20 % of the calls of the last 10 s (before there were 10 calls: once, and again after a call has succeeded),
never twice, and only if there is time for as long as the first took. A second try passes all gates anew. If one of
them turns it away, the first failure is the answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

import httpx

from adapters.contract import PlatformError
from adapters.extensions import BEFORE_IT_LEFT
from adapters.loop import OneLoop
from gateway.explain import timeline
from gateway.transports.budget import RetryBudget
from gateway.transports.throttle import is_turned_away

SOONEST: Final = 0.01
LATEST: Final = 0.1
"""Seconds before the second try: at random between the two, so that not all who failed together return together."""
PASSING: Final = frozenset({408, 502, 503, 504})
"""Answers that say nothing of the request, only of the moment. 408 is how many a server ends a connection that was
idle, and then it may meet a request that is under way.
"""

Outcome = httpx.Response | httpx.TransportError


class Retry(OneLoop, httpx.AsyncBaseTransport):
    """Around `inner`; reads `deadline` (`loop.time()`) and `safe` among the request's extensions.

    `retried` is called after each second try that left; `spread` gives a number between its two arguments.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        retried: Callable[[], None] = lambda: None,
        spread: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._inner = inner
        self._retried = retried
        self._spread = spread
        self._budget = RetryBudget(floor=1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        begun = self._loop.time()
        first = await self._try(request)
        now = self._loop.time()
        if not _left_nothing(first):
            self._budget.count()
            if isinstance(first, httpx.Response) and not first.is_server_error:
                self._budget.succeeded()
        if _is_worth_another(request, first):
            pause = self._spread(SOONEST, LATEST)
            would_end = now + pause + (now - begun)
            if would_end < request.extensions["deadline"] and self._budget.take():
                step = timeline.begin(timeline.StepKind.PAUSE, now)
                await asyncio.sleep(pause)
                step.end(self._loop.time())
                return _told(await self._again(request, first))
        return _told(first)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _try(self, request: httpx.Request) -> Outcome:
        try:
            return await self._inner.handle_async_request(request)
        except httpx.TransportError as failure:
            return failure

    async def _again(self, request: httpx.Request, first: Outcome) -> Outcome:
        try:
            second = await self._try(request)
        except PlatformError:
            return first
        if _left_nothing(second):
            return first
        self._retried()
        return second


def _is_worth_another(request: httpx.Request, first: Outcome) -> bool:
    if isinstance(first, httpx.Response):
        passing = first.status_code in PASSING and "retry-after" not in first.headers
        return passing and request.extensions.get("safe", False)
    return isinstance(first, BEFORE_IT_LEFT) or request.extensions.get("safe", False)


def _left_nothing(outcome: Outcome) -> bool:
    return isinstance(outcome, httpx.Response) and is_turned_away(outcome)


def _told(outcome: Outcome) -> httpx.Response:
    if isinstance(outcome, httpx.Response):
        return outcome
    raise outcome

"""The concurrency limit of a platform: the calls beyond it wait in a queue, first come first served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import httpx

from adapters.contract import DeadlineExceeded, Overloaded
from gateway.explain import timeline

RETRY_AFTER_SECONDS: Final = 1.0
"""Seconds after which a call that found the line too long may try again."""


class ConcurrencyLimit(httpx.AsyncBaseTransport):
    """At most `most` calls of `inner` at once, and `line` who wait for it: beyond that Overloaded, and `refused`.

    Who is still in line at its deadline (`loop.time()`, among the request's extensions) gets DeadlineExceeded. A call
    that is cancelled leaves no place taken.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        platform: str,
        most: int,
        line: int,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._inner = inner
        self._platform = platform
        self._most = most
        self._longest = line
        self._refused = refused
        self._free = most
        self._line: dict[asyncio.Future[None], None] = {}
        """in the order of arrival; nobody is in it while a place is free"""

    @property
    def active(self) -> int:
        return self._most - self._free

    @property
    def queued(self) -> int:
        return len(self._line)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._free:
            self._free -= 1
        else:
            await self._stand_in_line(request.extensions["deadline"])
        try:
            return await self._inner.handle_async_request(request)
        finally:
            self._leave()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _stand_in_line(self, deadline: float) -> None:
        if len(self._line) >= self._longest:
            self._refused()
            detail = f"{self._longest} calls to this platform are in line already"
            raise Overloaded(self._platform, detail, retry_after=RETRY_AFTER_SECONDS)
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._line[turn] = None
        bell = loop.call_at(deadline, self._give_up, turn)
        step = timeline.begin(timeline.StepKind.LINE, loop.time())
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()  # it was called, and does not come
            raise
        finally:
            bell.cancel()
            step.end(loop.time())
            self._line.pop(turn, None)

    def _give_up(self, turn: asyncio.Future[None]) -> None:
        if not turn.done():
            detail = f"no answer in time: all {self._most} calls at once were taken"
            turn.set_exception(DeadlineExceeded(self._platform, detail))

    def _leave(self) -> None:
        """Hand the place to whoever is next."""
        for turn in self._line:
            if not turn.done():
                del self._line[turn]
                turn.set_result(None)
                return
        self._free += 1

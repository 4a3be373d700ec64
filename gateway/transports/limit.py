"""No more than so many calls to one platform at once; the others stand in line, first come first served."""

from __future__ import annotations

import asyncio

import httpx

from adapters.contract import DeadlineExceeded


class ConcurrencyLimit(httpx.AsyncBaseTransport):
    """At most `most` calls of `inner` at once. Who is still in line at its deadline gets DeadlineExceeded.

    Reads `deadline` (`loop.time()`) among the request's extensions. A call that is cancelled leaves no place taken.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, platform: str, most: int) -> None:
        self._inner = inner
        self._platform = platform
        self._most = most
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
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._line[turn] = None
        bell = loop.call_at(deadline, self._give_up, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()  # it was called, and does not come
            raise
        finally:
            bell.cancel()
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

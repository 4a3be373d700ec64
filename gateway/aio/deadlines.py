"""Futures with deadlines, served by one timer: starting and stopping a timer for each would cost 3 µs."""

from __future__ import annotations

import asyncio
import itertools
import math
from heapq import heapify, heappop, heappush
from typing import Final

from adapters.loop import OneLoop

FEW: Final = 64
"""Waits that have ended before their time and may be kept beside as many that have not."""


class Deadlines(OneLoop):
    """Resolves each future that is waited for at its deadline (`loop.time()`), if it has not been before."""

    def __init__(self) -> None:
        self._waits: list[tuple[float, int, asyncio.Future[None]]] = []
        """a heap; some may have ended already"""
        self._numbers = itertools.count()
        self._waiting = 0
        self._bell: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    async def wait(self, done: asyncio.Future[None], deadline: float) -> None:
        """Until `done` is resolved, at most until `deadline`."""
        heappush(self._waits, (deadline, next(self._numbers), done))
        if deadline < self._rings_at:
            self._ring_at(deadline)
        self._waiting += 1
        try:
            await done
        finally:
            self._waiting -= 1
            if len(self._waits) > FEW + 2 * self._waiting:
                self._waits = [wait for wait in self._waits if not wait[2].done()]
                heapify(self._waits)

    def _ring_at(self, time: float) -> None:
        if self._bell is not None:
            self._bell.cancel()
        self._bell = self._loop.call_at(time, self._ring)
        self._rings_at = time

    def _ring(self) -> None:
        self._bell, self._rings_at = None, math.inf
        now = self._loop.time()
        while self._waits and (self._waits[0][0] <= now or self._waits[0][2].done()):
            done = heappop(self._waits)[2]
            if not done.done():
                done.set_result(None)
        if self._waits:
            self._ring_at(self._waits[0][0])

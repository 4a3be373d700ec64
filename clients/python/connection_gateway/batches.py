"""Lookups of one turn of the event loop leave as one request; a lone one leaves as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from connection_gateway.models import Connection
from connection_gateway.problems import Problem
from connection_gateway.protocol import MOST_USERS, Request, Target

Waiting = tuple[Target, asyncio.Future[Connection]]


class Batches:
    """Each lookup keeps its own result and its own failure.

    `split` gives the places of those who can be asked about in one request.
    """

    def __init__(
        self,
        one: Callable[[Request], Awaitable[Connection]],
        many: Callable[[list[Target]], Awaitable[list[Connection | Problem]]],
        split: Callable[[Sequence[Target]], list[list[int]]],
    ) -> None:
        self._one = one
        self._many = many
        self._split = split
        self._waiting: list[Waiting] = []
        self._running: set[asyncio.Task[None]] = set()

    async def lookup(self, platform: str, user_id: str, request: Request) -> Connection:
        future: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._waiting.append(((platform, user_id), future))
        if len(self._waiting) == 1:
            try:
                await asyncio.sleep(0)  # until everything else of this turn of the loop is here
            except asyncio.CancelledError:
                future.cancel()
                raise
            finally:
                waiting, self._waiting = self._waiting, []
                if len(waiting) > 1:
                    self._leave(waiting)
            if len(waiting) == 1:
                return await self._one(request)
        return await future

    def _leave(self, waiting: list[Waiting]) -> None:
        for places in self._split([target for target, _ in waiting]):
            for start in range(0, len(places), MOST_USERS):
                batch = [waiting[place] for place in places[start : start + MOST_USERS]]
                task = asyncio.ensure_future(self._ask(batch))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _ask(self, batch: list[Waiting]) -> None:
        try:
            results = await self._many([target for target, _ in batch])
        except Exception as error:  # noqa: BLE001  each of those who wait raises it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Problem):
                future.set_exception(result)
            else:
                future.set_result(result)

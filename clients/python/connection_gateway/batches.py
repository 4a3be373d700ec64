"""Lookups of one turn of the event loop leave as one request; a lone one leaves as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from connection_gateway.models import Connection
from connection_gateway.problems import Problem
from connection_gateway.protocol import MOST_USERS, Request, Target

Waiting = tuple[Target, Request, asyncio.Future[Connection]]


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
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._leave)
        future: asyncio.Future[Connection] = loop.create_future()
        self._waiting.append(((platform, user_id), request, future))
        return await future

    def _leave(self) -> None:
        waiting, self._waiting = self._waiting, []
        for places in self._split([target for target, _, _ in waiting]):
            for start in range(0, len(places), MOST_USERS):
                batch = [waiting[place] for place in places[start : start + MOST_USERS]]
                task = asyncio.ensure_future(self._ask(batch))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _ask(self, batch: list[Waiting]) -> None:
        try:
            if len(batch) == 1:
                results: list[Connection | Problem] = [await self._one(batch[0][1])]
            else:
                results = await self._many([target for target, _, _ in batch])
        except Exception as error:  # noqa: BLE001  whoever waits raises it
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, _, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Problem):
                future.set_exception(result)
            else:
                future.set_result(result)

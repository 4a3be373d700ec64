"""Background tasks: a caller's deadline ends its waiting, never the call to a platform that it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from adapters.loop import OneLoop

T = TypeVar("T")


class BackgroundTasks(OneLoop):
    """Keeps the tasks that were started until they end.

    Of a task that nobody waits for any more, every exception but those of the `expected` types is reported to the
    event loop.
    """

    def __init__(self, *expected: type[Exception]) -> None:
        self._expected = expected
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def wait(self, *tasks: asyncio.Task[Any], until: float, first: bool = False) -> None:
        """Until all of them (or the `first`) are done, at most until `until` (`loop.time()`).

        Those that are not done then go on. If nobody waits for them any more, a bug in one is still reported.
        """
        timeout = until - self._loop.time()
        try:
            await asyncio.wait(
                tasks,
                timeout=timeout,
                return_when=asyncio.FIRST_COMPLETED if first else asyncio.ALL_COMPLETED,
            )
        finally:
            for task in tasks:
                if not task.done():
                    task.add_done_callback(self._report_unexpected)

    async def cancel(self) -> None:
        """End all of them now."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await self._end_of_those_begun()

    async def finish(self) -> None:
        """Let all of them end by themselves, and those that they start meanwhile."""
        while self._tasks:
            await self._end_of_those_begun()

    async def _end_of_those_begun(self) -> None:
        """Who waits for it here may leave: that ends none of them."""
        ended, _ = await asyncio.wait(self._tasks.copy())
        for task in ended:
            if not task.cancelled():
                task.exception()
        await asyncio.sleep(0)

    def _report_unexpected(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, self._expected):
            task.get_loop().call_exception_handler({"message": "bug in abandoned work", "exception": error})

"""Work that a signal begins, and that never runs twice at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Job:
    """Runs at most once at a time; started again meanwhile, it runs once more."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._once_more = False
        self._is_cancelled = False

    def start(self) -> None:
        if self._is_cancelled:
            return
        if self._task is not None:
            self._once_more = True
            return
        self._task = asyncio.get_running_loop().create_task(self._work())
        self._task.add_done_callback(self._end)

    def cancel(self) -> None:
        self._is_cancelled = True
        if self._task is not None:
            self._task.cancel()

    def _end(self, _task: asyncio.Task[None]) -> None:
        self._task = None
        if self._once_more:
            self._once_more = False
            self.start()

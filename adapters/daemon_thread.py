"""Blocking work off the event loop, in a thread that never keeps the process from ending."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final, TypeVar

T = TypeVar("T")
NAME: Final = "blocking-work"
"""Of the thread, as debuggers show it."""


class DaemonThread(Executor):
    """Runs one piece of work after the other, in a thread that exists only while there is work.

    For what can hang for good, such as reading from a mount whose server is gone: no signal and no timeout ends it,
    and the threads of `asyncio.to_thread` are joined before a process ends.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._unfinished = 0
        self._running = False

    @property
    def busy(self) -> bool:
        """Whether anything that was submitted has no result yet."""
        return self._unfinished > 0

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Its result, in time. What is cancelled before its turn comes is left out."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                self._finish()
                return
            try:
                result = work(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  whatever it is, it is the waiter's
                self._finish()
                future.set_exception(error)
            else:
                self._finish()
                future.set_result(result)

        with self._lock:
            self._unfinished += 1
            self._waiting.append(run)
            if not self._running:
                threading.Thread(target=self._run, name=NAME, daemon=True).start()
                self._running = True
        return future

    def _finish(self) -> None:
        """Before the result is there, or whoever gets it would find the thread busy."""
        with self._lock:
            self._unfinished -= 1

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running = False
                    return
                run = self._waiting.popleft()
            run()
            del run  # it would keep what it returned until the next

"""Writes the log in a thread of its own, so that a reader that stalls holds up nothing else.

A pipe that is full, a terminal that is paused, a disk that is gone: `write` never waits for any of them. What does
not fit into the queue is dropped and counted. The descriptor's own mode is left alone, because others may share it: a
terminal, for one.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

MAX_QUEUED: Final = 1024 * 1024
"""Bytes that wait to be written; the next ones are dropped."""
EXIT_TIMEOUT: Final = 0.5
"""Seconds that the end of the process waits for what is queued."""
CONFIRM_TIMEOUT: Final = 0.1
"""Seconds that `written` waits."""
_RETRY: Final = 100
"""Milliseconds after which a descriptor that takes nothing is looked at again."""


class Writer:
    """Writes to a descriptor. `dropped` counts the lines that found no room."""

    def __init__(self, descriptor: int, dropped_line: Callable[[int], bytes] = lambda _lines: b"") -> None:
        """`dropped_line` makes the line that says how many were dropped, for when one can be written again."""
        self.dropped = 0
        self._descriptor = descriptor
        self._dropped_line = dropped_line
        self._queue: deque[tuple[bytes, Callable[[], None]]] = deque()
        self._queued = 0
        self._unsaid = 0
        """dropped lines that the log does not tell of yet"""
        self._is_stalled = False
        """somebody has waited in vain, and nothing has been written since"""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, lines: bytes) -> None:
        """Queue whole lines, or drop them."""
        self._put(lines, _nothing)

    async def written(self) -> None:
        """Wait until all that was queued so far is written, but not for long, and not at all if it is stalled."""
        if self._is_stalled:
            return
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._put(b"", lambda: _from_thread(loop, done))
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT):
                await done
        except TimeoutError:
            self._is_stalled = True

    def flush(self, timeout: float = EXIT_TIMEOUT) -> None:
        """Wait until all is written; for at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._queue, timeout)

    def _put(self, lines: bytes, done: Callable[[], None]) -> None:
        with self._changed:
            if self._queued + len(lines) > MAX_QUEUED:
                self._drop(lines)
                return
            self._queue.append((lines, done))
            self._queued += len(lines)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()
                atexit.register(self.flush)
            self._changed.notify_all()

    def _drop(self, lines: bytes) -> None:
        self.dropped += lines.count(b"\n")
        self._unsaid += lines.count(b"\n")

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                lines, done = self._queue[0]
            is_written = self._write(lines)
            done()
            with self._changed:
                self._queue.popleft()
                self._queued -= len(lines)
                self._is_stalled = False
                if not is_written:
                    self._drop(lines)
                elif self._unsaid:
                    lines = self._dropped_line(self._unsaid)
                    self._queue.appendleft((lines, _nothing))
                    self._queued += len(lines)
                    self._unsaid = 0
                self._changed.notify_all()

    def _write(self, lines: bytes) -> bool:
        """Whether they are written, all of them: a line that was begun is ended, however long that takes."""
        while lines:
            try:
                lines = lines[os.write(self._descriptor, lines) :]
            except BlockingIOError:  # whoever gave us this descriptor has set it so
                with contextlib.suppress(OSError):
                    poll = select.poll()
                    poll.register(self._descriptor, select.POLLOUT)
                    poll.poll(_RETRY)
            except OSError:  # nobody reads the log any more, or there is none
                return False
        return True


def _nothing() -> None:
    """Nobody waits."""


def _from_thread(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(_set, done)


def _set(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)

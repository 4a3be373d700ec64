"""Lines that are written together: to write each by itself costs a request more than to find its answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 0.1
"""Seconds that a line may wait for others. If the process is killed, that much of the log is lost."""
MOST: Final = 512
"""Lines that wait at most."""


class Buffer:
    """In front of `write`. With no `patience`, or outside a running loop, nothing waits."""

    def __init__(self, write: Callable[[str], object], patience: float) -> None:
        self._write = write
        self._patience = patience
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """`line` has no end of its own."""
        self._lines.append(line)
        if len(self._lines) == 1:
            self._flush_soon()
        elif len(self._lines) >= MOST:
            self.flush()

    def flush(self) -> None:
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        with contextlib.suppress(OSError):  # nobody reads the log any more: that is no request's fault
            self._write("\n".join(lines) + "\n")

    def _flush_soon(self) -> None:
        if self._patience:
            with contextlib.suppress(RuntimeError):  # no loop is running
                asyncio.get_running_loop().call_later(self._patience, self.flush)
                return
        self.flush()

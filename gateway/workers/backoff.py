"""How long to wait before a worker is replaced that keeps ending."""

from __future__ import annotations

from typing import Final

FIRST: Final = 0.5
LONGEST: Final = 30.0
STEADY: Final = 10.0
"""Seconds. A worker that has lived for so long is replaced at once."""


class Backoff:
    """The delays for one worker: each early end doubles the next one."""

    def __init__(self) -> None:
        self._next = FIRST

    def after(self, lived: float) -> float:
        """Seconds to wait after a worker that lived for so many seconds."""
        if lived >= STEADY:
            self._next = FIRST
            return 0.0
        delay, self._next = self._next, min(self._next * 2, LONGEST)
        return delay

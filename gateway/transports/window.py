"""A sliding window of counts."""

from __future__ import annotations

from collections import deque
from typing import Final

PARTS: Final = 10
"""A window forgets in as many steps as this."""


class Window:
    """How many calls there were in the last `length` seconds, and how many of them were marked."""

    def __init__(self, length: float) -> None:
        self._step = length / PARTS
        self._parts: deque[list[int]] = deque(maxlen=PARTS)
        """each the number of its step, the calls in it, and those marked"""

    def add(self, now: float, *, calls: int = 0, marked: int = 0) -> None:
        """At `now`, in seconds of a clock that never goes back."""
        step = int(now / self._step)
        if not self._parts or self._parts[-1][0] != step:
            self._parts.append([step, 0, 0])
        self._parts[-1][1] += calls
        self._parts[-1][2] += marked

    def totals(self, now: float) -> tuple[int, int]:
        """Calls, and those marked."""
        oldest = int(now / self._step) - PARTS
        lately = [part for part in self._parts if part[0] > oldest]
        return sum(part[1] for part in lately), sum(part[2] for part in lately)

    def clear(self) -> None:
        self._parts.clear()

"""The retry budget: bounds second tries and the halves of failed batches to a share of the calls."""

from __future__ import annotations

import math
from typing import Final

from adapters.loop import OneLoop
from gateway.transports.window import Window

SHARE: Final = 0.2
"""Extra calls per call."""
LATELY: Final = 10.0
"""Seconds over which calls are counted."""


class RetryBudget(OneLoop):
    """Allows `SHARE` of the calls of the last 10 s, but at least `floor`.

    The floor is granted anew only after a call succeeded, or rare calls would all be repeated during an outage. Nor
    are there ever more than `in_vain` extra calls without one that succeeded.
    """

    def __init__(self, floor: int, in_vain: float = math.inf) -> None:
        self._floor = floor
        self._in_vain = in_vain
        self._window = Window(LATELY)
        self._since_success = 0
        """extra calls that were allowed since a call last succeeded"""

    def count(self, calls: int = 1) -> None:
        """So many calls were made for the first time."""
        self._window.add(self._loop.time(), calls=calls)

    def succeeded(self) -> None:
        """The platform answered a call."""
        self._since_success = 0

    def take(self) -> bool:
        """Whether there is room for an extra call; if so, it is taken."""
        now = self._loop.time()
        calls, extra = self._window.totals(now)
        has_floor = max(extra, self._since_success) < self._floor
        if self._since_success >= self._in_vain or not (has_floor or extra < int(calls * SHARE)):
            return False
        self._window.add(now, marked=1)
        self._since_success += 1
        return True

    def give_back(self) -> None:
        """An extra call that was taken turned out to be of use."""
        self._window.add(self._loop.time(), marked=-1)

"""Measures how long callbacks of the event loop wait for their turn."""

from __future__ import annotations

import asyncio
import time
from typing import Final

PERIOD: Final = 0.25
"""Seconds between two measurements."""
KEPT: Final = 30.0
"""Seconds that a measurement counts: longer than scrapers usually wait."""


class LoopLag:
    """`longest` is the most that a timer was late in the last `KEPT` to twice as many seconds."""

    def __init__(self) -> None:
        self._now = self._before = 0.0

    @property
    def longest(self) -> float:
        return max(self._now, self._before)

    async def measure(self) -> None:
        """Run until cancelled."""
        until = time.monotonic() + KEPT
        while True:
            begun = time.monotonic()
            await asyncio.sleep(PERIOD)
            now = time.monotonic()
            self._now = max(self._now, now - begun - PERIOD)
            if now >= until:
                self._before, self._now = self._now, 0.0
                until = now + KEPT

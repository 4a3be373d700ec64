"""Wakes streams a few at a time, so that a change that many of them watch does not hold up requests."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

from adapters.loop import OneLoop

AT_ONCE: Final = 25
"""Streams that are woken in one turn of the event loop. Each takes some 40 µs to write what is new."""
Wake = Callable[[], None]


class WakeQueue(OneLoop):
    """The streams that are to be woken, in order, each by a function that is called once."""

    def __init__(self) -> None:
        self._waiting: dict[Wake, None] = {}

    def add(self, wake: Wake) -> None:
        """Call `wake` soon; again before that changes nothing."""
        if not self._waiting:
            self._loop.call_soon(self._wake_some)
        self._waiting[wake] = None

    def _wake_some(self) -> None:
        for wake in tuple(itertools.islice(self._waiting, AT_ONCE)):
            del self._waiting[wake]
            wake()
        if self._waiting:
            self._loop.call_soon(self._wake_some)

"""Batches that wait for their turn, so that a lookup of many calls does not fill the platform's queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class BatchQueue(Generic[T]):
    """Starts at most `limit` batches at once. Lookups with batches left take turns.

    `start` is called for each batch when its turn comes, and `release` is to be called when it has ended.
    """

    def __init__(self, limit: int, start: Callable[[T], None]) -> None:
        self._free = limit
        self._start = start
        self._lookups: deque[deque[T]] = deque()

    def add(self, batches: Iterable[T]) -> deque[T]:
        """Those of one lookup. Returns the ones that are still waiting; who takes them out withdraws them."""
        waiting = deque(batches)
        self._lookups.append(waiting)
        self._fill()
        return waiting

    def release(self) -> None:
        self._free += 1
        self._fill()

    def _fill(self) -> None:
        while self._free and self._lookups:
            waiting = self._lookups.popleft()
            if waiting:
                self._free -= 1
                self._start(waiting.popleft())
            if waiting:
                self._lookups.append(waiting)

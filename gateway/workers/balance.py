"""Keeps the open connections of the workers about equal, through a piece of memory that all share.

The kernel wakes every worker for a connection, and on a busy machine the same one is first again and again.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Final, Self

ABSENT: Final = 0xFFFF_FFFF
"""In place of a number of connections: this worker accepts none."""
SIZE: Final = 4
"""Bytes of one number."""
TOLERATED: Final = 8
"""A worker may have one connection in so many more than another, and one."""


class Balance:
    """The open connections of each worker, numbered from 1."""

    def __init__(self, descriptor: int, workers: int) -> None:
        self.descriptor = descriptor
        self._counts = memoryview(mmap.mmap(descriptor, workers * SIZE)).cast("I")

    @classmethod
    def create(cls, workers: int) -> Self:
        """A new piece of memory, in which nobody accepts connections yet."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("connections")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.truncate(descriptor, workers * SIZE)
        balance = cls(descriptor, workers)
        for number in range(1, workers + 1):
            balance.exclude(number)
        return balance

    def exclude(self, number: int) -> None:
        """This worker accepts no connections, or not any more."""
        self._counts[number - 1] = ABSENT

    def tell(self, number: int, connections: int) -> None:
        """This worker has so many open connections, and accepts more."""
        self._counts[number - 1] = connections

    def is_ahead(self, number: int) -> bool:
        """Whether another worker has clearly fewer connections than this one."""
        fewest = min(self._counts)
        return self._counts[number - 1] > fewest + fewest // TOLERATED + 1

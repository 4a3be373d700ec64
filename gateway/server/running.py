"""Runs the server's event loop, with the memory management that suits it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import uvicorn

T = TypeVar("T")

M_MMAP_THRESHOLD: Final = -3
"""The parameter's number in glibc's malloc.h."""
MMAP_THRESHOLD: Final = 64 * 1024

COLLECTED: Final = (10_000, 20, 50)
"""So many more objects than before, and the young ones are looked at; every so many times those that were left."""


def _give_memory_back() -> None:
    """Let large pieces go back to the system as soon as they are freed (glibc's mallopt).

    By default the size from which that is so grows with the largest that was freed: what a flood of requests took, a
    few hundred kilobytes for each connection, would be kept for good.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on the server's event loop (uvloop), and return what `main` does.

    What was made until now stays for as long as the process does. What requests leave goes without the collector, so
    that it runs seldom: as it is set by default, it takes a sixth of a lookup's time, and a third of one alone.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    _give_memory_back()
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()) as runner:
        return runner.run(main)

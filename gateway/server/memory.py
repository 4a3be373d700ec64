"""How the C library gives memory back to the system."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

M_MMAP_THRESHOLD: Final = -3
"""The parameter's number in glibc's malloc.h."""
MMAP_THRESHOLD: Final = 64 * 1024


def give_memory_back() -> None:
    """Let large pieces go back to the system as soon as they are freed (glibc's mallopt).

    By default the size from which that is so grows with the largest that was freed: what a flood of requests took, a
    few hundred kilobytes for each connection, would be kept for good.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD)

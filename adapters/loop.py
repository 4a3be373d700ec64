"""The event loop that something lives in."""

from __future__ import annotations

import asyncio
from functools import cached_property


class OneLoop:
    """Lives in one event loop, and finds it once: on 3.11 every look is a system call (`getpid`)."""

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

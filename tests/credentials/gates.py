"""What holds threads up, until a test lets them go on."""

from __future__ import annotations

import asyncio
import threading

from adapters.daemon_thread import NAME


class Gate:
    """Holds threads up until it is opened; `reached` is set when one has come."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.waits = 0

    def wait(self) -> bool:
        self.waits += 1
        self.reached.set()
        return self.opened.wait(60)

    async def has_been_reached(self) -> None:
        async with asyncio.timeout(60):
            while not self.reached.is_set():  # noqa: ASYNC110  it is a thread's
                await asyncio.sleep(0.01)


def hanging() -> int:
    """How many threads are at work on files."""
    return sum(thread.name == NAME for thread in threading.enumerate())


async def none_hangs() -> None:
    async with asyncio.timeout(60):
        while hanging():  # noqa: ASYNC110  it is a thread's
            await asyncio.sleep(0.01)

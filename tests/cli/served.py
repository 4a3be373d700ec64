"""What the tests of the command line stand on: a way to run a command, and something for it to ask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from click.testing import Result

from adapters.simulation import Simulator, serving, simulator

Run = Callable[..., Result]


class Served:
    """A simulator on a port of its own, in a loop of its own: a command runs a loop itself."""

    def __init__(self, adapter: str) -> None:
        self.simulator: Simulator = simulator(adapter)
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with serving(self.simulator) as self.url:
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Served:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

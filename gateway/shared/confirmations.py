"""Finds out which messages of this replica were lost: those that do not come back from the stream.

A message can be lost on its way to the server, or with the server's memory after it was acknowledged. Either way this
replica does not read it on the stream, where it reads all others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from adapters.loop import OneLoop

WITHIN: Final = 2.0
"""Seconds after which a message that has not come back was lost."""
INTERVAL: Final = 0.5
"""Seconds between two looks, while there are messages that have not come back."""
MOST: Final = 10_000
"""Messages that are remembered. If there are more, one of them counts as lost."""
_TOO_MANY: Final = b""


class Confirmations(OneLoop):
    """`on_lost` is called if messages were lost, but not while the stream is not read (`is_following`)."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self.is_following = False
        self._on_lost = on_lost
        self._sent: dict[object, float] = {}
        self._watcher: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many messages have not come back."""
        return len(self._sent)

    def add(self, message: bytes) -> None:
        """Expect this message, which is sent now."""
        self._sent[message if len(self._sent) < MOST else _TOO_MANY] = self._loop.time()
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())

    def remove(self, message: object) -> None:
        """Note that this message has come back."""
        self._sent.pop(message, None)

    async def aclose(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher

    async def _watch(self) -> None:
        while self._sent:
            await asyncio.sleep(INTERVAL)
            late = self._loop.time() - WITHIN
            if self.is_following and any(sent <= late for sent in self._sent.values()):
                self._sent.clear()
                self._on_lost()
        self._watcher = None

"""One platform as the routes see it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum

from adapters.contract import Action, Adapter, Connection, DeadlineExceeded, PlatformError, Viewer

Read = asyncio.Task[Mapping[int, Connection | PlatformError]]


class Health(StrEnum):
    """Whether the gateway asks this platform at all; so far nothing keeps it from asking."""

    UP = "up"


class Platform:
    """`lookup` under the caller's deadline. A call to the platform has its own: it may outlive its caller."""

    health = Health.UP

    def __init__(self, kind: str, adapter: Adapter) -> None:
        self.name = adapter.platform
        self.kind = kind
        self.adapter = adapter
        offered = {action for actions in adapter.ACTIONS.values() for action in actions}
        self.offered = tuple(action for action in Action if action in offered)
        self._reads: set[Read] = set()

    async def lookup(self, viewer: Viewer, user_id: int, deadline: float) -> Connection:
        """Where `viewer` stands with `user_id`, by `deadline` (`loop.time()`). Raises a PlatformError."""
        loop = asyncio.get_running_loop()
        read: Read = loop.create_task(self.adapter.read(viewer, (user_id,)))
        self._reads.add(read)
        read.add_done_callback(self._reads.discard)
        try:
            await asyncio.wait((read,), timeout=deadline - loop.time())
        finally:
            if not read.done():
                read.add_done_callback(_report_bug)
        if not read.done():
            raise DeadlineExceeded(self.name, "no answer in time")
        found = read.result()[user_id]
        if isinstance(found, PlatformError):
            raise found
        return found

    async def close(self) -> None:
        """End the reads that nobody waits for any more, and whatever the adapter has under way."""
        for read in self._reads:
            read.cancel()
        await asyncio.gather(*self._reads, return_exceptions=True)
        await self.adapter.aclose()


def _report_bug(read: Read) -> None:
    """Nobody waits for this read: a platform's failure is nobody's news, a bug of ours still is."""
    error = None if read.cancelled() else read.exception()
    if error is not None and not isinstance(error, PlatformError):
        read.get_loop().call_exception_handler({"message": "bug in an abandoned read", "exception": error})

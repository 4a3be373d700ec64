"""Many users of one viewer, asked in few calls.

- The users of one lookup leave at once, in batches of at most the adapter's `batch_size`.
- What fails for one user is that user's answer. What fails for a batch is the answer of everybody in it,
- unless the platform refused the batch as such (400, 403, 404, 413, 414): that may be one user's fault. Then the
  first is asked alone. The same refusal again is the answer for all of them; otherwise the others are halved.
- No batch begins after the deadline. Whoever has no answer by then has missed it; the calls under way go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from adapters.contract import Adapter, Connection, DeadlineExceeded, PlatformError, Viewer
from gateway.background import Background

Found = dict[int, Connection | PlatformError]


class Batcher:
    """Reads of one platform; `reads` keeps those that outlive their caller."""

    def __init__(self, adapter: Adapter, reads: Background) -> None:
        self._adapter = adapter
        self._reads = reads

    async def read(
        self, viewer: Viewer, user_ids: Sequence[int], deadline: float
    ) -> Mapping[int, Connection | PlatformError]:
        """Where `viewer` stands with each of these different users, by `deadline` (`loop.time()`)."""
        found: Found = {}
        size = self._adapter.batch_size
        batches = [user_ids[start : start + size] for start in range(0, len(user_ids), size)]
        tasks = [self._reads.start(self._batch(viewer, batch, deadline, found)) for batch in batches]
        await self._reads.wait(*tasks, until=deadline)
        for task in tasks:
            if task.done():
                task.result()
        late = DeadlineExceeded(self._adapter.platform, "no answer in time")
        return {user_id: found.get(user_id, late) for user_id in user_ids}

    async def _batch(self, viewer: Viewer, batch: Sequence[int], deadline: float, found: Found) -> None:
        if asyncio.get_running_loop().time() >= deadline:
            return
        try:
            found.update(await self._adapter.read(viewer, batch))
        except PlatformError as failure:
            if failure.refusal is None or len(batch) == 1:
                found.update(dict.fromkeys(batch, failure))
            else:
                await self._bisect(viewer, batch, failure, deadline, found)

    async def _bisect(
        self, viewer: Viewer, batch: Sequence[int], refused: PlatformError, deadline: float, found: Found
    ) -> None:
        first, others = batch[0], batch[1:]
        await self._batch(viewer, (first,), deadline, found)
        alone = found.get(first)
        if isinstance(alone, PlatformError) and alone.refusal == refused.refusal:
            found.update(dict.fromkeys(others, alone))
            return
        middle = (len(others) + 1) // 2
        halves = [half for half in (others[:middle], others[middle:]) if half]
        await asyncio.gather(*(self._batch(viewer, half, deadline, found) for half in halves))

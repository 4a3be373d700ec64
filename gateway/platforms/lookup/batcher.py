"""Batches lookups of one platform into few calls: the busier it is, the cheaper a lookup.

Long, because its rules are one machine. For each viewer apart:

1. A lookup of a user that a call in flight is about joins it, unless that call started before `since`.
2. A lookup that finds nothing in flight, or one call about one user, is sent at once: alone, or with those of the
   same turn of the event loop.
3. Otherwise it is gathered until that is so again. Then all gathered lookups are sent together, as one call (as
   several if they exceed the adapter's `batch_size`). This is group commit: there is no timer, and nothing waits
   while nothing is in flight. Two calls about several users at once would each be half as large and cost as much.
   Only if a call takes much longer than usual is it overtaken, once, by what was gathered behind it.
4. The users of one lookup of many are sent at once, together. If that takes several calls, no more of them are in
   flight than the platform may be sent at once, and lookups of many take turns (`BatchQueue`).
5. Everybody who waits has a deadline of their own, and takes nobody along. A call that was sent runs to its end;
   users for whom nobody waits any more are not asked about.
6. What fails for one user is that user's result. What fails for a call is the result of everybody in it, unless the
   platform refused the call as such (400, 403, 404, 413, 414), which may be one user's fault. Then the first user
   is asked about alone. The same refusal again is the result for all; otherwise the others are halved. A batch that
   failed with 5xx is halved at once, as long as the retry budget allows: in an outage both halves fail, and use it
   up.
7. If a user is invalidated while a call is in flight (an action changes what it is about to say), whoever waits
   gets its result, nobody joins it any more, and it is not cached.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import Final

from adapters.contract import Adapter, DeadlineExceeded, Viewer
from adapters.loop import OneLoop
from adapters.user_ids import UserKey
from gateway.aio.background_tasks import BackgroundTasks
from gateway.aio.deadlines import Deadlines
from gateway.platforms.lookup.batch_queue import BatchQueue
from gateway.platforms.lookup.batch_reads import BatchReader, OnResult
from gateway.platforms.lookup.pending import (
    LIVE,
    MAX_IN_FLIGHT,
    LookupHandle,
    LookupResult,
    PartialWaiter,
    PendingLookup,
    ViewerQueue,
    Waiter,
)
from gateway.platforms.second_tier import SecondTier
from gateway.platforms.staleness import ANY_TIME
from gateway.telemetry.spans import UNTRACED, Spans

OVERTAKE_AFTER: Final = 4.0
"""Times the usual duration of a call, after which it may be overtaken."""
Batch = tuple[ViewerQueue, Sequence[PendingLookup]]


class Batcher(OneLoop):
    """Reads of one platform. `reads` keeps the calls until they end; `on_result` is told what came of each user."""

    def __init__(
        self,
        adapter: Adapter,
        reads: BackgroundTasks,
        on_result: OnResult,
        spans: Spans = UNTRACED,
        *,
        max_calls: int = 64,
        size: Callable[[float], None] = lambda _users: None,
        second_tier: SecondTier | None = None,
    ) -> None:
        """Of lookups that take several calls, at most `max_calls` calls are in flight at once.

        `size` is told how many users each call is about.
        """
        self._adapter = adapter
        self._spans = spans
        self._reads = reads
        self._batch_reads = BatchReader(adapter, on_result, self._call_finished, spans, size, second_tier=second_tier)
        self._deadlines = Deadlines()
        self._waiting_batches: BatchQueue[Batch] = BatchQueue(max_calls, self._start_queued)
        self._queues: dict[Viewer, ViewerQueue] = {}
        """of the viewers who have pending lookups"""

    def ask(self, viewer: Viewer, user_id: UserKey, deadline: float, since: float = ANY_TIME) -> LookupHandle:
        """Begin a lookup, or join one whose call started after `since` (`loop.time()`). `result` waits for it."""
        waiter = Waiter(1, self._loop.create_future(), self._spans.asker())
        queue = self._queue(viewer)
        joined = queue.join(user_id, waiter, deadline, since, since)
        lookup = joined or queue.add(user_id, waiter, deadline, since)
        if joined is None:
            queue.gathered.append(lookup)
            if not queue.is_flushing and (queue.in_flight < MAX_IN_FLIGHT or self._may_overtake(queue)):
                queue.is_flushing = True
                self._loop.call_soon(self._flush, queue)
        return LookupHandle(lookup, waiter, deadline, joined is not None, joined is None and not queue.is_flushing)

    async def result(self, asked: LookupHandle) -> LookupResult:
        """Wait for the result, at most until the deadline: then it is DeadlineExceeded."""
        await self._deadlines.wait(asked.waiter.done, asked.deadline)
        return asked.waiter.results.get(asked.lookup.user_id) or self._late()

    async def read(
        self,
        viewer: Viewer,
        user_ids: Iterable[UserKey],
        deadline: float,
        since: float = ANY_TIME,
        *,
        is_live: bool = False,
    ) -> Mapping[UserKey, LookupResult]:
        """Look up these different users, by `deadline`, and return the result of each.

        `is_live`: nothing from the second tier of the cache is one.
        """
        asked = list(user_ids)
        if not asked:
            return {}
        waiter = Waiter(len(asked), self._loop.create_future(), self._spans.asker())
        oldest = LIVE if is_live else since
        queued = self._send_off(waiter, viewer, asked, deadline, since, oldest=oldest)
        await self._deadlines.wait(waiter.done, deadline)
        self._withdraw(queued)
        late = self._late()
        return {user_id: waiter.results.get(user_id, late) for user_id in asked}

    async def read_in_parts(
        self, viewer: Viewer, user_ids: Iterable[UserKey], deadline: float, since: float = ANY_TIME
    ) -> AsyncGenerator[Mapping[UserKey, LookupResult]]:
        """Yield the results of `read` in parts, each as soon as it is known; last, those that are late."""
        asked = list(user_ids)
        if not asked:
            return
        waiter = PartialWaiter(len(asked), self._loop, self._spans.asker())
        queued = self._send_off(waiter, viewer, asked, deadline, since, oldest=since)
        missing = dict.fromkeys(asked)
        try:
            while missing:
                await self._deadlines.wait(waiter.done, deadline)
                part = waiter.take()
                if not part:
                    yield dict.fromkeys(missing, self._late())
                    return
                for user_id in part:
                    del missing[user_id]
                yield part
        finally:
            self._withdraw(queued)

    def _send_off(
        self,
        waiter: Waiter,
        viewer: Viewer,
        asked: Sequence[UserKey],
        deadline: float,
        since: float,
        *,
        oldest: float,
    ) -> deque[Batch]:
        """Begin or join a lookup of each of these. Returns the batches that wait for their turn."""
        queue = self._queue(viewer)
        lookups = [
            queue.add(user_id, waiter, deadline, oldest)
            for user_id in asked
            if not queue.join(user_id, waiter, deadline, since, oldest)
        ]
        batches = self._batches(lookups)
        if len(batches) > 1:
            queue.calls += len(batches)
            return self._waiting_batches.add((queue, batch) for batch in batches)
        self._send(queue, lookups)
        return deque()

    def invalidate(self, viewer: Viewer, user_id: UserKey) -> None:
        """Let what calls in flight say of this user be neither cached nor joined: it may have changed."""
        queue = self._queues.get(viewer)
        if queue is not None:
            queue.invalidate(user_id)

    def invalidate_all(self) -> None:
        """The same for all users of all viewers."""
        for queue in self._queues.values():
            queue.invalidate_all()

    def invalidate_users(self, user_ids: Iterable[int]) -> None:
        """As `invalidate`, for every viewer."""
        for queue in self._queues.values():
            for user_id in user_ids:
                queue.invalidate(user_id)

    def _queue(self, viewer: Viewer) -> ViewerQueue:
        queue = self._queues.get(viewer)
        if queue is None:
            queue = self._queues[viewer] = ViewerQueue(viewer)
        return queue

    def _batches(self, lookups: Sequence[PendingLookup]) -> Sequence[Sequence[PendingLookup]]:
        """Split into as few batches as possible."""
        size = self._adapter.batch_size
        return [lookups[start : start + size] for start in range(0, len(lookups), size)]

    def _send(self, queue: ViewerQueue, lookups: Sequence[PendingLookup]) -> None:
        """Start the calls about these."""
        for batch in self._batches(lookups):
            queue.calls += 1
            queue.on_call_started(batch, self._loop.time())
            self._reads.start(self._ask(queue, batch))

    def _start_queued(self, queued: Batch) -> None:
        queue, batch = queued
        queue.on_call_started(batch, self._loop.time())
        self._reads.start(self._ask_queued(queue, batch))

    async def _ask_queued(self, queue: ViewerQueue, batch: Sequence[PendingLookup]) -> None:
        try:
            await self._ask(queue, batch)
        finally:
            self._waiting_batches.release()

    def _withdraw(self, queued: deque[Batch]) -> None:
        """Remove the waiting batches for which nobody waits any more."""
        now = self._loop.time()
        batches = list(queued)
        queued.clear()
        for queue, batch in batches:
            if any(lookup.until > now for lookup in batch):
                queued.append((queue, batch))
                continue
            for lookup in batch:
                queue.remove(lookup)
            self._end_call(queue)

    async def _ask(self, queue: ViewerQueue, batch: Sequence[PendingLookup]) -> None:
        """Make one call, and the smaller ones that it may take."""
        try:
            await self._batch_reads.read(queue, batch)
        except asyncio.CancelledError as end:
            self._fail(queue, batch, end)
            raise
        except Exception as bug:
            if not self._fail(queue, batch, bug):
                raise
        finally:
            self._end_call(queue)

    def _end_call(self, queue: ViewerQueue) -> None:
        queue.calls -= 1
        if not queue.calls and not queue.gathered:
            del self._queues[queue.viewer]

    def _call_finished(self, queue: ViewerQueue) -> None:
        """Send what was gathered meanwhile."""
        if queue.in_flight < MAX_IN_FLIGHT and not queue.is_flushing:
            self._flush(queue)

    def _flush(self, queue: ViewerQueue) -> None:
        queue.is_flushing = False
        gathered, queue.gathered = queue.gathered, []
        self._send(queue, gathered)

    def _may_overtake(self, queue: ViewerQueue) -> bool:
        """Whether the calls in flight take too long, and were not overtaken yet."""
        if queue.was_overtaken or self._loop.time() - queue.last_call_at <= OVERTAKE_AFTER * self._batch_reads.usual:
            return False
        queue.was_overtaken = True
        return True

    def _fail(self, queue: ViewerQueue, batch: Sequence[PendingLookup], failure: BaseException) -> bool:
        """Pass a bug on to all who wait. Returns whether anybody did."""
        results = False
        for lookup in batch:
            queue.remove(lookup)
            results |= lookup.fail(failure)
        return results

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(self._adapter.platform, "no answer in time")

"""Reads batches: one call for each, and smaller ones where the platform refuses it or fails."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from adapters.contract import Adapter, Connection, Overloaded, PlatformError, ServerError, Unavailable, Viewer
from adapters.loop import OneLoop
from adapters.user_ids import UserKey
from gateway.explain import timeline
from gateway.platforms.lookup.encoded import CachedConnection, SharedConnection
from gateway.platforms.lookup.pending import LIVE, LookupResult, PendingLookup, ViewerQueue
from gateway.platforms.second_tier import SecondTier
from gateway.telemetry.spans import Spans
from gateway.transports.budget import RetryBudget

LATEST: Final = 0.1
"""What the latest call counts for what is usual."""
FLOOR: Final = 5
"""Halvings that are always in the budget, enough to find one user among 32; and the most of them in vain."""
OnResult = Callable[[Viewer, UserKey, LookupResult], None]
"""Told what the platform said of a user; of one who was forgotten meanwhile only refusals and failures."""


class BatchReader(OneLoop):
    """Of one platform. `on_result` is told what came of each user, and `back` when a call of a queue has finished.

    `size` is told how many users each call is about.
    """

    def __init__(
        self,
        adapter: Adapter,
        on_result: OnResult,
        back: Callable[[ViewerQueue], None],
        spans: Spans,
        size: Callable[[float], None],
        *,
        second_tier: SecondTier | None = None,
    ) -> None:
        self._adapter = adapter
        self._second_tier = second_tier
        self._on_result = on_result
        self._back = back
        self._spans = spans
        self._size = size
        self._budget = RetryBudget(FLOOR, in_vain=FLOOR)
        """counts users, not calls: a batch that failed stands for all of its lookups"""
        self.usual = math.inf
        """seconds that a call takes; before the first nobody knows"""

    async def read(self, queue: ViewerQueue, batch: Sequence[PendingLookup]) -> None:
        """Answer these questions, which have departed together."""
        if self._second_tier is not None:
            await self._recall(self._second_tier, queue, batch)
        if len(batch) > 1:
            self._budget.count(len(batch))
        await self._answer(queue, batch)

    async def _answer(
        self, queue: ViewerQueue, batch: Sequence[PendingLookup], before: PlatformError | None = None
    ) -> bool:
        """Whether the platform answered. If it fails again or can't be asked, these get the failure from `before`."""
        asked = self._begin(queue, [lookup for lookup in batch if lookup.result is None])
        try:
            found, answered = await self._read(queue, batch, asked), True
        except PlatformError as failure:
            if failure.refusal is not None and len(asked) > 1:
                await self._bisect(queue, list(asked.values()), failure)
                return True
            if before is not None and (_may_be_one_users(failure) or isinstance(failure, (Overloaded, Unavailable))):
                failure = before
            found, answered = dict.fromkeys(asked, failure), False
        at = self._loop.time()
        failed: list[tuple[PendingLookup, PlatformError]] = []
        for user_id, lookup in asked.items():
            result = found[user_id]
            if isinstance(result, Connection):
                self._resolve(queue, lookup, CachedConnection.of(result, at))
            elif len(asked) > 1 and _may_be_one_users(result):
                failed.append((lookup, result))
            else:
                self._resolve(queue, lookup, result)
        if self._second_tier is not None:
            self._keep(self._second_tier, queue.viewer, asked.values())
        if failed:
            answered |= await self._halve(queue, failed)
        return answered

    def _begin(self, queue: ViewerQueue, batch: Iterable[PendingLookup]) -> dict[UserKey, PendingLookup]:
        """Those about which the platform is to be asked now: somebody still waits for them."""
        now = self._loop.time()
        asked: dict[UserKey, PendingLookup] = {}
        for lookup in batch:
            if lookup.until > now:
                lookup.call_started_at = now
                asked[lookup.user_id] = lookup
            else:
                queue.remove(lookup)
        return asked

    def _keep(self, tier: SecondTier, viewer: Viewer, lookups: Iterable[PendingLookup]) -> None:
        """Write to the second tier what the platform has just said of these."""
        tier.put(
            viewer,
            [
                (lookup.user_id, lookup.claim, lookup.result.body, lookup.result.at)
                for lookup in lookups
                if isinstance(lookup.result, CachedConnection) and lookup.claim is not None and not lookup.is_outdated
            ],
        )

    async def _recall(self, tier: SecondTier, queue: ViewerQueue, batch: Sequence[PendingLookup]) -> None:
        """Answer from the second tier what it has and may answer. The call about the others has not started yet."""
        begun = self._loop.time()
        wanted = {lookup.user_id: lookup for lookup in batch if lookup.oldest < begun < lookup.until}
        if not wanted:
            return
        met = timeline.start()
        step = timeline.begin(timeline.StepKind.CACHE, begun, users=len(wanted))
        found = await tier.get(queue.viewer, tuple(wanted))
        now = self._loop.time()
        step.end(now, f"{len(found.entries)} of {len(wanted)} shared")
        for user_id, lookup in wanted.items():
            lookup.timelines += (met,)
            lookup.claim = found.claims.get(user_id)
            if user_id not in found.entries or lookup.oldest == LIVE:
                continue
            shared = SharedConnection(*found.entries[user_id])
            self._on_result(queue.viewer, user_id, shared)
            if shared.at >= lookup.oldest and now - shared.at < tier.fresh_for:
                queue.remove(lookup)
                lookup.resolve(shared)

    async def _read(
        self, queue: ViewerQueue, batch: Sequence[PendingLookup], asked: Mapping[UserKey, PendingLookup]
    ) -> Mapping[UserKey, Connection | PlatformError]:
        """One call, if anybody still waits."""
        try:
            return await self._call(queue.viewer, asked) if asked else {}
        finally:
            queue.on_call_finished(batch)
            self._back(queue)

    async def _call(
        self, viewer: Viewer, asked: Mapping[UserKey, PendingLookup]
    ) -> Mapping[UserKey, Connection | PlatformError]:
        lookups = asked.values()
        met = timeline.start()
        for lookup in lookups:
            lookup.timelines += (met,)
        self._size(len(asked))
        begun = self._loop.time()
        step = timeline.begin(timeline.StepKind.CALL, begun, users=len(asked))
        try:
            with self._spans.batch(len(lookups), lambda: _askers(lookups)):
                found = await self._adapter.read(viewer, tuple(asked))
            self._budget.succeeded()
            return found
        finally:
            now = self._loop.time()
            step.end(now)
            self._note(now - begun)

    def _note(self, took: float) -> None:
        """How long a call took."""
        if self.usual == math.inf:
            self.usual = took
        self.usual += (took - self.usual) * LATEST

    async def _bisect(self, queue: ViewerQueue, batch: Sequence[PendingLookup], refused: PlatformError) -> None:
        first, others = batch[0], batch[1:]
        await self._retry(queue, (first,))
        if isinstance(first.result, PlatformError) and first.result.refusal == refused.refusal:
            for lookup in others:
                self._resolve(queue, lookup, first.result)
            return
        middle = (len(others) + 1) // 2
        halves = [half for half in (others[:middle], others[middle:]) if half]
        await asyncio.gather(*(self._retry(queue, half) for half in halves))

    async def _halve(self, queue: ViewerQueue, failed: Sequence[tuple[PendingLookup, PlatformError]]) -> bool:
        """Ask these again in two halves, since one of them may be why all failed. Whether any was answered."""
        if not self._budget.take():
            for lookup, failure in failed:
                self._resolve(queue, lookup, failure)
            return False
        middle = (len(failed) + 1) // 2
        halves = [half for half in (failed[:middle], failed[middle:]) if half]
        again = (self._retry(queue, [lookup for lookup, _ in half], half[0][1]) for half in halves)
        answered = any(await asyncio.gather(*again))
        if answered:
            self._budget.give_back()
        return answered

    async def _retry(
        self, queue: ViewerQueue, batch: Sequence[PendingLookup], before: PlatformError | None = None
    ) -> bool:
        queue.on_call_started(batch, self._loop.time())
        return await self._answer(queue, batch, before)

    def _resolve(self, queue: ViewerQueue, lookup: PendingLookup, result: LookupResult) -> None:
        if not lookup.is_outdated or isinstance(result, PlatformError):
            self._on_result(queue.viewer, lookup.user_id, result)
        queue.remove(lookup)
        lookup.resolve(result)


def _askers(lookups: Iterable[PendingLookup]) -> Iterator[object]:
    return (waiter.asker for lookup in lookups for waiter in lookup.waiters)


def _may_be_one_users(failure: PlatformError) -> bool:
    """Whether others in the same batch may have failed because of one."""
    return isinstance(failure, ServerError) and failure.retry_after is None

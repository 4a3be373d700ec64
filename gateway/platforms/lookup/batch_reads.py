"""Batches on their way: one call for each, and smaller ones where the platform refuses it or fails."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from adapters.contract import Adapter, Connection, Overloaded, PlatformError, ServerError, Unavailable, Viewer
from adapters.loop import OneLoop
from gateway.explain import timeline
from gateway.platforms.lookup.encoded import Known
from gateway.platforms.lookup.pending import Line, Question, Said
from gateway.telemetry.spans import Spans
from gateway.transports.budget import RetryBudget

LATEST: Final = 0.1
"""What the latest call counts for what is usual."""
FLOOR: Final = 5
"""Halvings that are always in the budget, enough to find one user among 32; and the most of them in vain."""
Hear = Callable[[Viewer, int, Said], None]
"""Told what the platform said of a user; of one who was forgotten meanwhile only refusals and failures."""


class BatchReads(OneLoop):
    """Of one platform. `hear` is told what came of each user, and `back` when a call of a line has come back."""

    def __init__(self, adapter: Adapter, hear: Hear, back: Callable[[Line], None], spans: Spans) -> None:
        self._adapter = adapter
        self._hear = hear
        self._back = back
        self._spans = spans
        self._budget = RetryBudget(FLOOR, in_vain=FLOOR)
        """counts users, not calls: a batch that failed stands for all of its lookups"""
        self.usual = math.inf
        """seconds that a call takes; before the first nobody knows"""

    async def read(self, line: Line, batch: Sequence[Question]) -> None:
        """Answer these questions, which have departed together."""
        if len(batch) > 1:
            self._budget.count(len(batch))
        await self._answer(line, batch)

    async def _answer(self, line: Line, batch: Sequence[Question], before: PlatformError | None = None) -> bool:
        """Whether the platform answered. If it fails again or can't be asked, these get the failure from `before`."""
        now = self._loop.time()
        asked: dict[int, Question] = {}
        for question in batch:
            if question.until > now:
                question.began = now
                asked[question.user_id] = question
            else:
                line.drop(question)
        try:
            found, answered = await self._read(line, batch, asked), True
        except PlatformError as failure:
            if failure.refusal is not None and len(asked) > 1:
                await self._bisect(line, list(asked.values()), failure)
                return True
            if before is not None and (_may_be_one_users(failure) or isinstance(failure, (Overloaded, Unavailable))):
                failure = before
            found, answered = dict.fromkeys(asked, failure), False
        at = self._loop.time()
        failed: list[tuple[Question, PlatformError]] = []
        for user_id, question in asked.items():
            said = found[user_id]
            if isinstance(said, Connection):
                self._tell(line, question, Known.of(said, at))
            elif len(asked) > 1 and _may_be_one_users(said):
                failed.append((question, said))
            else:
                self._tell(line, question, said)
        if failed:
            answered |= await self._halve(line, failed)
        return answered

    async def _read(
        self, line: Line, batch: Sequence[Question], asked: Mapping[int, Question]
    ) -> Mapping[int, Connection | PlatformError]:
        """One call, if anybody still waits."""
        try:
            return await self._call(line.viewer, asked) if asked else {}
        finally:
            line.is_back(batch)
            self._back(line)

    async def _call(self, viewer: Viewer, asked: Mapping[int, Question]) -> Mapping[int, Connection | PlatformError]:
        questions = asked.values()
        met = timeline.start()
        for question in questions:
            question.trails += (met,)
        begun = self._loop.time()
        step = timeline.begin(timeline.StepKind.CALL, begun, users=len(asked))
        try:
            with self._spans.batch(len(questions), lambda: _askers(questions)):
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

    async def _bisect(self, line: Line, batch: Sequence[Question], refused: PlatformError) -> None:
        first, others = batch[0], batch[1:]
        await self._again(line, (first,))
        if isinstance(first.said, PlatformError) and first.said.refusal == refused.refusal:
            for question in others:
                self._tell(line, question, first.said)
            return
        middle = (len(others) + 1) // 2
        halves = [half for half in (others[:middle], others[middle:]) if half]
        await asyncio.gather(*(self._again(line, half) for half in halves))

    async def _halve(self, line: Line, failed: Sequence[tuple[Question, PlatformError]]) -> bool:
        """Ask these again in two halves, since one of them may be why all failed. Whether any was answered."""
        if not self._budget.take():
            for question, failure in failed:
                self._tell(line, question, failure)
            return False
        middle = (len(failed) + 1) // 2
        halves = [half for half in (failed[:middle], failed[middle:]) if half]
        again = (self._again(line, [question for question, _ in half], half[0][1]) for half in halves)
        answered = any(await asyncio.gather(*again))
        if answered:
            self._budget.give_back()
        return answered

    async def _again(self, line: Line, batch: Sequence[Question], before: PlatformError | None = None) -> bool:
        line.departs(batch, self._loop.time())
        return await self._answer(line, batch, before)

    def _tell(self, line: Line, question: Question, said: Said) -> None:
        if not question.forgotten or isinstance(said, PlatformError):
            self._hear(line.viewer, question.user_id, said)
        line.drop(question)
        question.tell(said)


def _askers(questions: Iterable[Question]) -> Iterator[object]:
    return (waiter.asker for question in questions for waiter in question.waiters)


def _may_be_one_users(failure: PlatformError) -> bool:
    """Whether others in the same batch may have failed because of one."""
    return isinstance(failure, ServerError) and failure.retry_after is None

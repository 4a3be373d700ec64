"""Lookups of one platform in few calls: the busier it is, the cheaper a lookup. For each viewer apart:

1. Who asks about a user whom a call under way is about joins it, unless that call began before `since`: then what it
   says may be too old for whoever asks.
2. A lookup leaves at once if it finds nothing under way, or one call about one user: alone, or with those that come
   in the same turn of the event loop.
3. Otherwise it gathers, until that is so again. Then all that gathered meanwhile leave together, as one call (as
   several where they are more than the adapter's `batch_size`). So there is no timer, nobody waits without a call
   under way, and where nothing goes on nobody waits at all. Two calls about several at once would each be half as
   large, and cost as much. Only if what is under way takes much longer than usual do those who come later not wait
   for it: once.
4. The users of one lookup of many leave at once, together. Where that takes several calls, no more of them are under
   way than the platform may be sent at once, and lookups take turns (`BatchQueue`).
5. Each who waits has a deadline of its own, and takes nobody along. A call that has left comes to its end; users for
   whom nobody waits any more are not asked.
6. What fails for one user is that user's answer. What fails for a call is the answer of everybody in it, unless the
   platform refused the call as such (400, 403, 404, 413, 414): that may be one user's fault. Then the first is asked
   alone. The same refusal again is the answer for all of them; otherwise the others are halved. A batch that failed
   with 5xx is halved at once, as long as the retry budget allows: in an outage both halves fail, and that costs it.
7. A user who is forgotten while a call is under way (an action changes what it is about to say): whoever waits gets
   its answer, nobody joins any more, and it is not kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Final

from adapters.contract import Adapter, DeadlineExceeded, Viewer
from adapters.loop import OneLoop
from gateway.aio.background_tasks import Background
from gateway.aio.deadlines import Deadlines
from gateway.platforms.freshness import ANY_TIME
from gateway.platforms.lookup.batch_queue import BatchQueue
from gateway.platforms.lookup.batch_reads import BatchReads, Hear
from gateway.platforms.lookup.pending import ENOUGH, Asked, Line, PartialWaiter, Question, Said, Waiter
from gateway.telemetry.spans import UNTRACED, Spans

LATE: Final = 4.0
"""Times as long as usual, and what has not come back by then is late."""
Batch = tuple[Line, Sequence[Question]]


class Batcher(OneLoop):
    """Reads of one platform; `reads` keeps the calls until they end, and `hear` is told what came of each."""

    def __init__(
        self, adapter: Adapter, reads: Background, hear: Hear, spans: Spans = UNTRACED, *, max_calls: int = 64
    ) -> None:
        """Of lookups that take several calls, at most `max_calls` are under way at once."""
        self._adapter = adapter
        self._spans = spans
        self._reads = reads
        self._batch_reads = BatchReads(adapter, hear, self._call_is_back, spans)
        self._deadlines = Deadlines()
        self._queue: BatchQueue[Batch] = BatchQueue(max_calls, self._start_queued)
        self._lines: dict[Viewer, Line] = {}
        """of viewers for whom anything is under way"""

    def ask(self, viewer: Viewer, user_id: int, deadline: float, since: float = ANY_TIME) -> Asked:
        """Ask the platform about this user, in a call that began after `since` (`loop.time()`); then `hear`."""
        waiter = Waiter(1, self._loop.create_future(), self._spans.asker())
        line = self._line(viewer)
        joined = line.join(user_id, waiter, deadline, since)
        question = joined or line.ask(user_id, waiter, deadline)
        if joined is None:
            line.gathered.append(question)
            if not line.leaving and (line.under_way < ENOUGH or self._passes(line)):
                line.leaving = True
                self._loop.call_soon(self._leave_together, line)
        return Asked(question, waiter, deadline, joined is not None, joined is None and not line.leaving)

    async def hear(self, asked: Asked) -> Said:
        """What the platform says, at the latest by the deadline."""
        await self._deadlines.wait(asked.waiter.done, asked.deadline)
        return asked.waiter.heard.get(asked.question.user_id) or self._late()

    async def read(
        self, viewer: Viewer, user_ids: Iterable[int], deadline: float, since: float = ANY_TIME
    ) -> Mapping[int, Said]:
        """What the platform says of each of these different users, by `deadline`, in calls as `ask` has them."""
        asked = list(user_ids)
        if not asked:
            return {}
        waiter = Waiter(len(asked), self._loop.create_future(), self._spans.asker())
        queued = self._send_off(waiter, viewer, asked, deadline, since)
        await self._deadlines.wait(waiter.done, deadline)
        self._withdraw(queued)
        late = self._late()
        return {user_id: waiter.heard.get(user_id, late) for user_id in asked}

    async def read_in_parts(
        self, viewer: Viewer, user_ids: Iterable[int], deadline: float, since: float = ANY_TIME
    ) -> AsyncGenerator[Mapping[int, Said]]:
        """As `read`, each part as soon as it is known. The last one is about those for whom there was no time."""
        asked = list(user_ids)
        if not asked:
            return
        waiter = PartialWaiter(len(asked), self._loop, self._spans.asker())
        queued = self._send_off(waiter, viewer, asked, deadline, since)
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
        self, waiter: Waiter, viewer: Viewer, asked: Sequence[int], deadline: float, since: float
    ) -> deque[Batch]:
        """Have the platform asked about each of these. Returns the batches that wait for their turn."""
        line = self._line(viewer)
        questions = [
            line.ask(user_id, waiter, deadline)
            for user_id in asked
            if not line.join(user_id, waiter, deadline, since)
        ]
        batches = self._batches(questions)
        if len(batches) > 1:
            line.calls += len(batches)
            return self._queue.add((line, batch) for batch in batches)
        self._leave(line, questions)
        return deque()

    def forget(self, viewer: Viewer, user_id: int) -> None:
        """What calls under way say of this user may not be so any more."""
        line = self._lines.get(viewer)
        if line is not None:
            line.forget(user_id)

    def _line(self, viewer: Viewer) -> Line:
        line = self._lines.get(viewer)
        if line is None:
            line = self._lines[viewer] = Line(viewer)
        return line

    def _batches(self, questions: Sequence[Question]) -> Sequence[Sequence[Question]]:
        """As few as may be."""
        size = self._adapter.batch_size
        return [questions[start : start + size] for start in range(0, len(questions), size)]

    def _leave(self, line: Line, questions: Sequence[Question]) -> None:
        """Send these off."""
        for batch in self._batches(questions):
            line.calls += 1
            line.departs(batch, self._loop.time())
            self._reads.start(self._ask(line, batch))

    def _start_queued(self, queued: Batch) -> None:
        line, batch = queued
        line.departs(batch, self._loop.time())
        self._reads.start(self._ask_queued(line, batch))

    async def _ask_queued(self, line: Line, batch: Sequence[Question]) -> None:
        try:
            await self._ask(line, batch)
        finally:
            self._queue.release()

    def _withdraw(self, queued: deque[Batch]) -> None:
        """Take out the batches for which nobody waits any more."""
        now = self._loop.time()
        batches = list(queued)
        queued.clear()
        for line, batch in batches:
            if any(question.until > now for question in batch):
                queued.append((line, batch))
                continue
            for question in batch:
                line.drop(question)
            self._end_call(line)

    async def _ask(self, line: Line, batch: Sequence[Question]) -> None:
        """One call and its end, which those who gathered meanwhile have waited for."""
        try:
            await self._batch_reads.read(line, batch)
        except asyncio.CancelledError as end:
            self._fail(line, batch, end)
            raise
        except Exception as bug:
            if not self._fail(line, batch, bug):
                raise
        finally:
            self._end_call(line)

    def _end_call(self, line: Line) -> None:
        line.calls -= 1
        if not line.calls and not line.gathered:
            del self._lines[line.viewer]

    def _call_is_back(self, line: Line) -> None:
        """Those who gathered meanwhile may leave."""
        if line.under_way < ENOUGH and not line.leaving:
            self._leave_together(line)

    def _leave_together(self, line: Line) -> None:
        line.leaving = False
        gathered, line.gathered = line.gathered, []
        self._leave(line, gathered)

    def _passes(self, line: Line) -> bool:
        """Whether what is under way should have come back, and nobody has gone past it yet."""
        if line.passed or self._loop.time() - line.departed <= LATE * self._batch_reads.usual:
            return False
        line.passed = True
        return True

    def _fail(self, line: Line, batch: Sequence[Question], failure: BaseException) -> bool:
        """Whether anybody was there to hear of it."""
        heard = False
        for question in batch:
            line.drop(question)
            heard |= question.fail(failure)
        return heard

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(self._adapter.platform, "no answer in time")

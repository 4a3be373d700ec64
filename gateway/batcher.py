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
4. The users of one lookup of many leave at once, together.
5. Each who waits has a deadline of its own, and takes nobody along. A call that has left comes to its end; users for
   whom nobody waits any more are not asked.
6. What fails for one user is that user's answer. What fails for a call is the answer of everybody in it, unless the
   platform refused the call as such (400, 403, 404, 413, 414): that may be one user's fault. Then the first is asked
   alone. The same refusal again is the answer for all of them; otherwise the others are halved.
7. A user who is forgotten while a call is under way (an action changes what it is about to say): whoever waits gets
   its answer, nobody joins any more, and it is not kept.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from adapters.contract import Adapter, Connection, DeadlineExceeded, PlatformError, Viewer
from adapters.loop import OneLoop
from gateway.background import Background
from gateway.deadlines import Deadlines
from gateway.explain import trail
from gateway.known import Known
from gateway.line import ANY_TIME, ENOUGH, Asked, Line, Question, Said, Waiter
from gateway.telemetry.spans import UNTRACED, Spans

LATE: Final = 4.0
"""Times as long as usual, and what has not come back by then is late."""
LATEST: Final = 0.1
"""What the latest call counts for what is usual."""
Hear = Callable[[Viewer, int, Said], None]
"""Told what the platform said of a user; of one who was forgotten meanwhile only refusals and failures."""


class Batcher(OneLoop):
    """Reads of one platform; `reads` keeps the calls until they end, and `hear` is told what came of each."""

    def __init__(self, adapter: Adapter, reads: Background, hear: Hear, spans: Spans = UNTRACED) -> None:
        self._adapter = adapter
        self._spans = spans
        self._reads = reads
        self._hear = hear
        self._deadlines = Deadlines()
        self._usual = math.inf
        """seconds that a call takes; before the first nobody knows"""
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
        line = self._line(viewer)
        questions = [
            line.ask(user_id, waiter, deadline)
            for user_id in asked
            if not line.join(user_id, waiter, deadline, since)
        ]
        self._leave(line, questions)
        await self._deadlines.wait(waiter.done, deadline)
        late = self._late()
        return {user_id: waiter.heard.get(user_id, late) for user_id in asked}

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

    def _leave(self, line: Line, questions: Sequence[Question]) -> None:
        """Send these off, in as few calls as may be."""
        size = self._adapter.batch_size
        for start in range(0, len(questions), size):
            batch = questions[start : start + size]
            line.departs(batch, self._loop.time())
            line.calls += 1
            self._reads.start(self._ask(line, batch))

    async def _ask(self, line: Line, batch: Sequence[Question]) -> None:
        """One call and its end, which those who gathered meanwhile have waited for."""
        try:
            await self._answer(line, batch)
        except asyncio.CancelledError as end:
            self._fail(line, batch, end)
            raise
        except Exception as bug:
            if not self._fail(line, batch, bug):
                raise
        finally:
            line.calls -= 1
            if not line.calls and not line.gathered:
                del self._lines[line.viewer]

    def _leave_together(self, line: Line) -> None:
        line.leaving = False
        gathered, line.gathered = line.gathered, []
        self._leave(line, gathered)

    def _passes(self, line: Line) -> bool:
        """Whether what is under way should have come back, and nobody has gone past it yet."""
        if line.passed or self._loop.time() - line.departed <= LATE * self._usual:
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

    async def _answer(self, line: Line, batch: Sequence[Question]) -> None:
        """These have departed."""
        now = self._loop.time()
        asked: dict[int, Question] = {}
        for question in batch:
            if question.until > now:
                question.began = now
                asked[question.user_id] = question
            else:
                line.drop(question)
        try:
            found = await self._read(line, batch, asked)
        except PlatformError as failure:
            if failure.refusal is not None and len(asked) > 1:
                await self._bisect(line, list(asked.values()), failure)
            else:
                for question in asked.values():
                    self._tell(line, question, failure)
            return
        at = self._loop.time()
        for user_id, question in asked.items():
            said = found[user_id]
            self._tell(line, question, Known.of(said, at) if isinstance(said, Connection) else said)

    async def _read(
        self, line: Line, batch: Sequence[Question], asked: Mapping[int, Question]
    ) -> Mapping[int, Connection | PlatformError]:
        """One call, if anybody still waits; as soon as it is back, those who gathered may leave."""
        try:
            return await self._call(line.viewer, asked) if asked else {}
        finally:
            line.is_back(batch)
            if line.under_way < ENOUGH and not line.leaving:
                self._leave_together(line)

    async def _call(self, viewer: Viewer, asked: Mapping[int, Question]) -> Mapping[int, Connection | PlatformError]:
        questions = asked.values()
        met = trail.start()
        for question in questions:
            question.trails += (met,)
        begun = self._loop.time()
        step = trail.begin(trail.StepKind.CALL, begun, users=len(asked))
        try:
            with self._spans.batch(questions):
                return await self._adapter.read(viewer, tuple(asked))
        finally:
            now = self._loop.time()
            step.end(now)
            self._note(now - begun)

    def _note(self, took: float) -> None:
        """How long a call took."""
        if self._usual == math.inf:
            self._usual = took
        self._usual += (took - self._usual) * LATEST

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

    async def _again(self, line: Line, batch: Sequence[Question]) -> None:
        line.departs(batch, self._loop.time())
        await self._answer(line, batch)

    def _tell(self, line: Line, question: Question, said: Said) -> None:
        if not question.forgotten or isinstance(said, PlatformError):
            self._hear(line.viewer, question.user_id, said)
        line.drop(question)
        question.tell(said)

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(self._adapter.platform, "no answer in time")

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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from adapters.contract import Adapter, Connection, DeadlineExceeded, PlatformError, Viewer
from adapters.loop import OneLoop
from gateway.background import Background
from gateway.deadlines import Deadlines
from gateway.known import Known

ENOUGH: Final = 2
"""Calls about one user under way, from which on a viewer's lookups gather; one about several counts as as many."""
LATE: Final = 4.0
"""Times as long as usual, and what has not come back by then is late."""
LATEST: Final = 0.1
"""What the latest call counts for what is usual."""
NOT_YET: Final = float("inf")
ANY_TIME: Final = float("-inf")
"""A `since` that takes any answer."""

Said = Known | PlatformError
Hear = Callable[[Viewer, int, Said], None]
"""Told what the platform said of a user; of one who was forgotten meanwhile only refusals and failures."""


class Batcher(OneLoop):
    """Reads of one platform; `reads` keeps the calls until they end, and `hear` is told what came of each."""

    def __init__(self, adapter: Adapter, reads: Background, hear: Hear) -> None:
        self._adapter = adapter
        self._reads = reads
        self._hear = hear
        self._deadlines = Deadlines()
        self._usual = math.inf
        """seconds that a call takes; before the first nobody knows"""
        self._lines: dict[Viewer, _Line] = {}
        """of viewers for whom anything is under way"""

    async def lookup(self, viewer: Viewer, user_id: int, deadline: float, since: float = ANY_TIME) -> Said:
        """What the platform says of this user, by `deadline` (`loop.time()`), in a call that began after `since`."""
        waiter = _Waiter(1, self._loop.create_future())
        line = self._line(viewer)
        if not line.join(user_id, waiter, deadline, since):
            line.gathered.append(line.ask(user_id, waiter, deadline))
            if not line.leaving and (line.under_way < ENOUGH or self._passes(line)):
                line.leaving = True
                self._loop.call_soon(self._leave_together, line)
        await self._deadlines.wait(waiter.done, deadline)
        return waiter.heard.get(user_id) or self._late()

    async def read(
        self, viewer: Viewer, user_ids: Iterable[int], deadline: float, since: float = ANY_TIME
    ) -> Mapping[int, Said]:
        """As `lookup`, of each of these different users."""
        asked = list(user_ids)
        if not asked:
            return {}
        waiter = _Waiter(len(asked), self._loop.create_future())
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

    def _line(self, viewer: Viewer) -> _Line:
        line = self._lines.get(viewer)
        if line is None:
            line = self._lines[viewer] = _Line(viewer)
        return line

    def _leave(self, line: _Line, questions: Sequence[_Question]) -> None:
        """Send these off, in as few calls as may be."""
        size = self._adapter.batch_size
        for start in range(0, len(questions), size):
            batch = questions[start : start + size]
            line.departs(batch, self._loop.time())
            line.calls += 1
            self._reads.start(self._ask(line, batch))

    async def _ask(self, line: _Line, batch: Sequence[_Question]) -> None:
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

    def _leave_together(self, line: _Line) -> None:
        line.leaving = False
        gathered, line.gathered = line.gathered, []
        self._leave(line, gathered)

    def _passes(self, line: _Line) -> bool:
        """Whether what is under way should have come back, and nobody has gone past it yet."""
        if line.passed or self._loop.time() - line.departed <= LATE * self._usual:
            return False
        line.passed = True
        return True

    def _fail(self, line: _Line, batch: Sequence[_Question], failure: BaseException) -> bool:
        """Whether anybody was there to hear of it."""
        heard = False
        for question in batch:
            line.drop(question)
            heard |= question.fail(failure)
        return heard

    async def _answer(self, line: _Line, batch: Sequence[_Question]) -> None:
        """These have departed."""
        now = self._loop.time()
        asked: dict[int, _Question] = {}
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
        self, line: _Line, batch: Sequence[_Question], asked: Collection[int]
    ) -> Mapping[int, Connection | PlatformError]:
        """One call; as soon as it is back, those who gathered may leave."""
        begun = self._loop.time()
        try:
            return await self._adapter.read(line.viewer, tuple(asked)) if asked else {}
        finally:
            if asked:
                self._note(self._loop.time() - begun)
            line.is_back(batch)
            if line.under_way < ENOUGH and not line.leaving:
                self._leave_together(line)

    def _note(self, took: float) -> None:
        """How long a call took."""
        if self._usual == math.inf:
            self._usual = took
        self._usual += (took - self._usual) * LATEST

    async def _bisect(self, line: _Line, batch: Sequence[_Question], refused: PlatformError) -> None:
        first, others = batch[0], batch[1:]
        await self._again(line, (first,))
        if isinstance(first.said, PlatformError) and first.said.refusal == refused.refusal:
            for question in others:
                self._tell(line, question, first.said)
            return
        middle = (len(others) + 1) // 2
        halves = [half for half in (others[:middle], others[middle:]) if half]
        await asyncio.gather(*(self._again(line, half) for half in halves))

    async def _again(self, line: _Line, batch: Sequence[_Question]) -> None:
        line.departs(batch, self._loop.time())
        await self._answer(line, batch)

    def _tell(self, line: _Line, question: _Question, said: Said) -> None:
        if not question.forgotten or isinstance(said, PlatformError):
            self._hear(line.viewer, question.user_id, said)
        line.drop(question)
        question.tell(said)

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(self._adapter.platform, "no answer in time")


class _Line:
    """What is asked as one viewer: what is under way, and which questions are open."""

    __slots__ = ("_open", "calls", "departed", "gathered", "leaving", "passed", "under_way", "viewer")

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.calls = 0
        """that are not ended, whether or not they are back"""
        self.under_way = 0
        """1 for each call about one user, `ENOUGH` for each about several"""
        self.departed = 0.0
        """when the last of them left"""
        self.passed = False
        """whether somebody has gone past those that are under way"""
        self.gathered: list[_Question] = []
        """those that wait for the end of the turn, or for a call to come back"""
        self.leaving = False
        """at the end of this turn"""
        self._open: dict[int, _Question] = {}
        """by user, those that may be joined"""

    def departs(self, batch: Sequence[_Question], now: float) -> None:
        self.under_way += min(len(batch), ENOUGH)
        self.departed = now

    def is_back(self, batch: Sequence[_Question]) -> None:
        self.under_way -= min(len(batch), ENOUGH)
        self.passed = False

    def join(self, user_id: int, waiter: _Waiter, deadline: float, since: float) -> bool:
        """Whether there is an open question about this user whose answer will do."""
        question = self._open.get(user_id)
        if question is None or question.began < since:
            return False
        question.waiters.append(waiter)
        question.until = max(question.until, deadline)
        return True

    def ask(self, user_id: int, waiter: _Waiter, deadline: float) -> _Question:
        """A new question; what an older one about the same user will say is not the latest any more."""
        self.forget(user_id)
        question = self._open[user_id] = _Question(user_id, waiter, deadline)
        return question

    def forget(self, user_id: int) -> None:
        """One that has not left yet will be asked late enough."""
        question = self._open.get(user_id)
        if question is not None and question.began is not NOT_YET:
            question.forgotten = True
            del self._open[user_id]

    def drop(self, question: _Question) -> None:
        """It is answered, or nobody waits for it any more."""
        if self._open.get(question.user_id) is question:
            del self._open[question.user_id]


class _Question:
    """About one user: who waits for the answer, and until when anybody does."""

    __slots__ = ("began", "forgotten", "said", "until", "user_id", "waiters")

    def __init__(self, user_id: int, waiter: _Waiter, until: float) -> None:
        self.user_id = user_id
        self.waiters = [waiter]
        self.until = until
        self.began = NOT_YET
        self.forgotten = False
        self.said: Said | None = None

    def tell(self, said: Said) -> None:
        self.said = said
        for waiter in self.waiters:
            waiter.hear(self.user_id, said)

    def fail(self, failure: BaseException) -> bool:
        """What kept it from being answered; whether anybody still waited."""
        heard = False
        if self.said is None:
            for waiter in self.waiters:
                heard |= waiter.fail(failure)
        return heard


class _Waiter:
    """One lookup, of one user or of many: a future, and what was heard so far."""

    __slots__ = ("_missing", "done", "heard")

    def __init__(self, users: int, done: asyncio.Future[None]) -> None:
        self._missing = users
        self.done = done
        """resolved once all was heard"""
        self.heard: dict[int, Said] = {}

    def hear(self, user_id: int, said: Said) -> None:
        self.heard[user_id] = said
        self._missing -= 1
        if not self._missing and not self.done.done():
            self.done.set_result(None)

    def fail(self, failure: BaseException) -> bool:
        """Whether it still waited."""
        if self.done.done():
            return False
        if isinstance(failure, asyncio.CancelledError):
            self.done.cancel()
        else:
            self.done.set_exception(failure)
        return True

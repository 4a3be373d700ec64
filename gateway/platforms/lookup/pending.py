"""What is asked as one viewer, until it is answered: the batcher's nouns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from adapters.contract import PlatformError, Viewer
from gateway.explain.timeline import Trail
from gateway.platforms.lookup.encoded import Known

ENOUGH: Final = 2
"""Calls about one user under way, from which on a viewer's lookups gather; one about several counts as as many."""
NOT_YET: Final = float("inf")

Said = Known | PlatformError


class Line:
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
        self.gathered: list[Question] = []
        """those that wait for the end of the turn, or for a call to come back"""
        self.leaving = False
        """at the end of this turn"""
        self._open: dict[int, Question] = {}
        """by user, those that may be joined"""

    def departs(self, batch: Sequence[Question], now: float) -> None:
        self.under_way += min(len(batch), ENOUGH)
        self.departed = now

    def is_back(self, batch: Sequence[Question]) -> None:
        self.under_way -= min(len(batch), ENOUGH)
        self.passed = False

    def join(self, user_id: int, waiter: Waiter, deadline: float, since: float) -> Question | None:
        """The open question about this user whose answer will do, if there is one."""
        question = self._open.get(user_id)
        if question is None or question.began < since:
            return None
        question.waiters.append(waiter)
        question.until = max(question.until, deadline)
        return question

    def ask(self, user_id: int, waiter: Waiter, deadline: float) -> Question:
        """A new question; what an older one about the same user will say is not the latest any more."""
        self.forget(user_id)
        question = self._open[user_id] = Question(user_id, waiter, deadline)
        return question

    def forget(self, user_id: int) -> None:
        """One that has not left yet will be asked late enough."""
        question = self._open.get(user_id)
        if question is not None and question.began is not NOT_YET:
            question.forgotten = True
            del self._open[user_id]

    def drop(self, question: Question) -> None:
        """It is answered, or nobody waits for it any more."""
        if self._open.get(question.user_id) is question:
            del self._open[question.user_id]


class Question:
    """About one user: who waits for the answer, and until when anybody does."""

    __slots__ = ("began", "forgotten", "said", "trails", "until", "user_id", "waiters")

    def __init__(self, user_id: int, waiter: Waiter, until: float) -> None:
        self.user_id = user_id
        self.waiters = [waiter]
        self.until = until
        self.began = NOT_YET
        self.forgotten = False
        self.said: Said | None = None
        self.trails: tuple[Trail, ...] = ()
        """what each call about it has met so far"""

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


class Waiter:
    """One lookup, of one user or of many: a future, and what was heard so far."""

    __slots__ = ("_missing", "asker", "done", "heard")

    def __init__(self, users: int, done: asyncio.Future[None], asker: object = None) -> None:
        self._missing = users
        self.done = done
        """resolved once all was heard"""
        self.heard: dict[int, Said] = {}
        self.asker = asker
        """what whoever traces remembers of who asked"""

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


class PartialWaiter(Waiter):
    """A lookup of many that takes what was heard so far, part by part; `done` is resolved once there is a part."""

    __slots__ = ("_loop",)

    def __init__(self, users: int, loop: asyncio.AbstractEventLoop, asker: object = None) -> None:
        super().__init__(users, loop.create_future(), asker)
        self._loop = loop

    def hear(self, user_id: int, said: Said) -> None:
        self.heard[user_id] = said
        self._missing -= 1
        if not self.done.done():
            self.done.set_result(None)

    def take(self) -> dict[int, Said]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, {}
        if self._missing and self.done.done():
            self.done = self._loop.create_future()
        return heard


class Asked(NamedTuple):
    """A lookup that waits, until its deadline.

    `joined`: others had asked the same already; `gathers`: it leaves only when a call is back.
    """

    question: Question
    waiter: Waiter
    deadline: float
    joined: bool
    gathers: bool

"""Lookups that are pending: what the batcher keeps for each viewer until the platform has answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from adapters.contract import PlatformError, Viewer
from adapters.user_ids import UserKey
from gateway.explain.timeline import Timeline
from gateway.platforms.lookup.encoded import CachedConnection

MAX_IN_FLIGHT: Final = 2
"""Calls in flight about one user, from which on lookups are gathered. A call about several counts as two."""
NOT_STARTED: Final = float("inf")
LIVE: Final = float("inf")
"""The oldest answer that a lookup takes which takes only the platform's own."""

LookupResult = CachedConnection | PlatformError


class ViewerQueue:
    """The pending lookups of one viewer, and the calls in flight for them."""

    __slots__ = (
        "_joinable",
        "calls",
        "gathered",
        "in_flight",
        "is_flushing",
        "last_call_at",
        "viewer",
        "was_overtaken",
    )

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.calls = 0
        """calls whose lookups are not all answered yet"""
        self.in_flight = 0
        """1 for each call in flight about one user, `MAX_IN_FLIGHT` for each about several"""
        self.last_call_at = 0.0
        """when the last call started (`loop.time()`)"""
        self.was_overtaken = False
        """whether a lookup was sent past the calls in flight, because they take too long"""
        self.gathered: list[PendingLookup] = []
        """lookups that wait for the end of this turn of the event loop, or for a call to finish"""
        self.is_flushing = False
        """whether the gathered lookups are sent at the end of this turn"""
        self._joinable: dict[UserKey, PendingLookup] = {}
        """by user, the lookups that others may join"""

    def on_call_started(self, batch: Sequence[PendingLookup], now: float) -> None:
        self.in_flight += min(len(batch), MAX_IN_FLIGHT)
        self.last_call_at = now

    def on_call_finished(self, batch: Sequence[PendingLookup]) -> None:
        self.in_flight -= min(len(batch), MAX_IN_FLIGHT)
        self.was_overtaken = False

    def join(
        self, user_id: UserKey, waiter: Waiter, deadline: float, since: float, oldest: float
    ) -> PendingLookup | None:
        """Add `waiter` to the pending lookup of this user, unless its call started before `since`.

        It takes nothing from the second tier that is older than `oldest`.
        """
        lookup = self._joinable.get(user_id)
        if lookup is None or lookup.call_started_at < since:
            return None
        lookup.waiters.append(waiter)
        lookup.until = max(lookup.until, deadline)
        lookup.oldest = max(lookup.oldest, oldest)
        return lookup

    def add(self, user_id: UserKey, waiter: Waiter, deadline: float, oldest: float) -> PendingLookup:
        """Begin a new lookup. What an older one of the same user returns is not the latest any more."""
        self.invalidate(user_id)
        lookup = self._joinable[user_id] = PendingLookup(user_id, waiter, deadline, oldest)
        return lookup

    def invalidate(self, user_id: UserKey) -> None:
        """Mark the result of a call in flight as outdated. A lookup that has not been sent yet is late enough.

        What is being read from the second tier for that one is not.
        """
        lookup = self._joinable.get(user_id)
        if lookup is not None:
            lookup.oldest = LIVE
        if lookup is not None and lookup.call_started_at is not NOT_STARTED:
            lookup.is_outdated = True
            del self._joinable[user_id]

    def invalidate_all(self) -> None:
        """Mark the results of all calls in flight as outdated."""
        for user_id in tuple(self._joinable):
            self.invalidate(user_id)

    def remove(self, lookup: PendingLookup) -> None:
        """Let nobody join it any more: it is answered, or nobody waits for it."""
        if self._joinable.get(lookup.user_id) is lookup:
            del self._joinable[lookup.user_id]


class PendingLookup:
    """The lookup of one user: who waits for it, and until when (`loop.time()`)."""

    __slots__ = (
        "call_started_at",
        "claim",
        "is_outdated",
        "oldest",
        "result",
        "timelines",
        "until",
        "user_id",
        "waiters",
    )

    def __init__(self, user_id: UserKey, waiter: Waiter, until: float, oldest: float) -> None:
        self.user_id = user_id
        self.waiters = [waiter]
        self.until = until
        self.oldest = oldest
        """when the platform must have said what the second tier has, for all who wait (`loop.time()`)"""
        self.claim: object = None
        """what the second tier needs to keep the result; None where it is not to be kept there"""
        self.call_started_at = NOT_STARTED
        self.is_outdated = False
        """whether an action may have changed what the call in flight returns"""
        self.result: LookupResult | None = None
        self.timelines: tuple[Timeline, ...] = ()
        """the steps of each call about it so far"""

    def resolve(self, result: LookupResult) -> None:
        self.result = result
        for waiter in self.waiters:
            waiter.receive(self.user_id, result)

    def fail(self, failure: BaseException) -> bool:
        """Pass a bug on to all who wait. Returns whether anybody still did."""
        was_received = False
        if self.result is None:
            for waiter in self.waiters:
                was_received |= waiter.fail(failure)
        return was_received


class Waiter:
    """One call of the batcher, about one user or many: a future, and the results so far."""

    __slots__ = ("_missing", "asker", "done", "results")

    def __init__(self, users: int, done: asyncio.Future[None], asker: object = None) -> None:
        self._missing = users
        self.done = done
        """resolved once all results are there"""
        self.results: dict[UserKey, LookupResult] = {}
        self.asker = asker
        """the span of whoever waits, where calls are traced"""

    def receive(self, user_id: UserKey, result: LookupResult) -> None:
        self.results[user_id] = result
        self._missing -= 1
        if not self._missing and not self.done.done():
            self.done.set_result(None)

    def fail(self, failure: BaseException) -> bool:
        """Raise `failure` in whoever waits. Returns whether anybody still did."""
        if self.done.done():
            return False
        if isinstance(failure, asyncio.CancelledError):
            self.done.cancel()
        else:
            self.done.set_exception(failure)
        return True


class PartialWaiter(Waiter):
    """A waiter that takes its results in parts; `done` is resolved as soon as there is one."""

    __slots__ = ("_loop",)

    def __init__(self, users: int, loop: asyncio.AbstractEventLoop, asker: object = None) -> None:
        super().__init__(users, loop.create_future(), asker)
        self._loop = loop

    def receive(self, user_id: UserKey, result: LookupResult) -> None:
        self.results[user_id] = result
        self._missing -= 1
        if not self.done.done():
            self.done.set_result(None)

    def take(self) -> dict[UserKey, LookupResult]:
        """Return the results since the last time."""
        results, self.results = self.results, {}
        if self._missing and self.done.done():
            self.done = self._loop.create_future()
        return results


class LookupHandle(NamedTuple):
    """What `Batcher.ask` returns: a lookup that was begun or joined, and its deadline.

    `joined`: the lookup was pending already. `is_gathered`: it is sent only when a call in flight has finished.
    """

    lookup: PendingLookup
    waiter: Waiter
    deadline: float
    joined: bool
    is_gathered: bool

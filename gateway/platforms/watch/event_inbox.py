"""The events that one platform sends: each counts once, and is a hint that something about two users has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final

from adapters.loop import OneLoop
from adapters.user_ids import UserKey
from adapters.webhook import Event
from gateway.problems.problem import Kind, Problem

MAX_AGE: Final = 2 * 3600.0
"""Seconds after which an event is too old. A platform repeats it for 65 minutes until it is accepted."""
MAX_AHEAD: Final = 300.0
"""Seconds that the platform's clock may be ahead of ours."""
MAX_SEEN: Final = 100_000
"""Events that are remembered, 10 MB at most; then the oldest is forgotten."""
MAX_WAITING: Final = 2000
"""Users that may wait for the next hint."""
GAP: Final = 0.05
"""Seconds between two hints. Each looks at all viewers, so hints that come together are one."""


class EventOutcome(StrEnum):
    """What became of an event."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    """it is about something else"""
    EXPIRED = "expired"


class EventInbox(OneLoop):
    """`hint` is called with the users whose connections have changed, after `take` has returned."""

    def __init__(self, hint: Callable[[Collection[UserKey]], None]) -> None:
        self._hint = hint
        self._seen: OrderedDict[int, float] = OrderedDict()
        """by event, until when it is remembered (in seconds since 1970); the oldest first"""
        self._waiting: dict[UserKey, None] = {}
        self._last_hint_at = float("-inf")

    def take(self, event: Event, now: float) -> EventOutcome:
        """Take an event whose signature is valid; `now` is in seconds since 1970.

        Raises the Problem `overloaded` where too many wait: the platform repeats it.
        """
        if not -MAX_AHEAD <= now - event.sent_at <= MAX_AGE:
            return EventOutcome.EXPIRED
        if not event.user_ids:
            return EventOutcome.IGNORED
        while self._seen and (len(self._seen) >= MAX_SEEN or next(iter(self._seen.values())) < now):
            self._seen.popitem(last=False)
        if event.event_id in self._seen:
            return EventOutcome.DUPLICATE
        if len(self._waiting) >= MAX_WAITING:
            raise Problem(Kind.OVERLOADED, f"{MAX_WAITING} users wait to be read again", retry_after=1)
        self._seen[event.event_id] = now + MAX_AGE + MAX_AHEAD
        if not self._waiting:
            self._loop.call_at(self._last_hint_at + GAP, self._flush)
        self._waiting.update(dict.fromkeys(event.user_ids))
        return EventOutcome.TAKEN

    def _flush(self) -> None:
        self._last_hint_at = self._loop.time()
        user_ids = tuple(self._waiting)
        self._waiting.clear()
        self._hint(user_ids)

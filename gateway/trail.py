"""What one call of the batcher meets on its way to the platform, noted as it happens.

Whoever explains an answer reads it. A call begins a trail for whatever is done in its task and in those begun from
it (a login that others wait for too is in the trail of the one who began it); elsewhere nothing is kept. Times are
`loop.time()`.
"""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a step is."""

    CACHE = "cache"
    """it was looked at what is kept; `outcome` as `Cache-Status` says it"""
    WAIT = "wait"
    """until the call left: `joined` (others had asked the same), `gathered` (until a call was back) or `none`"""
    CALL = "call"
    """of the batcher, about `users` users"""
    LINE = "line"
    """for one of `max_calls` places"""
    TRY = "try"
    """one request that left; `outcome` is its status, or how it failed"""
    LOGIN = "login"
    """the same, before there was a viewer's token"""
    PAUSE = "pause"
    """before a second try"""
    REFUSED = "refused"
    """nothing was sent: `outcome` is the gate"""


class Step:
    """One thing that took place; `ended` is None while it does."""

    __slots__ = ("begun", "ended", "kind", "outcome", "users")

    def __init__(self, kind: Kind, begun: float, outcome: str | None = None, users: int | None = None) -> None:
        self.kind = kind
        self.begun = begun
        self.ended: float | None = None
        self.outcome = outcome
        self.users = users

    def end(self, now: float, outcome: str | None = None) -> None:
        self.ended = now
        if outcome is not None:
            self.outcome = outcome


Trail = list[Step]
_TRAIL: Final[ContextVar[Trail | None]] = ContextVar("trail", default=None)


def start() -> Trail:
    """What is begun from here on is noted in this one."""
    trail: Trail = []
    _TRAIL.set(trail)
    return trail


def begin(kind: Kind, now: float, *, outcome: str | None = None, users: int | None = None) -> Step:
    """A step begins; whoever began it says when it ends."""
    step = Step(kind, now, outcome, users)
    trail = _TRAIL.get()
    if trail is not None:
        trail.append(step)
    return step

"""The timeline of one call to a platform: its steps, recorded as they happen.

Whoever explains an answer reads it. A call begins a trail for whatever is done in its task and in those begun from
it (a login that others wait for too is in the trail of the one who began it); elsewhere nothing is kept. Times are
`loop.time()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from enum import StrEnum
from typing import Final


class StepKind(StrEnum):
    """What a step is."""

    CACHE = "cache"
    WAIT = "wait"
    CALL = "call"
    LINE = "line"
    TRY = "try"
    LOGIN = "login"
    PAUSE = "pause"
    REFUSED = "refused"


MEANINGS: Final[Mapping[StepKind, str]] = {
    StepKind.CACHE: "what is kept was looked at; `outcome` is `hit`, or why the platform is asked",
    StepKind.WAIT: "until the call left; `outcome` is `none` (it left at once), `gathered` (until another was back)"
    " or `joined` (others had asked the same: if their call had left, until it was back)",
    StepKind.CALL: "the platform is asked, about `users` users at once",
    StepKind.LINE: "until there was room among the calls that are on the wire at once (`max_calls`)",
    StepKind.TRY: "one request, sent or tried to; `outcome` is its status, or how it failed",
    StepKind.LOGIN: "the same, to get a token",
    StepKind.PAUSE: "before a second try",
    StepKind.REFUSED: "nothing was sent; `outcome` is what kept it: `waiting_room`, `limit`, `throttle` or `breaker`",
}


class Step:
    """One thing that took place; `ended` is None while it does."""

    __slots__ = ("begun", "ended", "kind", "outcome", "users")

    def __init__(self, kind: StepKind, begun: float, outcome: str | None = None, users: int | None = None) -> None:
        self.kind = kind
        self.begun = begun
        self.ended: float | None = None
        self.outcome = outcome
        self.users = users

    def end(self, now: float, outcome: str | None = None) -> None:
        self.ended = now
        if outcome is not None:
            self.outcome = outcome


Timeline = list[Step]
_TRAIL: Final[ContextVar[Timeline | None]] = ContextVar("trail", default=None)


def start() -> Timeline:
    """What is begun from here on is noted in this one."""
    timeline: Timeline = []
    _TRAIL.set(timeline)
    return timeline


def begin(kind: StepKind, now: float, *, outcome: str | None = None, users: int | None = None) -> Step:
    """A step begins; whoever began it says when it ends."""
    step = Step(kind, now, outcome, users)
    timeline = _TRAIL.get()
    if timeline is not None:
        timeline.append(step)
    return step

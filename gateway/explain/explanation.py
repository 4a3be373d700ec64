"""The JSON of `explain=true`: the steps of a lookup, their times, and the state of breaker and throttle.

It holds times, counts and words of our own: no token, no user, nothing that a platform sent. Times are whole
milliseconds since the request had been received.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from adapters.contract import described
from gateway.explain.timeline import MEANINGS, StepKind
from gateway.health import BreakerState


class Source(StrEnum):
    """Where an answer came from."""

    CACHE = "cache"
    PLATFORM = "platform"
    STALE = "stale"


class ExplainedStep(msgspec.Struct, frozen=True, rename={"what": "step"}):
    """One step on the way to the answer."""

    what: Annotated[StepKind, described("; ".join(f"`{kind}`: {text}" for kind, text in MEANINGS.items()))]
    at_ms: Annotated[
        int, described("Milliseconds from when the request came; before it, where others had begun the call.")
    ]
    took_ms: Annotated[int | None, described("Milliseconds; null where it still went on as the answer was given.")]
    outcome: str | None
    users: Annotated[int | None, described("How many users the call was about.")]


class ExplainedBreaker(msgspec.Struct, frozen=True):
    """Whether the platform is left alone, after it failed."""

    state: BreakerState
    tries_in_ms: Annotated[int | None, described("Milliseconds until one call is let through; null while all are.")]


class ExplainedThrottle(msgspec.Struct, frozen=True):
    """Whether calls of this viewer are held back, because the platform asked for fewer."""

    active: bool
    ends_in_ms: Annotated[int | None, described("Milliseconds; null while none are held back.")]


class Explanation(msgspec.Struct, frozen=True):
    """How an answer came to be."""

    source: Annotated[
        Source | None,
        described("`stale`: what was kept, because the platform could not be asked; null: there is only a problem."),
    ]
    age_ms: Annotated[int | None, described("Milliseconds since the platform said so.")]
    took_ms: Annotated[int, described("Milliseconds from when the request came to the answer.")]
    calls: Annotated[
        int, described("Calls begun for this, alone or with others; a gate may have kept one from leaving.")
    ]
    tries: Annotated[
        int, described("Requests sent for that, or tried to: logins, second tries and second questions count.")
    ]
    steps: Annotated[list[ExplainedStep], described("In the order in which they began.")]
    breaker: ExplainedBreaker
    throttle: ExplainedThrottle

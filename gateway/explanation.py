"""How a lookup came by its answer, for whoever asks for it: what was done, when, and what stood in its way.

It holds times, counts and words of our own: no token, no user, nothing that a platform sent. Times are whole
milliseconds since the request had been received.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from gateway.trail import Kind

Milliseconds = Annotated[int, msgspec.Meta(description="Milliseconds.")]


class Source(StrEnum):
    """Where an answer came from."""

    CACHE = "cache"
    PLATFORM = "platform"
    STALE = "stale"
    """what was kept, because the platform could not be asked"""


class Explained(msgspec.Struct, frozen=True, rename={"what": "step"}):
    """One step on the way to the answer. A call that others had begun may have begun before the request came."""

    what: Kind
    at_ms: Milliseconds
    took_ms: Milliseconds | None
    """null: it went on when the answer was given"""
    outcome: str | None
    users: int | None
    """how many users the call was about"""


class BreakerExplained(msgspec.Struct, frozen=True):
    """Whether the platform is left alone, after it failed."""

    state: str
    tries_in_ms: Milliseconds | None
    """until one call is let through; null while all are"""


class ThrottleExplained(msgspec.Struct, frozen=True):
    """Whether calls are held back, because the platform asked for fewer."""

    active: bool
    ends_in_ms: Milliseconds | None


class Explanation(msgspec.Struct, frozen=True):
    """How an answer came to be."""

    source: Source | None
    """null: there is no answer, only a problem"""
    age_ms: Milliseconds | None
    took_ms: Milliseconds
    calls: int
    """how often the platform was asked for it, alone or with others"""
    tries: int
    """requests that left for that: logins, second tries and second questions count"""
    steps: list[Explained]
    breaker: BreakerExplained
    throttle: ThrottleExplained

"""How well a platform is doing: the words of the circuit breaker, of `GET /v1/platforms` and of `explain`."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class BreakerState(StrEnum):
    """`closed`: calls pass. `open`: none does. `half_open`: one does, to see whether the platform is back."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    """the next call is the probe, or it is under way"""
    OPEN = "open"


class Health(StrEnum):
    """Whether the gateway asks this platform at all.

    `up`: all calls are let through. `degraded`: some are held back, because it asked for fewer, or is being tried
    after it failed. `down`: it failed so often that it is left alone for a while.
    """

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class Gates(NamedTuple):
    """Whether calls are let through, and if not, when they are again: in seconds."""

    breaker: BreakerState
    tries_in: float | None
    throttled_for: float | None

"""Decides whether an answer from before may stand in for one that the platform can't give now."""

from __future__ import annotations

from typing import Final, TypeGuard

from adapters.contract import (
    DeadlineExceeded,
    Overloaded,
    PlatformError,
    ServerError,
    Throttled,
    Unavailable,
    Unreachable,
)

ANY_TIME: Final = float("-inf")
"""A `since` that takes any answer, however old."""
OUT_OF_REACH: Final = (DeadlineExceeded, Overloaded, ServerError, Throttled, Unavailable, Unreachable)
"""Failures that say only that the platform could not be asked. Any other is an answer, and no older one hides it."""


def may_be_stale(error: object, since: float) -> TypeGuard[PlatformError]:
    """Whether a stale answer may stand in for this failure, for a caller that takes answers from `since` on."""
    return since == ANY_TIME and isinstance(error, OUT_OF_REACH)

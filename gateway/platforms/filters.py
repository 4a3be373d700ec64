"""Which connections a list is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from adapters.contract import Status
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey

PENDING: Final = frozenset({Status.PENDING_INCOMING, Status.PENDING_OUTGOING})
LISTABLE: Final = tuple(status for status in Status if status is not Status.NONE)
ALL: Final = "all"


def listed_statuses(words: Collection[str]) -> frozenset[Status]:
    """The statuses that a list is asked for; without a word both pending ones. Raises ValueError."""
    if not set(words) <= {*LISTABLE, ALL}:
        raise ValueError(f"status: expected some of {', '.join(LISTABLE)}, or {ALL}")
    if ALL in words:
        return frozenset(LISTABLE)
    return frozenset(map(Status, words)) or PENDING


class Filters(RedactedRepr, msgspec.Struct, frozen=True):
    """Which connections a list is about."""

    platforms: tuple[str, ...]
    statuses: frozenset[Status]
    user_ids: Mapping[str, tuple[UserKey, ...]]
    """by platform, in ascending order; empty means everybody"""

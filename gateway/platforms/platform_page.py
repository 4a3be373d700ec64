"""One platform's part of a page of a list."""

from __future__ import annotations

import msgspec

from adapters.contract import Entry, PlatformError, Position
from adapters.secret import RedactedRepr
from gateway.platforms.filters import Filters
from gateway.platforms.staleness import ANY_TIME


class PageQuery(msgspec.Struct, frozen=True):
    """What a page is to hold, and by when (`loop.time()`). A kept page stands in only where `since` is ANY_TIME."""

    filters: Filters
    limit: int
    deadline: float
    since: float = ANY_TIME


class PlatformPage(RedactedRepr, msgspec.Struct):
    """`entries` up to `next` (None: the list's end), or as many as there were before `error`."""

    entries: list[Entry]
    next: Position | None = None
    error: PlatformError | None = None
    stale_since: float | None = None
    """`loop.time()` at which the entries were read, where `error` kept them from being read now"""
    remaining: int = 0
    """how many more entries the platform says there are behind these, as far as it says"""

"""Where an answer came from: for `Cache-Status` (RFC 9211), for explanations and for traces."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from adapters.contract import (
    DeadlineExceeded,
    Overloaded,
    PlatformError,
    ServerError,
    Throttled,
    Unavailable,
    Unreachable,
)
from gateway.explain.explanation import Source
from gateway.problems.problem import Kind


class Origin(Enum):
    """`word` is what the cache had: `hit`, `miss`, `stale` or `request`; `header` the value of `Cache-Status`."""

    HIT = Source.CACHE, "hit", "hit"
    SHARED = Source.CACHE, "hit", "hit; detail=shared"
    """it was in the second tier, and not in this process"""
    MISS = Source.PLATFORM, "miss", "fwd=miss"
    """nothing was cached"""
    EXPIRED = Source.PLATFORM, "stale", "fwd=stale"
    """what was cached is not fresh any more"""
    REQUESTED = Source.PLATFORM, "request", "fwd=request"
    """what was cached is older than the caller allows"""
    BYPASSED = Source.PLATFORM, "bypass", "fwd=bypass"
    """it is always read live"""
    MISS_JOINED = Source.PLATFORM, "miss", "fwd=miss; collapsed"
    EXPIRED_JOINED = Source.PLATFORM, "stale", "fwd=stale; collapsed"
    REQUESTED_JOINED = Source.PLATFORM, "request", "fwd=request; collapsed"
    """the same for a lookup that joined one in flight"""
    STALE_TIMEOUT = Source.STALE, "stale", f"fwd=stale; detail={Kind.PLATFORM_TIMEOUT.slug}"
    STALE_OVERLOADED = Source.STALE, "stale", f"fwd=stale; detail={Kind.OVERLOADED.slug}"
    STALE_ERROR = Source.STALE, "stale", f"fwd=stale; detail={Kind.PLATFORM_ERROR.slug}"
    STALE_THROTTLED = Source.STALE, "stale", f"fwd=stale; detail={Kind.PLATFORM_THROTTLED.slug}"
    STALE_UNAVAILABLE = Source.STALE, "stale", f"fwd=stale; detail={Kind.PLATFORM_UNAVAILABLE.slug}"
    STALE_UNREACHABLE = Source.STALE, "stale", f"fwd=stale; detail={Kind.PLATFORM_UNREACHABLE.slug}"
    """what was cached, because the platform could not be asked"""

    def __init__(self, source: Source, word: str, parameters: str) -> None:
        self.source = source
        self.word = word
        self.header = f"connection-gateway; {parameters}".encode()

    def joined(self) -> Origin:
        """The same for a lookup that joined one in flight."""
        return Origin[f"{self.name}_JOINED"]


STALE: Final[Mapping[type[PlatformError], Origin]] = {
    DeadlineExceeded: Origin.STALE_TIMEOUT,
    Overloaded: Origin.STALE_OVERLOADED,
    ServerError: Origin.STALE_ERROR,
    Throttled: Origin.STALE_THROTTLED,
    Unavailable: Origin.STALE_UNAVAILABLE,
    Unreachable: Origin.STALE_UNREACHABLE,
}
"""The origin of a stale answer, by the failure that it stands in for: one for each of `OUT_OF_REACH`."""

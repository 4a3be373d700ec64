"""Times on the wire: how every answer of ours writes them, and how a platform says "later"."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Final

import msgspec

MIN_MS: Final = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z"""
MAX_MS: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z"""

MAX_RETRY_AFTER: Final = 300.0
"""The longest wait that a platform can ask of us, in seconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

UnixMs = Annotated[int, msgspec.Meta(ge=MIN_MS, le=MAX_MS)]
"""Unix time in milliseconds, within the years that RFC 3339 can write: decoding refuses all others."""


def rfc3339(unix_ms: UnixMs) -> str:
    """`1470018073812` → `"2016-08-01T02:21:13.812Z"`."""
    seconds, ms = divmod(unix_ms, 1000)
    return f"{_to_the_second(seconds)}{ms:03d}Z"


@functools.lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    """Kept, because the present is written for every line and every answer, and to format it costs 2 µs."""
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}."


def now() -> str:
    return _this_ms(time.time_ns() // 1_000_000)


_this_ms: Final = functools.lru_cache(maxsize=1)(rfc3339)
"""Several lines are written in one millisecond."""


def optional_rfc3339(unix_ms: UnixMs | None) -> str | None:
    return None if unix_ms is None else rfc3339(unix_ms)


def rfc3339_of(iso8601: str | None) -> str | None:
    """None for a time of no zone: it could be any of two dozen moments.

    Raises ValueError for what is no ISO 8601 time, or one in a year that UTC can't write.
    """
    if iso8601 is None:
        return None
    moment = datetime.fromisoformat(iso8601)
    if moment.tzinfo is None:
        return None
    return rfc3339((moment - _EPOCH) // timedelta(milliseconds=1))


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds to wait, from a `Retry-After` header in either form (RFC 9110, 10.2.3); None where there is none.

    `now` is Unix time in seconds. Never negative, never more than `MAX_RETRY_AFTER`; what can't be read is None.
    """
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return min(float(header.lstrip("0")[:4] or 0), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:  # "-0000": a time in UTC of unknown origin
        at = at.replace(tzinfo=UTC)
    return min(max(at.timestamp() - now, 0.0), MAX_RETRY_AFTER)

"""Times on the wire: how every answer of ours writes them, and how a platform says "later"."""

from __future__ import annotations

import functools
import math
import re
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
_leap_second: Final = re.compile(r"(T[0-9]{2}(:?)[0-5][0-9]\2)60(?:[.,][0-9]+)?(?![0-9])")
_amount: Final = re.compile(r"([0-9]+(?:[.,][0-9]+)?(?:[Ee][+-]?[0-9]+)?)\s*([A-Za-z]?)")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400}
"""In one of each unit, by its first letter. Anything else counts as seconds."""

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

    `t` and `z` may be in lower case (RFC 3339, 5.6). A leap second is read as the last millisecond of its minute.
    Raises ValueError for what is no ISO 8601 time, or one in a year that UTC can't write.
    """
    if iso8601 is None:
        return None
    text = iso8601.upper()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(_leap_second.sub(r"\g<1>59.999", text, count=1))
    if moment.tzinfo is None:
        return None
    return rfc3339((moment - _EPOCH) // timedelta(milliseconds=1))


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds to wait, from a `Retry-After` header (RFC 9110, 10.2.3); None where it has no number in it.

    `now` is Unix time in seconds. Never negative, never more than `MAX_RETRY_AFTER`. Besides the two forms of the
    RFC, an ISO 8601 time and a fraction are read; a fraction is rounded up. Of anything else the numbers are added
    up, as seconds where they have no other unit: that may be too long, but no call leaves too early.
    """
    if header is None:
        return None
    at = None if header.isdigit() else _moment(header)
    if at is not None:
        return min(max(at.timestamp() - now, 0.0), MAX_RETRY_AFTER)
    amounts = [
        float(number.replace(",", ".")) * _SECONDS.get(unit.lower(), 1) for number, unit in _amount.findall(header)
    ]
    return float(math.ceil(min(sum(amounts), MAX_RETRY_AFTER))) if amounts else None


def _moment(text: str) -> datetime | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = parse(text)
        except (ValueError, OverflowError):
            continue
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)  # "-0000": UTC, of unknown origin
    return None

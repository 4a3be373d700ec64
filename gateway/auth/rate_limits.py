"""Rate limits of callers: the generic cell rate algorithm (GCRA), and the header fields that tell callers of it.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10. All times are in microseconds.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import msgspec

from gateway.config.rate import Rate
from gateway.problems.problem import Kind, Problem

SECOND: Final = 1_000_000
POLICY: Final = "caller"
"""The name of the only policy."""


class RateLimit(msgspec.Struct, frozen=True):
    """How many requests a caller may make: one each `interval`, and `burst` at once."""

    caller: str
    """its name: all of its keys and tokens count together"""
    interval: int
    burst: int
    policy: bytes
    """the value of `RateLimit-Policy`"""

    @classmethod
    def of(cls, caller: str, rate: Rate, burst: int | None = None) -> RateLimit:
        """`burst` is by default the number in `rate`.

        The window that callers are told is that of `rate`, or as long as it takes to restore a larger burst.
        """
        burst = rate.requests if burst is None else burst
        windows = math.ceil(burst / rate.requests)
        policy = f'"{POLICY}";q={rate.requests * windows};w={rate.seconds * windows}'
        return cls(caller, rate.seconds * SECOND // rate.requests, burst, policy.encode())


class Allowance(msgspec.Struct, frozen=True):
    """The decision on one request: how many more are allowed now, and when there is one more."""

    allowed: bool
    remaining: int
    next_in: int


class SharedRates(Protocol):
    """Counts the requests of all replicas."""

    async def count(self, caller: str, interval: int, burst: int) -> tuple[bool, int] | None:
        """Count a request. Whether it is allowed, and the microseconds that are free then; None: it can't now."""
        ...


class RateLimits:
    """The time until which each caller has used up its rate: of all replicas if `shared` can tell, else here."""

    def __init__(self, shared: SharedRates | None = None) -> None:
        self._shared = shared
        self._used_until: dict[str, int] = {}

    async def take(self, limit: RateLimit, now: int) -> Allowance:
        """Count one request, unless it is refused."""
        counted = (
            None if self._shared is None else await self._shared.count(limit.caller, limit.interval, limit.burst)
        )
        allowed, free = counted or self._count(limit, now)
        remaining = free // limit.interval
        return Allowance(allowed, remaining, (remaining + 1) * limit.interval - free)

    def _count(self, limit: RateLimit, now: int) -> tuple[bool, int]:
        full = limit.interval * limit.burst
        # A reload may have lowered the limit: what was used before weighs no more than all of the new one.
        used = min(max(self._used_until.get(limit.caller, now), now), now + full)
        free = now + full - used
        allowed = free >= limit.interval
        if allowed:
            used += limit.interval
            free -= limit.interval
        self._used_until[limit.caller] = used
        return allowed, free


def header_fields(limit: RateLimit, allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """What every response to this caller carries."""
    now = b'"%b";r=%d;t=%d' % (POLICY.encode(), allowance.remaining, _seconds(allowance.next_in))
    return [(b"ratelimit-policy", limit.policy), (b"ratelimit", now)]


def refusal(allowance: Allowance) -> Problem:
    """The Problem `rate-limited`."""
    detail = "this caller has used up its rate; its limit is in RateLimit-Policy"
    return Problem(Kind.RATE_LIMITED, detail, retry_after=_seconds(allowance.next_in))


def _seconds(microseconds: int) -> int:
    """Whole seconds, never too few."""
    return -(-microseconds // SECOND)

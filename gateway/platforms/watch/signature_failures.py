"""Limits what events with invalid signatures may cost, without refusing those that the platform has signed."""

from __future__ import annotations

from typing import Final

from adapters.loop import OneLoop

BURST: Final = 50
PER_SECOND: Final = 10
"""Events of any size whose signature may be invalid."""
ALWAYS_VERIFIED: Final = 8192
"""Bytes of an event that is verified however many were invalid: about two users it has one or two thousand."""


class SignatureFailures(OneLoop):
    """A token bucket of one platform: each invalid signature takes a token.

    A caller without the secret can have a hash computed over each body that it sends. Once the bucket is empty, only
    short bodies are hashed, which costs less than receiving them. The events of a platform are short, so a flood of
    forged ones keeps none of them out.
    """

    def __init__(self) -> None:
        self._tokens = float(BURST)
        self._counted_at = float("-inf")

    def may_verify(self, length: int) -> bool:
        """Whether the signature of a body of so many bytes may be verified now."""
        return length <= ALWAYS_VERIFIED or self._refilled() >= 1

    def count(self) -> None:
        """A signature was invalid."""
        self._tokens = max(self._refilled() - 1, 0.0)

    def _refilled(self) -> float:
        now = self._loop.time()
        self._tokens = min(self._tokens + (now - self._counted_at) * PER_SECOND, BURST)
        self._counted_at = now
        return self._tokens

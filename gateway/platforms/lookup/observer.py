"""Who wants to know how an answer comes to be is told while it does. Most lookups are nobody's but their caller's."""

from __future__ import annotations

from typing import Final, Protocol

from gateway.explain.timeline import StepKind
from gateway.platforms.lookup.pending import Asked


class Account(Protocol):
    """Of one lookup, or of one of many."""

    def note(self, kind: StepKind, outcome: str) -> None:
        """Something took place, and took no time."""

    def waits(self, asked: Asked) -> None:
        """From now on, for what is said of this."""


class _Unheard:
    def note(self, kind: StepKind, outcome: str) -> None:
        """Nobody wants to know."""

    def waits(self, asked: Asked) -> None:
        """Nobody wants to know."""


UNHEARD: Final[Account] = _Unheard()

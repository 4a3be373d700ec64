"""What is told of a lookup while it runs, to whoever explains or traces it. Most lookups have no observer."""

from __future__ import annotations

from typing import Final, Protocol

from gateway.explain.timeline import StepKind
from gateway.platforms.lookup.pending import LookupHandle


class LookupObserver(Protocol):
    """Observes one lookup, or one platform's part of a lookup of many."""

    def note(self, kind: StepKind, outcome: str) -> None:
        """Called for a step that took no time."""

    def waits(self, asked: LookupHandle) -> None:
        """Called when the lookup begins to wait for the platform."""


class _NoObserver:
    def note(self, kind: StepKind, outcome: str) -> None:
        """Do nothing."""

    def waits(self, asked: LookupHandle) -> None:
        """Do nothing."""


NO_OBSERVER: Final[LookupObserver] = _NoObserver()

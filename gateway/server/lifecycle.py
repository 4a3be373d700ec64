"""The state that `/readyz` reports: whether the process is draining."""

from __future__ import annotations

from collections.abc import Callable


class Lifecycle:
    """`draining` is true from the signal to stop until the process ends."""

    def __init__(self) -> None:
        self.draining = False
        self._on_drain: list[Callable[[], None]] = []

    def when_draining(self, call: Callable[[], None]) -> None:
        """Call this when draining begins."""
        self._on_drain.append(call)

    def drain(self) -> None:
        """Begin to drain. A second call does nothing."""
        if not self.draining:
            self.draining = True
            for call in self._on_drain:
                call()

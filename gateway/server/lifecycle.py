"""How far the process is in its life: whether it is draining, which `/readyz` reports, or leaves to other workers."""

from __future__ import annotations

from collections.abc import Callable


class Lifecycle:
    """`draining` is true from the signal to stop until the process ends.

    `leaving` is true where this process ends and other workers go on.
    """

    def __init__(self) -> None:
        self.draining = False
        self.leaving = False
        self._on_end: list[Callable[[], None]] = []

    @property
    def ends_connections(self) -> bool:
        """Whether each response is the last of its connection."""
        return self.draining or self.leaving

    def when_ending(self, call: Callable[[], None]) -> None:
        """Call this when draining or leaving begins, whichever is first."""
        self._on_end.append(call)

    def drain(self) -> None:
        """Begin to drain. A second call does nothing."""
        self._end()
        self.draining = True

    def leave(self) -> None:
        """Begin to leave. A second call does nothing."""
        self._end()
        self.leaving = True

    def _end(self) -> None:
        """Call whoever waits for it, once."""
        if not self.ends_connections:
            for call in self._on_end:
                call()

"""How far the process is in its life: whether it is draining, which `/readyz` reports, or leaves to other workers."""

from __future__ import annotations


class Lifecycle:
    """`draining` is true from the signal to stop until the process ends.

    `leaving` is true where this process ends and other workers go on.
    """

    def __init__(self) -> None:
        self.draining = False
        self.leaving = False

    @property
    def ends_connections(self) -> bool:
        """Whether each response is the last of its connection."""
        return self.draining or self.leaving

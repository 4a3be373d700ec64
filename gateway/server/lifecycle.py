"""The state that `/readyz` reports: whether the process is draining."""

from __future__ import annotations


class Lifecycle:
    """`draining` is true from the signal to stop until the process ends."""

    def __init__(self) -> None:
        self.draining = False

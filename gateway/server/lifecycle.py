"""Where the process stands between its start and its end."""

from __future__ import annotations


class Lifecycle:
    """`draining` is true from the signal to stop until the process ends."""

    def __init__(self) -> None:
        self.draining = False

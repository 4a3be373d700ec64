"""Load shedding: bounds how many requests of the API are processed at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType, TracebackType
from typing import Final

from gateway.problems.problem import Kind, Problem

RETRY_AFTER_SECONDS: Final = 1.0
"""Seconds after which a request that was shed may try again."""


class Admission:
    """Admits at most `most` requests at once, from when they have been received until they are answered.

    Probes, metrics and pages take none, nor does who is slow in sending, since that costs nothing but memory.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    def __enter__(self) -> None:
        """Take a place, or raise as `check` does."""
        self.check()
        self.taken += 1

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _stack: TracebackType | None
    ) -> None:
        self.taken -= 1

    @contextlib.contextmanager
    def released(self) -> Iterator[None]:
        """Give back the place of a request whose response lasts, until it ends."""
        self.taken -= 1
        try:
            yield
        finally:
            self.taken += 1

    def check(self, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        """Raise the Problem `overloaded` where all places are taken; its response has these headers too."""
        if self.taken >= self._most:
            detail = f"{self._most} requests are in work, which is the most"
            raise Problem(Kind.OVERLOADED, detail, retry_after=RETRY_AFTER_SECONDS, headers=headers)

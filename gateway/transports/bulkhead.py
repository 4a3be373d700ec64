"""The bulkhead: bounds how many requests may wait for one platform, so that a hanging one leaves room for others."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final

from adapters.contract import Overloaded

RETRY_AFTER_SECONDS: Final = 1.0
"""Seconds after which a request that found no place may try again."""


class Bulkhead:
    """`places` for requests that wait for `platform`. A context manager; raises Overloaded where all are taken.

    `refused` is called for each request that finds none.
    """

    def __init__(self, platform: str, places: int, refused: Callable[[], None] = lambda: None) -> None:
        self._platform = platform
        self._places = places
        self._refused = refused
        self.taken = 0

    def __enter__(self) -> None:
        if self.taken >= self._places:
            self._refused()
            detail = f"{self._places} requests are waiting for this platform already"
            raise Overloaded(self._platform, detail, retry_after=RETRY_AFTER_SECONDS)
        self.taken += 1

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _stack: TracebackType | None
    ) -> None:
        self.taken -= 1

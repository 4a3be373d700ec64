"""The tracing interface of batcher and transports; without `server.traces` it does nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Final, Protocol

import httpx


class Spans(Protocol):
    """Of one platform."""

    def asker(self) -> object:
        """Whoever asks at this moment, to be remembered with its question."""
        ...

    def batch(self, users: int, askers: Callable[[], Iterable[object]]) -> AbstractContextManager[object]:
        """Around one call about so many users. `askers` gives what `asker` gave for all who wait for it by then."""
        ...

    def wire(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """Around what leaves, each try apart."""
        ...


class _Untraced:
    def asker(self) -> object:
        return None

    def batch(self, _users: int, _askers: Callable[[], Iterable[object]]) -> AbstractContextManager[object]:
        return _NOTHING

    def wire(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return inner


_NOTHING: Final = contextlib.nullcontext()
UNTRACED: Final[Spans] = _Untraced()

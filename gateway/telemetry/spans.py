"""What the batcher and the stack say to whoever traces. Most gateways have nobody who does."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Final, Protocol

import httpx

from gateway.line import Question


class Spans(Protocol):
    """Of one platform."""

    def asker(self) -> object:
        """Whoever asks at this moment, to be remembered with its question."""
        ...

    def batch(self, questions: Collection[Question]) -> AbstractContextManager[object]:
        """Around one call for all who asked these; who joins meanwhile has asked them as well."""
        ...

    def wire(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """Around what leaves, each try apart."""
        ...


class _Untraced:
    def asker(self) -> object:
        return None

    def batch(self, _questions: Collection[Question]) -> AbstractContextManager[object]:
        return _NOTHING

    def wire(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return inner


_NOTHING: Final = contextlib.nullcontext()
UNTRACED: Final[Spans] = _Untraced()

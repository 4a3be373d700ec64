"""Principals, cached by the headers that identify them: callers send the same headers with every request."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from adapters.contract import Viewer
from adapters.secret import RedactedRepr
from gateway.auth.callers import Caller
from gateway.auth.headers import RequestHeaders

MOST: Final = 1024
"""Sets of headers that are remembered; then they are all forgotten."""
LONGEST: Final = 4096
"""Bytes of headers that are remembered."""


class Principal(RedactedRepr, msgspec.Struct, frozen=True):
    """The caller of a request, the viewers that it names, and the viewer for each platform."""

    caller: Caller
    claimed_viewers: Mapping[str, int]
    """whom the caller names, by platform or for all (empty)"""
    viewers: dict[str, tuple[Viewer, Mapping[str, int]]] = {}
    """by platform: as whom it may read there, and on whose behalf; filled as they are asked for"""


class PrincipalCache:
    """The principals of one snapshot, by the headers in `names`: all that identity depends on.

    Other headers differ from call to call (a proxy adds trace ids, a browser what it knows already). A request that
    repeats a header has none.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(name.lower().encode() for name in names)
        self._kept: dict[tuple[bytes | None, ...], Principal] = {}

    def get(self, headers: RequestHeaders) -> Principal | None:
        principal = None if headers.repeats else self._kept.get(self._key(headers))
        if principal is None or principal.caller.expires_at is None or time.time() < principal.caller.expires_at:
            return principal
        return None

    def keep(self, headers: RequestHeaders, principal: Principal) -> None:
        key = self._key(headers)
        if headers.repeats or sum(len(value) for value in key if value is not None) > LONGEST:
            return
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = principal

    def _key(self, headers: RequestHeaders) -> tuple[bytes | None, ...]:
        return (*map(headers.get, self._names),)

"""Principals, cached by the headers that identify them: callers send the same headers with every request."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from adapters.contract import Viewer
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.auth.authorization import Caller
from gateway.auth.request_headers import RequestHeaders

ABSENT: Final = b"\0"
"""In place of a header that was not sent. No header has such a value, and none contains a line's end."""
MAX_ENTRIES: Final = 1024
"""Principals that are cached; then all of them are evicted."""


class Principal(RedactedRepr, msgspec.Struct, frozen=True):
    """The caller of a request, the viewers that it names, and the viewer for each platform."""

    caller: Caller
    claimed_viewers: Mapping[str, UserKey]
    """whom the caller names, by platform or for all (empty)"""
    readers: dict[str, tuple[Viewer, Mapping[str, UserKey]]] = {}
    """by platform: the viewer for reads, and on whose behalf; filled as they are resolved"""


class PrincipalCache:
    """The principals of one snapshot, by a hash of the headers in `names`: all that identity depends on.

    Other headers differ from request to request: a proxy adds trace ids, a browser what it has cached. Only a hash is
    kept, so that keys and tokens do not stay in memory. A request that repeats a header is not cached.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(name.lower().encode() for name in names)
        self._absent = (ABSENT,) * len(self._names)
        self._principals: dict[bytes, Principal] = {}

    def get(self, headers: RequestHeaders) -> Principal | None:
        principal = None if headers.repeats else self._principals.get(self._key(headers))
        if principal is None or principal.caller.expires_at is None or time.time() < principal.caller.expires_at:
            return principal
        return None

    def keep(self, headers: RequestHeaders, principal: Principal) -> None:
        if headers.repeats:
            return
        if len(self._principals) >= MAX_ENTRIES:
            self._principals.clear()
        self._principals[self._key(headers)] = principal

    def _key(self, headers: RequestHeaders) -> bytes:
        return blake2b(b"\n".join(map(headers.get, self._names, self._absent)), digest_size=32).digest()

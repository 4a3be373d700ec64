"""What the headers of a request say of whoever asks, worked out once: callers send the same ones again and again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.contract import Viewer
from adapters.secret import Quiet
from gateway.callers import Caller
from gateway.headers import Given

MOST: Final = 1024
"""Sets of headers that are remembered; then they are all forgotten."""
LONGEST: Final = 4096
"""Bytes of headers that are remembered."""


class Standing(Quiet, msgspec.Struct, frozen=True):
    """Whose call it is, whom it names, and as whom it sees each platform."""

    caller: Caller
    asked_for: Mapping[str, int]
    """whom the caller names, by platform or for all (empty)"""
    readers: dict[str, tuple[Viewer, Mapping[str, int]]] = {}
    """by platform: as whom it may read there, and on whose behalf; filled as they are asked for"""


class Standings:
    """Those of one generation. Only the API has any, and only for headers without repetition."""

    def __init__(self) -> None:
        self._kept: dict[tuple[tuple[bytes, bytes], ...], Standing] = {}

    def get(self, headers: Given) -> Standing | None:
        standing = None if headers.repeats else self._kept.get(tuple(headers.items()))
        if standing is None or standing.caller.expires_at is None or time.time() < standing.caller.expires_at:
            return standing
        return None

    def keep(self, headers: Given, standing: Standing) -> None:
        key = tuple(headers.items())
        if headers.repeats or sum(map(len, headers)) + sum(map(len, headers.values())) > LONGEST:
            return
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = standing

"""A platform for the batcher alone: what it says tells viewer, user and moment, and how it fails is drawn by lot."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping
from typing import NamedTuple

from adapters.contract import Connection, Forbidden, PlatformError, ServerError, Status, UserNotFound, Viewer

POISON = 13
"""A user who spoils every call that is about others as well."""
FRAGILE = 17
"""A user who makes every call fail."""
MISSING = 7


class Call(NamedTuple):
    viewer: Viewer
    users: tuple[int, ...]
    call_started_at: float


class Bug(Exception):
    """One of ours."""


class Scripted:
    """The part of an adapter that the batcher uses."""

    platform = "acme"

    def __init__(self, lot: random.Random, batch_size: int) -> None:
        self.batch_size = batch_size
        self.calls: list[Call] = []
        self.in_flight: dict[Viewer, int] = {}
        self.slowly = False
        self._lot = lot

    async def read(self, viewer: Viewer, user_ids: Collection[int]) -> Mapping[int, Connection | PlatformError]:
        call_started_at = asyncio.get_running_loop().time()
        self.calls.append(Call(viewer, tuple(user_ids), call_started_at))
        self.in_flight[viewer] = self.in_flight.get(viewer, 0) + 1
        fate = self._lot.random()
        try:
            await asyncio.sleep(self._lot.choice((0.5, 2.0) if self.slowly else (0.0, 0.1, 0.5, 2.0)))
        finally:
            self.in_flight[viewer] -= 1
        if POISON in user_ids:
            raise Forbidden(self.platform, "no", refusal=403)
        if fate < 0.1 or FRAGILE in user_ids:
            raise ServerError(self.platform, "down")
        if fate < 0.12:
            raise Bug
        return {user: self._said(viewer, user, call_started_at) for user in user_ids}

    def _said(self, viewer: Viewer, user: int, call_started_at: float) -> Connection | PlatformError:
        if user == MISSING:
            return UserNotFound(self.platform, "nobody")
        where = f"{viewer.key.decode()}/{user}/{call_started_at!r}"
        return Connection("acme", str(user), Status.NONE, where, (), None, None, None, "", stale=False)

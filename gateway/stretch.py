"""What one platform has for one page of a list."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from adapters.contract import (
    Adapter,
    DeadlineExceeded,
    Entry,
    InvalidPosition,
    PlatformError,
    Position,
    UserNotFound,
    Viewer,
)
from adapters.secret import Quiet
from gateway.background import Background
from gateway.filters import Filters
from gateway.known import Known
from gateway.lookups import Lookups

MOST_CALLS: Final = 10
"""Calls to the platform's list for one page. A longer way to it goes over several pages of ours."""


LOOKED_UP: Final = 100
"""Named users who are looked up for one page, or as many as it may hold: most may be left out."""


class Stretch(Quiet, msgspec.Struct):
    """`entries` up to `next` (None: the list's end), or as far as `error` let them come."""

    entries: list[Entry]
    next: Position | None = None
    error: PlatformError | None = None
    remaining: int = 0
    """how many more entries the platform says there are behind these, as far as it says"""


class Stretches:
    """Of one platform. A position that can't be one of its own is InvalidPosition, before anything is asked."""

    def __init__(self, adapter: Adapter, lookups: Lookups, reads: Background) -> None:
        self._adapter = adapter
        self._lookups = lookups
        self._reads = reads

    async def read(
        self, viewer: Viewer, filters: Filters, position: Position | None, limit: int, deadline: float
    ) -> Stretch:
        """Entries from `position` on, by `deadline` (`loop.time()`): as many as a page of `limit` needs, or more."""
        if filters.user_ids:
            return await self._named(viewer, filters, position, limit, deadline)
        return await self._listed(viewer, filters, position, limit, deadline)

    async def _listed(
        self, viewer: Viewer, filters: Filters, position: Position | None, limit: int, deadline: float
    ) -> Stretch:
        """A platform that is too slow for the whole page gives what it has, and the list goes on from there."""
        loop = asyncio.get_running_loop()
        stretch = Stretch([], next=position)
        for calls in range(MOST_CALLS):
            begun = loop.time()
            room = limit - len(stretch.entries)
            task = self._reads.start(self._adapter.list(viewer, filters.statuses, stretch.next, room))
            await self._reads.wait(task, until=deadline)
            if not task.done():
                if not calls:
                    stretch.error = DeadlineExceeded(self._adapter.platform, "no answer in time")
                break
            try:
                page = task.result()
            except PlatformError as error:
                self._lookups.hear(viewer, None, error)
                stretch.error = error
                break
            stretch.entries += page.entries
            stretch.next = page.next
            stretch.remaining = page.remaining
            took = loop.time() - begun
            if page.next is None or len(stretch.entries) >= limit or loop.time() + took > deadline:
                break
        return stretch

    async def _named(
        self, viewer: Viewer, filters: Filters, position: Position | None, limit: int, deadline: float
    ) -> Stretch:
        """Users who are named are looked up: no platform lists all of them. Who does not exist has no connection."""
        behind = filters.user_ids
        if position is not None:
            if position.part or position.after not in behind[:-1]:
                raise InvalidPosition
            behind = behind[behind.index(position.after) + 1 :]
        asked = behind[: max(limit, LOOKED_UP)]
        said = await self._lookups.live(viewer, asked, deadline)
        found = [(user_id, each.connection() if isinstance(each, Known) else each) for user_id, each in said.items()]
        entries = [
            Entry(user_id, each, Position(0, user_id))
            for user_id, each in found
            if not isinstance(each, UserNotFound)
            and (isinstance(each, PlatformError) or each.status in filters.statuses)
        ]
        remaining = len(behind) - len(asked)
        return Stretch(entries, Position(0, asked[-1]) if remaining else None, remaining=remaining)

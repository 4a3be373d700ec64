"""Reads what one platform contributes to one page of a list."""

from __future__ import annotations

import asyncio
from typing import Final

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
from gateway.aio.background_tasks import BackgroundTasks
from gateway.platforms.filters import Filters
from gateway.platforms.lookup.encoded import CachedConnection
from gateway.platforms.lookup.lookups import Lookups
from gateway.platforms.platform_page import PageQuery, PlatformPage

MOST_CALLS: Final = 10
"""Calls to the platform's list for one page. A longer way to it goes over several pages of ours."""


LOOKED_UP: Final = 100
"""Named users who are looked up for one page, or as many as it may hold: most may be left out."""


class PlatformPager:
    """Of one platform. A position that can't be one of its own is InvalidPosition, before anything is asked."""

    def __init__(self, adapter: Adapter, lookups: Lookups, reads: BackgroundTasks) -> None:
        self._adapter = adapter
        self._lookups = lookups
        self._reads = reads

    async def read(self, viewer: Viewer, position: Position | None, query: PageQuery) -> PlatformPage:
        """Entries from `position` on: as many as the page needs, or more."""
        how = self._named if query.filters.user_ids else self._listed
        return await how(viewer, query.filters, position, query.limit, query.deadline)

    async def _listed(
        self, viewer: Viewer, filters: Filters, position: Position | None, limit: int, deadline: float
    ) -> PlatformPage:
        """A platform that is too slow for the whole page gives what it has, and the list goes on from there."""
        statuses = filters.statuses & self._adapter.STATUSES
        if not statuses:
            return PlatformPage([], next=None)
        loop = asyncio.get_running_loop()
        page = PlatformPage([], next=position)
        for calls in range(MOST_CALLS):
            begun = loop.time()
            room = limit - len(page.entries)
            task = self._reads.start(self._adapter.list(viewer, statuses, page.next, room))
            await self._reads.wait(task, until=deadline)
            if not task.done():
                if not calls:
                    page.error = DeadlineExceeded(self._adapter.platform, "no answer in time")
                break
            try:
                read = task.result()
            except PlatformError as error:
                self._lookups.on_refusal(viewer, None, error)
                page.error = error
                break
            page.entries += read.entries
            page.next = read.next
            page.remaining = read.remaining
            took = loop.time() - begun
            if page.next is None or len(page.entries) >= limit or loop.time() + took > deadline:
                break
        return page

    async def _named(
        self, viewer: Viewer, filters: Filters, position: Position | None, limit: int, deadline: float
    ) -> PlatformPage:
        """Users who are named are looked up: no platform lists all of them. Who does not exist has no connection.

        A position counts those who came before.
        """
        named = filters.user_ids[self._adapter.platform]
        start = 0
        if position is not None:
            if position.part or not 0 < position.after < len(named):
                raise InvalidPosition
            start = position.after
        asked = named[start : start + max(limit, LOOKED_UP)]
        said = await self._lookups.live(viewer, asked, deadline)
        found = [
            (place, user_id, each.connection() if isinstance(each, CachedConnection) else each)
            for place, (user_id, each) in enumerate(said.items(), start + 1)
        ]
        entries = [
            Entry(user_id, each, Position(0, place))
            for place, user_id, each in found
            if not isinstance(each, UserNotFound)
            and (isinstance(each, PlatformError) or each.status in filters.statuses)
        ]
        end = start + len(asked)
        remaining = len(named) - end
        return PlatformPage(entries, Position(0, end) if remaining else None, remaining=remaining)

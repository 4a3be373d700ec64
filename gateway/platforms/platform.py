"""One platform as routes and commands use it: look up, list, act."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from adapters.contract import (
    Action,
    Adapter,
    Connection,
    DeadlineExceeded,
    Overloaded,
    PlatformError,
    Position,
    Viewer,
)
from adapters.user_ids import UserKey
from gateway.aio.background_tasks import BackgroundTasks
from gateway.health import Health
from gateway.platforms.actions import Attempt, kept_for_reading_back
from gateway.platforms.list_cache import PageKey, PlatformListCache
from gateway.platforms.lookup.cache import PlatformCache
from gateway.platforms.lookup.explainer import Explainer
from gateway.platforms.lookup.lookups import Lookups
from gateway.platforms.platform_page import PageQuery, PlatformPage
from gateway.platforms.platform_pager import PlatformPager
from gateway.platforms.replicas import ALONE, Replicas
from gateway.platforms.second_tier import SecondTier
from gateway.platforms.staleness import may_be_stale
from gateway.platforms.watch.watches import Watches
from gateway.problems.problem import Kind, Problem
from gateway.transports.stack import Stack

HEARD_OUT: Final = 0.01
"""Seconds that a caller waits beyond its deadline, so that an action which ends at that moment has the word."""


async def _unannounced() -> None:
    """Nobody wants to know before it is sent."""


class Platform:
    """What can be done on one platform. Deadlines are `loop.time()`.

    A call to the platform has a deadline of its own, `request_timeout` seconds: it may outlive its caller.
    """

    def __init__(
        self,
        kind: str,
        adapter: Adapter,
        stack: Stack,
        cache: PlatformCache,
        lists: PlatformListCache,
        *,
        request_timeout: float,
        watch_interval: float,
        replicas: Replicas = ALONE,
        second_tier: SecondTier | None = None,
    ) -> None:
        self.name = adapter.platform
        self.kind = kind
        self.adapter = adapter
        self._stack = stack
        offered = {action for actions in adapter.ACTIONS.values() for action in actions}
        self.offered = tuple(action for action in Action if action in offered)
        self._kept = kept_for_reading_back(request_timeout)
        self._reads = BackgroundTasks(PlatformError, Problem)
        self._attempts = BackgroundTasks(PlatformError, Problem)
        self._lists = lists
        self._replicas = replicas
        self.lookups = Lookups(adapter, cache, lists, stack, self._reads, replicas=replicas, second_tier=second_tier)
        self._pager = PlatformPager(adapter, self.lookups, self._reads)
        self.watches = Watches(self.lookups, self._reads, interval=watch_interval, timeout=request_timeout)

    @property
    def health(self) -> Health:
        return self._stack.health

    def explainer(self, viewer: Viewer, begun: float) -> Explainer:
        """Of a lookup as this viewer, from when it had `begun` (`loop.time()`)."""
        now = asyncio.get_running_loop().time
        return Explainer(functools.partial(self._stack.gates, viewer), begun, now)

    async def list(self, viewer: Viewer, position: Position | None, query: PageQuery) -> PlatformPage:
        """What this platform contributes to a page.

        Where it can't be asked, a page that was kept stands in, unless the caller demands a `since`.
        Raises InvalidPosition where its list can't start at `position`.
        """
        key = None if query.filters.user_ids else PageKey(query.filters.statuses, position, query.limit)
        now = asyncio.get_running_loop().time
        begun = now()
        with self._lists.reading(viewer) as read:
            try:
                with self._stack.room:
                    page = await self._pager.read(viewer, position, query)
            except Overloaded as overloaded:
                page = PlatformPage([], position, overloaded)
            if key is None:
                return page
            if page.error is None:
                self._lists.put(viewer, key, read, page, begun)
        if not page.entries and may_be_stale(page.error, query.since):
            cached = self._lists.get(viewer, key, now())
            if cached is not None:
                return cached.stale(page.error)
        return page

    def check_offers(self, action: Action) -> None:
        """Raise the Problem `action-not-offered` where this platform has no such action in any status."""
        if action not in self.offered:
            offered = ", ".join(self.offered)
            raise Problem(Kind.ACTION_NOT_OFFERED, f"this platform offers {offered}", platform=self.name)

    async def act(
        self,
        viewer: Viewer,
        user_id: UserKey,
        action: Action,
        *,
        deadline: float,
        until: float,
        begin: Callable[[], Awaitable[None]] = _unannounced,
        late: Callable[[str], None],
    ) -> Connection:
        """The connection after `action`. Raises a PlatformError or a Problem. `begin` is awaited before it is sent.

        The action runs on `until` its own end, also where its caller hears at its `deadline` that nobody knows yet:
        then `late` is told how it ended, by a status or a problem's slug.
        """

        def forget(ended: object = None) -> None:
            self.lookups.invalidate(viewer, user_id)
            if ended is not None:
                self.watches.on_action(viewer, user_id)

        attempt = Attempt(
            self.adapter,
            viewer,
            user_id,
            action,
            until=until,
            kept=self._kept,
            calls=self._attempts,
            forget=forget,
            begin=begin,
        )
        with self._stack.room:
            forget()
            acting = self._attempts.start(self._attempted(viewer, user_id, attempt))
            acting.add_done_callback(forget)
            try:
                await self._attempts.wait(acting, until=deadline + HEARD_OUT)
            finally:
                if not acting.done():
                    acting.add_done_callback(lambda ended: late(_how(ended)))
        if acting.done():
            return acting.result()
        if attempt.sent:
            raise attempt.unknown()
        raise DeadlineExceeded(self.name, "no answer in time; the action may still be sent")

    async def _attempted(self, viewer: Viewer, user_id: UserKey, attempt: Attempt) -> Connection:
        try:
            return await attempt.run()
        except PlatformError as error:
            self.lookups.on_refusal(viewer, user_id, error)
            raise

    def on_hint(self, user_ids: Collection[UserKey]) -> None:
        """Take nothing as known of these users: the platform says that something about them has changed.

        Other replicas are told to do the same.
        """
        self.take_hint(user_ids)
        self._replicas.hinted(self.name, user_ids)

    def take_hint(self, user_ids: Collection[UserKey]) -> None:
        """As `on_hint`, in this process alone."""
        self.lookups.invalidate_users(user_ids)
        self.watches.on_hint(user_ids)

    async def retire(self) -> None:
        """Let all that is under way come to its end: another takes this one's place."""
        self.lookups.close()
        await self._attempts.finish()
        await self._reads.finish()
        await self.adapter.aclose()

    async def close(self) -> None:
        """Let actions and logins come to their end, and end the reads, for which nobody waits any more."""
        self.watches.close()
        await self._attempts.finish()
        await self._reads.cancel()
        await self.adapter.aclose()


def _how(ended: asyncio.Task[Connection]) -> str:
    if ended.cancelled():
        return Kind.OUTCOME_UNKNOWN.slug
    match ended.exception():
        case None:
            return ended.result().status
        case Problem(kind=kind):
            return kind.slug
        case PlatformError() as error:
            return Problem.of(error).kind.slug
        case _:
            return Kind.INTERNAL_ERROR.slug

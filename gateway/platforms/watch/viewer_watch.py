"""The users that are watched as one viewer of one platform, for all streams together.

All of them are read once every `interval` seconds, in one batch read. Users that need to be read at once (a new
stream, an action, a hint) are gathered while such a read is in flight, and then read together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

from adapters.contract import PlatformError, Viewer
from adapters.loop import OneLoop
from adapters.user_ids import UserKey
from gateway.aio.background_tasks import BackgroundTasks
from gateway.platforms.lookup.encoded import CachedConnection
from gateway.platforms.lookup.lookups import Lookups
from gateway.platforms.lookup.pending import LookupResult
from gateway.platforms.watch.subscription import Subscription
from gateway.platforms.watch.user_state import UserState


class WatchedUser:
    """`state` is None until something has been read; `subscriptions` counts those that are about this user."""

    __slots__ = ("state", "subscriptions")

    def __init__(self) -> None:
        self.state: UserState | None = None
        self.subscriptions = 0


class ViewerWatch(OneLoop):
    """`on_empty` is called when the last subscription has gone. A read may take `timeout` seconds.

    `phase` (0 to 1) says when in each interval all are read.
    """

    def __init__(
        self,
        viewer: Viewer,
        lookups: Lookups,
        tasks: BackgroundTasks,
        *,
        interval: float,
        phase: float,
        timeout: float,
        on_empty: Callable[[], None],
    ) -> None:
        self.viewer = viewer
        self._lookups = lookups
        self._tasks = tasks
        self._interval = interval
        self._phase = phase
        self._timeout = timeout
        self._on_empty = on_empty
        self._users: dict[UserKey, WatchedUser] = {}
        self._subscriptions: dict[Subscription, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._periodic: asyncio.Task[None] | None = None
        self._urgent: dict[UserKey, None] = {}
        """users to be read at once"""
        self._is_reading_urgent = False

    def subscribe(self, subscription: Subscription) -> None:
        """Tell it of its users: of those that are known, at once."""
        self._subscriptions[subscription] = None
        since = self._loop.time() - self._interval
        for user_id in subscription.user_ids:
            user = self._users.get(user_id)
            if user is None:
                user = self._users[user_id] = WatchedUser()
                fresh = self._lookups.fresh(self.viewer, user_id, since)
                user.state = None if fresh is None else UserState.of(fresh)
            user.subscriptions += 1
            if user.state is None:
                self._urgent[user_id] = None
            else:
                subscription.on_change(user_id)
        self._read_urgent_soon()
        if self._timer is None:
            now = self._loop.time()
            self._read_next(now + (self._phase - now / self._interval) % 1 * self._interval)

    def unsubscribe(self, subscription: Subscription) -> None:
        del self._subscriptions[subscription]
        for user_id in subscription.user_ids:
            user = self._users[user_id]
            user.subscriptions -= 1
            if not user.subscriptions:
                del self._users[user_id]
        if not self._subscriptions:
            self.close()
            self._on_empty()

    def close(self) -> None:
        """Read nothing from now on."""
        if self._timer is not None:
            self._timer.cancel()

    def state(self, user_id: UserKey) -> UserState | None:
        return self._users[user_id].state

    def on_result(self, user_id: UserKey, result: LookupResult) -> None:
        """A lookup, of whatever caller, has returned this."""
        user = self._users.get(user_id)
        if user is None:
            return
        before = user.state
        if before is not None and isinstance(result, CachedConnection) and before.is_of(result.body):
            user.state = UserState(before.tag, result.body)  # as most are: only `as_of` is another
            return
        user.state = UserState.of(self._lookups.reading(self.viewer, user_id, result))
        if before is None or before.tag != user.state.tag:
            for subscription in self._subscriptions:
                subscription.on_change(user_id)

    def read_again(self, user_ids: Iterable[UserKey]) -> None:
        """Read those of these users that are watched at once: they may have changed."""
        self._urgent.update((user_id, None) for user_id in user_ids if user_id in self._users)
        self._read_urgent_soon()

    def _read_urgent_soon(self) -> None:
        if self._urgent and not self._is_reading_urgent:
            self._is_reading_urgent = True
            self._loop.call_soon(self._read_urgent)

    def _read_urgent(self) -> None:
        self._is_reading_urgent = False
        user_ids = [user_id for user_id in self._urgent if user_id in self._users]
        self._urgent.clear()
        if user_ids:
            self._is_reading_urgent = True
            self._tasks.start(self._read(user_ids)).add_done_callback(lambda _: self._read_urgent())

    def _read_next(self, at: float) -> None:
        self._timer = self._loop.call_at(at, self._read_all, at)

    def _read_all(self, due: float) -> None:
        late = self._loop.time() - due
        self._read_next(due + self._interval * (1 + max(late, 0.0) // self._interval))
        if self._periodic is None or self._periodic.done():
            self._periodic = self._tasks.start(self._read(tuple(self._users)))

    async def _read(self, user_ids: Collection[UserKey]) -> None:
        """Results come by way of `on_result`; here only the failures of reads that never began."""
        results = await self._lookups.read_watched(self.viewer, user_ids, self._loop.time() + self._timeout)
        for user_id, result in results.items():
            if isinstance(result, PlatformError):
                self.on_result(user_id, result)

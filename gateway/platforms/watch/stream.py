"""One open stream: what it watches on each platform, and whether it has to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum

from adapters.contract import Viewer
from adapters.loop import OneLoop
from adapters.user_ids import UserKey
from gateway.platforms.watch.subscription import NOTHING_SENT, StateSource, Subscription
from gateway.platforms.watch.user_state import UserState
from gateway.platforms.watch.wake_queue import WakeQueue
from gateway.platforms.watch.watches import Watches
from gateway.problems.problem import Problem


class EndReason(StrEnum):
    """Why the gateway ends a stream.

    `draining`: the process stops. `credential-expired`: the caller's token is no longer valid. `credential-refused`:
    since a reload, the caller's key or its credentials are refused.
    """

    DRAINING = "draining"
    CREDENTIAL_EXPIRED = "credential-expired"
    CREDENTIAL_REFUSED = "credential-refused"


class Stream(OneLoop):
    """`on_close` is called when it is closed."""

    def __init__(self, on_close: Callable[[Stream], None], wake_queue: WakeQueue) -> None:
        self._on_close = on_close
        self._wake_queue = wake_queue
        self._subscriptions: dict[str, Subscription] = {}
        self._sleeping: asyncio.Future[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self.end_reason: EndReason | None = None
        self.is_outdated = False
        """whether callers or credentials were reloaded, so that its rights must be checked again"""

    def watch(self, platform: str, user_ids: Collection[UserKey], watches: Watches, viewer: Viewer) -> None:
        """Watch these users of one platform: the same each time, but the viewer may be another."""
        self._follow(platform, user_ids, watches.viewer(viewer))

    def refuse(self, platform: str, user_ids: Collection[UserKey], problem: Problem) -> None:
        """Send this problem for these users of one platform, which are not watched."""
        self._follow(platform, user_ids, _Refused(problem))

    def _follow(self, platform: str, user_ids: Collection[UserKey], source: StateSource) -> None:
        subscription = self._subscriptions.get(platform)
        if subscription is None:
            subscription = Subscription(dict.fromkeys(user_ids, NOTHING_SENT), self.wake_in_turn)
            self._subscriptions[platform] = subscription
        if subscription.source is not source:
            subscription.follow(source)

    def take(self) -> Iterator[tuple[str, UserKey, UserState]]:
        """The newest state of each user of whom there is anything new, with the platform."""
        for platform, subscription in self._subscriptions.items():
            while (taken := subscription.take()) is not None:
                yield platform, *taken

    def end(self, reason: EndReason) -> None:
        self.end_reason = self.end_reason or reason
        self.wake()

    def expire_in(self, seconds: float) -> None:
        """End it then, because its caller's token expires."""
        self._cancel_expiry()
        self._expiry = self._loop.call_later(seconds, self.end, EndReason.CREDENTIAL_EXPIRED)

    def check_again(self) -> None:
        self.is_outdated = True
        self.wake_in_turn()

    def wake_in_turn(self) -> None:
        """As `wake`, when it is this stream's turn: many are to be woken for the same reason."""
        if self._sleeping is not None and not self._sleeping.done():
            self._wake_queue.add(self.wake)

    def wake(self) -> None:
        """End a `sleep` before its time."""
        if self._sleeping is not None and not self._sleeping.done():
            self._sleeping.set_result(None)

    async def sleep(self, until: float) -> None:
        """Wait until there may be something to send, at most until `until` (`loop.time()`)."""
        self._sleeping = self._loop.create_future()
        timer = self._loop.call_at(until, self.wake)
        try:
            await self._sleeping
        finally:
            timer.cancel()
            self._sleeping = None

    def close(self) -> None:
        self._cancel_expiry()
        for subscription in self._subscriptions.values():
            subscription.close()
        self._on_close(self)

    def _cancel_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None


class _Refused:
    """The source of users that can't be watched."""

    def __init__(self, problem: Problem) -> None:
        self._state = UserState.of(problem)

    def subscribe(self, subscription: Subscription) -> None:
        for user_id in subscription.user_ids:
            subscription.on_change(user_id)

    def unsubscribe(self, _subscription: Subscription) -> None:
        """Nothing is kept."""

    def state(self, _user_id: UserKey) -> UserState:
        return self._state

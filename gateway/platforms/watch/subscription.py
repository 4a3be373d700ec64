"""One stream's part in one platform: which users it watches, and what it was told last of each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from adapters.user_ids import UserKey
from gateway.platforms.watch.user_state import UserState

NOTHING_SENT = b""


class StateSource(Protocol):
    """Knows the state of each user of a subscription."""

    def subscribe(self, subscription: Subscription) -> None: ...

    def unsubscribe(self, subscription: Subscription) -> None: ...

    def state(self, user_id: UserKey) -> UserState | None:
        """None: nothing is known yet."""
        ...


class Subscription:
    """Keeps the users that changed since the stream took their state: however slow the reader, one entry a user."""

    def __init__(self, sent: dict[UserKey, bytes], wake: Callable[[], None]) -> None:
        """`sent` has the tag of the state that was sent last, by user. `wake` is called when there is something."""
        self._sent = sent
        self._wake = wake
        self._changed: dict[UserKey, None] = {}
        self._source: StateSource | None = None

    @property
    def user_ids(self) -> Collection[UserKey]:
        return self._sent.keys()

    @property
    def source(self) -> StateSource | None:
        return self._source

    def follow(self, source: StateSource) -> None:
        """Take the state of all users from this source, in place of the one before."""
        self.close()
        self._source = source
        source.subscribe(self)

    def close(self) -> None:
        if self._source is not None:
            self._source.unsubscribe(self)
            self._source = None
        self._changed.clear()

    def on_change(self, user_id: UserKey) -> None:
        """The state of this user has changed, or is known for the first time."""
        if user_id in self._sent:
            self._changed[user_id] = None
            self._wake()

    def take(self) -> tuple[UserKey, UserState] | None:
        """The newest state of one user, if that is not what was sent last; None when there is no more."""
        while self._changed and self._source is not None:
            user_id = next(iter(self._changed))
            del self._changed[user_id]
            state = self._source.state(user_id)
            if state is not None and state.tag != self._sent[user_id]:
                self._sent[user_id] = state.tag
                return user_id, state
        return None

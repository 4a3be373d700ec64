"""Who is connected with whom on a simulated pod, and what each call makes of it. Kept in memory."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException

from adapters.simulation.relations import Relations
from adapters.simulation.tokens import DEMO
from adapters.symphony.wire import NativeStatus, UserConnection

SAME_POD: Final = 106
MIRROR: Final[Mapping[NativeStatus, NativeStatus]] = {
    NativeStatus.PENDING_INCOMING: NativeStatus.PENDING_OUTGOING,
    NativeStatus.PENDING_OUTGOING: NativeStatus.PENDING_INCOMING,
    NativeStatus.ACCEPTED: NativeStatus.ACCEPTED,
    NativeStatus.REJECTED: NativeStatus.REJECTED,
}
LISTED: Final[Mapping[str, frozenset[NativeStatus]]] = {
    "": frozenset({NativeStatus.PENDING_INCOMING, NativeStatus.PENDING_OUTGOING}),
    "ALL": frozenset(NativeStatus),
    **{status: frozenset({status}) for status in NativeStatus},
}
"""What `list` returns for each value of its parameter `status`."""
SEEDS: Final[Mapping[int, NativeStatus]] = {
    101: NativeStatus.ACCEPTED,
    102: NativeStatus.PENDING_INCOMING,
    103: NativeStatus.PENDING_OUTGOING,
    104: NativeStatus.REJECTED,
}
FIRST_REQUESTED_AT: Final = 1470018073812
UPDATED_AT: Final = 1471018076255


class Pod:
    """Refusals are HTTPExceptions with the status that the pod answers."""

    def __init__(self, *, empty: bool) -> None:
        self.users: Relations[UserConnection] = Relations() if empty else _seeded().copy()
        self.users.know(DEMO, username="demo")
        self._same_pod: set[int] = set() if empty else {DEMO, SAME_POD}

    def set(self, viewer: int, user: int, status: NativeStatus | None) -> None:
        """Make it so, whatever was."""
        self.users.know(viewer, user)
        if status is None:
            self.users.drop(viewer, user)
        else:
            now = _now()
            _put(self.users, viewer, user, status, (now, now, 1))

    def between(self, viewer: int, user: int) -> UserConnection | None:
        return self.users.between(viewer, user) or self._implicit(viewer, user)

    def listed(self, viewer: int, status: str, named: list[int] | None, *, all_has_implicit: bool) -> object:
        """Implicit connections only if they are named, and if accepted ones are asked for."""
        records = self.users.of(viewer)
        if named is None:
            return [each for each in records.values() if each.status in LISTED[status]]
        found = [records[user] for user in named if user in records and records[user].status in LISTED[status]]
        if status == "ACCEPTED" or (status == "ALL" and all_has_implicit):
            found += filter(None, (self._implicit(viewer, user) for user in named if user not in records))
        return found

    def create(self, viewer: int, user: int) -> UserConnection:
        if user not in self.users:
            raise HTTPException(404)
        found = self.between(viewer, user)
        if user == viewer or (found is not None and found.status is not NativeStatus.REJECTED):
            raise HTTPException(400)
        now = _now()
        first, count = (now, 0) if found is None else (found.first_requested_at, found.request_counter or 0)
        return _put(self.users, viewer, user, NativeStatus.PENDING_OUTGOING, (first, now, count + 1))

    def accept(self, viewer: int, user: int) -> UserConnection:
        """An implicit connection is accepted already, and stays what it is."""
        if self.users.between(viewer, user) is None and (implicit := self._implicit(viewer, user)):
            return implicit
        return self._settle(viewer, user, NativeStatus.ACCEPTED)

    def reject(self, viewer: int, user: int) -> UserConnection:
        return self._settle(viewer, user, NativeStatus.REJECTED)

    def remove(self, viewer: int, user: int) -> None:
        found = self.between(viewer, user)
        if found is None:
            raise HTTPException(404)
        if found.status is not NativeStatus.ACCEPTED or self.users.between(viewer, user) is None:
            raise HTTPException(400)
        self.users.drop(viewer, user)

    def _settle(self, viewer: int, user: int, status: NativeStatus) -> UserConnection:
        found = self.between(viewer, user)
        if found is None:
            raise HTTPException(404)
        if found.status is not NativeStatus.PENDING_INCOMING:
            raise HTTPException(400)
        return _put(self.users, viewer, user, status, (found.first_requested_at, _now(), found.request_counter))

    def _implicit(self, viewer: int, user: int) -> UserConnection | None:
        """Users of one pod are connected without a request."""
        if viewer != user and {viewer, user} <= self._same_pod:
            return UserConnection(user, NativeStatus.ACCEPTED)
        return None


@functools.cache
def _seeded() -> Relations[UserConnection]:
    """Made once: a thousand users take longer than anything else in starting a pod."""
    users: Relations[UserConnection] = Relations()
    users.know(DEMO, username="demo")
    users.know(105, SAME_POD)
    for user, status in SEEDS.items():
        _put(users, DEMO, user, status, (FIRST_REQUESTED_AT, UPDATED_AT, 1))
    for user in range(1000, 2000):
        _put(users, DEMO, user, NativeStatus.ACCEPTED, (None, None, None))
    return users


def _put(
    users: Relations[UserConnection],
    viewer: int,
    user: int,
    status: NativeStatus,
    rest: tuple[int | None, int | None, int | None],
) -> UserConnection:
    ours = UserConnection(user, status, *rest)
    users.put(viewer, user, ours, UserConnection(viewer, MIRROR[status], *rest))
    return ours


def _now() -> int:
    return time.time_ns() // 1_000_000

"""Who is friends with whom on a simulated site, and what each call makes of it. Kept in memory."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from adapters.buddypress.wire import NativeStatus
from adapters.simulation.relations import Relations
from adapters.simulation.tokens import DEMO

SEEDS: Final[Mapping[int, NativeStatus]] = {
    101: NativeStatus.IS_FRIEND,
    102: NativeStatus.AWAITING_RESPONSE,
    103: NativeStatus.PENDING,
    **dict.fromkeys(range(1000, 2000), NativeStatus.IS_FRIEND),
}
STRANGERS: Final = (104, 105)
CREATED: Final = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


class Refused(Exception):
    """The site answers with this status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class Friendship(msgspec.Struct, frozen=True):
    """A friendship or a request, the same for both sides."""

    id: int
    initiator_id: int
    friend_id: int
    is_confirmed: bool
    created: datetime = CREATED


class Site:
    """Refusals are `Refused`."""

    def __init__(self, *, empty: bool) -> None:
        self.users: Relations[Friendship] = Relations() if empty else _seeded().copy()
        self.users.know(DEMO, username="demo")

    def set(self, viewer: int, user: int, status: NativeStatus | None) -> None:
        """Make it so, whatever was."""
        self.users.know(viewer, user)
        if status in {None, NativeStatus.NOT_FRIENDS}:
            self.users.drop(viewer, user)
        else:
            _put(self.users, viewer, user, NativeStatus(status), datetime.now(UTC))

    def status(self, viewer: int, user: int) -> NativeStatus:
        found = self.users.between(viewer, user)
        if found is None:
            return NativeStatus.NOT_FRIENDS
        if found.is_confirmed:
            return NativeStatus.IS_FRIEND
        return NativeStatus.PENDING if found.initiator_id == viewer else NativeStatus.AWAITING_RESPONSE

    def between(self, viewer: int, user: int) -> Friendship:
        if user not in self.users:
            raise Refused(404, "bp_rest_friends_get_item_failed")
        found = self.users.between(viewer, user)
        if found is None:
            raise Refused(404, "bp_rest_invalid_id")
        return found

    def create(self, viewer: int, user: int) -> Friendship:
        if user not in self.users:
            raise Refused(404, "bp_rest_friends_create_item_failed")
        if user == viewer or self.users.between(viewer, user) is not None:
            raise Refused(500, "bp_rest_friends_create_item_failed")
        return _put(self.users, viewer, user, NativeStatus.PENDING, datetime.now(UTC))

    def accept(self, viewer: int, user: int) -> Friendship:
        """Of a request of one's own nothing comes, and nothing is said of that."""
        found = self.between(viewer, user)
        if found.initiator_id == viewer or found.is_confirmed:
            return found
        return _put(self.users, user, viewer, NativeStatus.IS_FRIEND, found.created)

    def delete(self, viewer: int, user: int) -> Friendship:
        """Whatever it is: without `force` a friendship ends as well."""
        found = self.between(viewer, user)
        self.users.drop(viewer, user)
        return found


@functools.cache
def _seeded() -> Relations[Friendship]:
    """Made once: a thousand users take longer than anything else in starting a site."""
    users: Relations[Friendship] = Relations()
    users.know(DEMO, username="demo")
    users.know(*STRANGERS)
    for user, status in SEEDS.items():
        _put(users, DEMO, user, status, CREATED)
    return users


def _put(
    users: Relations[Friendship],
    viewer: int,
    user: int,
    status: NativeStatus,
    created: datetime,
) -> Friendship:
    initiator, friend = (user, viewer) if status is NativeStatus.AWAITING_RESPONSE else (viewer, user)
    number = min(viewer, user) * 1_000_003 + max(viewer, user)
    found = Friendship(number, initiator, friend, status is NativeStatus.IS_FRIEND, created)
    users.put(viewer, user, found, found)
    return found

"""Who is connected with whom in a simulated community, and what each call makes of it. Kept in memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from starlette.exceptions import HTTPException

from adapters.selfcommunity.wire import NativeStatus
from adapters.simulation.relations import Relations
from adapters.simulation.tokens import DEMO

MIRROR: Final[Mapping[NativeStatus, NativeStatus]] = {
    NativeStatus.CONNECTED: NativeStatus.CONNECTED,
    NativeStatus.SENT: NativeStatus.RECEIVED,
    NativeStatus.RECEIVED: NativeStatus.SENT,
}
SEEDS: Final[Mapping[int, NativeStatus]] = {
    101: NativeStatus.CONNECTED,
    102: NativeStatus.RECEIVED,
    103: NativeStatus.SENT,
    **dict.fromkeys(range(1000, 2000), NativeStatus.CONNECTED),
}
DECLINED: Final = 104
STRANGER: Final = 105
CREATED: Final = datetime(2026, 1, 5, 9, 30, 0, 123456, tzinfo=UTC)
REJECTED: Final = datetime(2026, 1, 6, 18, 0, 0, tzinfo=UTC)


class Record(msgspec.Struct, frozen=True):
    """One side of what two users have to do with each other; a declined request keeps its `direction`."""

    direction: NativeStatus
    created: datetime
    rejected: datetime | None = None

    @property
    def status(self) -> NativeStatus | None:
        return None if self.rejected else self.direction


class Community:
    """Refusals are HTTPExceptions with the status that the community answers."""

    def __init__(self, *, empty: bool, changed: Callable[[str, int, int], None] = lambda *_: None) -> None:
        """`changed` is called with the type of each event, and the users from and to whom it goes."""
        self._changed = changed
        self.users: Relations[Record] = Relations() if empty else _seeded().copy()
        self.users.know(DEMO, username="demo")

    def set(self, viewer: int, user: int, status: NativeStatus | None) -> None:
        """Make it so, whatever was."""
        self.users.know(viewer, user)
        if status is None:
            self.users.drop(viewer, user)
            self._changed("connection.deleted", viewer, user)
            return
        _put(self.users, viewer, user, status, datetime.now(UTC))
        match status:
            case NativeStatus.CONNECTED:
                self._changed("connection.created", viewer, user)
            case NativeStatus.SENT:
                self._changed("connection_request.created", viewer, user)
            case NativeStatus.RECEIVED:
                self._changed("connection_request.created", user, viewer)

    def status(self, viewer: int, user: int) -> NativeStatus | None:
        record = self.users.between(viewer, user)
        return None if record is None else record.status

    def requests(self, viewer: int, direction: NativeStatus) -> list[tuple[int, Record]]:
        """Those received or sent, the declined ones too."""
        return [(user, record) for user, record in self.users.of(viewer).items() if record.direction is direction]

    def connected(self, viewer: int) -> list[int]:
        return [user for user, record in self.users.of(viewer).items() if record.status is NativeStatus.CONNECTED]

    def request(self, viewer: int, user: int) -> NativeStatus | None:
        self._expect(viewer, user, None)
        _put(self.users, viewer, user, NativeStatus.SENT, datetime.now(UTC))
        self._changed("connection_request.created", viewer, user)
        return NativeStatus.SENT

    def accept(self, viewer: int, user: int) -> NativeStatus | None:
        record = self._expect(viewer, user, NativeStatus.RECEIVED)
        _put(self.users, viewer, user, NativeStatus.CONNECTED, record.created)
        self._changed("connection.created", user, viewer)
        return NativeStatus.CONNECTED

    def reject(self, viewer: int, user: int) -> NativeStatus | None:
        record = self._expect(viewer, user, NativeStatus.RECEIVED)
        _put(self.users, viewer, user, NativeStatus.RECEIVED, record.created, rejected=datetime.now(UTC))
        self._changed("connection_request.rejected", user, viewer)
        return None

    def cancel(self, viewer: int, user: int) -> NativeStatus | None:
        self._expect(viewer, user, NativeStatus.SENT)
        self.users.drop(viewer, user)
        self._changed("connection_request.cancelled", viewer, user)
        return None

    def remove(self, viewer: int, user: int) -> NativeStatus | None:
        self._expect(viewer, user, NativeStatus.CONNECTED)
        self.users.drop(viewer, user)
        self._changed("connection.deleted", viewer, user)
        return None

    def _expect(self, viewer: int, user: int, status: NativeStatus | None) -> Record:
        if user not in self.users:
            raise HTTPException(404)
        record = self.users.between(viewer, user)
        if user == viewer or self.status(viewer, user) is not status:
            raise HTTPException(400)
        return record or Record(NativeStatus.SENT, datetime.now(UTC))


@functools.cache
def _seeded() -> Relations[Record]:
    """Made once: a thousand users take longer than anything else in starting a community."""
    users: Relations[Record] = Relations()
    users.know(DEMO, username="demo")
    users.know(STRANGER)
    for user, direction in SEEDS.items():
        _put(users, DEMO, user, direction, CREATED)
    _put(users, DEMO, DECLINED, NativeStatus.SENT, CREATED, rejected=REJECTED)
    return users


def _put(
    users: Relations[Record],
    viewer: int,
    user: int,
    direction: NativeStatus,
    created: datetime,
    *,
    rejected: datetime | None = None,
) -> None:
    ours = Record(direction, created, rejected)
    users.put(viewer, user, ours, Record(MIRROR[direction], created, rejected))

"""A community's words in ours. Tests prove these tables total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from adapters.contract import Action, Status
from adapters.selfcommunity import wire
from adapters.selfcommunity.wire import NativeStatus

STATUS: Final[Mapping[NativeStatus | None, Status]] = {
    NativeStatus.CONNECTED: Status.CONNECTED,
    NativeStatus.SENT: Status.PENDING_OUTGOING,
    NativeStatus.RECEIVED: Status.PENDING_INCOMING,
    None: Status.NONE,
}

ACTIONS: Final[Mapping[Status, tuple[Action, ...]]] = {
    Status.NONE: (Action.REQUEST,),
    Status.PENDING_INCOMING: (Action.ACCEPT, Action.REJECT),
    Status.PENDING_OUTGOING: (Action.CANCEL,),
    Status.CONNECTED: (Action.REMOVE,),
    Status.REJECTED: (),
}

ACTION_PATH: Final[Mapping[Action, str]] = {
    Action.REQUEST: "request",
    Action.ACCEPT: "accept",
    Action.REJECT: "reject",
    Action.CANCEL: "cancel_request",
    Action.REMOVE: "remove",
}
"""The last word of `/user/{id}/connection/…/`."""


class List(msgspec.Struct, frozen=True):
    """One of a community's lists: where it is (`{me}` is the viewer's own id), and what an entry in it says."""

    path: str
    native: NativeStatus
    entry: msgspec.json.Decoder[Any]
    whose: msgspec.json.Decoder[Any]
    """of an entry that makes no sense otherwise"""

    @property
    def statuses(self) -> frozenset[Status]:
        """What may stand in it: a declined request stays in its list."""
        declined = () if self.native is NativeStatus.CONNECTED else (Status.REJECTED,)
        return frozenset({STATUS[self.native], *declined})


LISTS: Final = (
    List("/user/connection/requests/", NativeStatus.RECEIVED, wire.RECEIVED, wire.ASKER),
    List("/user/connection/requests_sent/", NativeStatus.SENT, wire.SENT, wire.ASKED),
    List("/user/{me}/connections/", NativeStatus.CONNECTED, wire.CONNECTED, wire.CONNECTED),
)
"""In the order in which they are listed: a position's `part` is the place in here."""

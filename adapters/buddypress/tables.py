"""A site's words in ours. Tests prove these tables total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.buddypress.wire import NativeStatus
from adapters.contract import Action, Status

STATUS: Final[Mapping[NativeStatus, Status]] = {
    NativeStatus.IS_FRIEND: Status.CONNECTED,
    NativeStatus.PENDING: Status.PENDING_OUTGOING,
    NativeStatus.AWAITING_RESPONSE: Status.PENDING_INCOMING,
    NativeStatus.NOT_FRIENDS: Status.NONE,
}

ACTIONS: Final[Mapping[Status, tuple[Action, ...]]] = {
    Status.NONE: (Action.REQUEST,),
    Status.PENDING_INCOMING: (Action.ACCEPT, Action.REJECT),
    Status.PENDING_OUTGOING: (Action.CANCEL,),
    Status.CONNECTED: (Action.REMOVE,),
    Status.REJECTED: (),
}

NO_SUCH_USER: Final = "bp_rest_friends_get_item_failed"
NO_FRIENDSHIP: Final = "bp_rest_invalid_id"
"""The codes of the two errors with status 404 that answer a read of one user."""

QUERY: Final = {0: "is_confirmed=0", 1: "is_confirmed=1"}
"""By a position's `part`, the query of a list. What it calls 0 lists friendships and requests alike."""

"""A pod's words in ours. Tests prove these tables total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.contract import Action, Status
from adapters.symphony.wire import NativeStatus

STATUS: Final[Mapping[NativeStatus, Status]] = {
    NativeStatus.PENDING_INCOMING: Status.PENDING_INCOMING,
    NativeStatus.PENDING_OUTGOING: Status.PENDING_OUTGOING,
    NativeStatus.ACCEPTED: Status.CONNECTED,
    NativeStatus.REJECTED: Status.REJECTED,
}

ACTIONS: Final[Mapping[Status, tuple[Action, ...]]] = {
    Status.NONE: (Action.REQUEST,),
    Status.PENDING_INCOMING: (Action.ACCEPT, Action.REJECT),
    Status.PENDING_OUTGOING: (),
    Status.CONNECTED: (Action.REMOVE,),
    Status.REJECTED: (Action.REQUEST,),
}

LISTS: Final[Mapping[frozenset[Status], str]] = {
    frozenset({Status.PENDING_INCOMING, Status.PENDING_OUTGOING}): "",
    **{frozenset({status}): f"?status={native}" for native, status in STATUS.items()},
}
"""The query that lists exactly these statuses; the pod's default is both pending ones."""
LIST_OF_ALL: Final = "?status=ALL"
"""Lists all statuses at once, for every other choice of them."""

ACTION_PATH: Final[Mapping[Action, str]] = {
    Action.REQUEST: "/v1/connection/create",
    Action.ACCEPT: "/v1/connection/accept",
    Action.REJECT: "/v1/connection/reject",
}
"""Takes `{"userId": …}` and answers with the connection. `remove` has the user in its path instead."""

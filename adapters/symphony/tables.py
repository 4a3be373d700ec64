"""A pod's words in ours. Tests prove both tables total."""

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

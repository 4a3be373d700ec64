"""A community's words in ours. Tests prove both tables total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.contract import Action, Status
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

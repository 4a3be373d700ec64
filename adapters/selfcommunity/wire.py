"""What goes over a community's wire, as its public API reference (v2) describes it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from adapters.contract import MAX_USER_ID


class NativeStatus(StrEnum):
    """The three words of `connection_status`; its fourth value is null."""

    CONNECTED = "connected"
    SENT = "sent_connection_request"
    RECEIVED = "received_connection_request"


class ConnectionStatus(msgspec.Struct, frozen=True):
    """Null says that there is neither a connection nor a request; a missing field says nothing at all."""

    connection_status: NativeStatus | None


class Error(msgspec.Struct, frozen=True):
    """The community's error body has one of these; what they say is never read."""

    detail: str | None = None
    errors: list[Any] | None = None

    def __post_init__(self) -> None:
        if self.detail is None and self.errors is None:
            raise ValueError("neither `detail` nor `errors`")


class User(msgspec.Struct, frozen=True):
    """A user has at least these."""

    id: Annotated[int, msgspec.Meta(ge=1, le=MAX_USER_ID)]
    username: str


CONNECTION_STATUS = msgspec.json.Decoder(ConnectionStatus)
ERROR = msgspec.json.Decoder(Error)
USER = msgspec.json.Decoder(User)

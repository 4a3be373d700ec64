"""What goes over a community's wire, as its public API reference (v2) describes it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Generic, TypeVar

import msgspec

from adapters.secret import MAX_TOKEN, RedactedRepr, TokenText
from adapters.user_ids import MAX_USER_ID

T = TypeVar("T")
UserId = Annotated[int, msgspec.Meta(ge=1, le=MAX_USER_ID)]


class NativeStatus(StrEnum):
    """The three words of `connection_status`; its fourth value is null."""

    CONNECTED = "connected"
    SENT = "sent_connection_request"
    RECEIVED = "received_connection_request"


class ConnectionStatus(RedactedRepr, msgspec.Struct, frozen=True):
    """Null says that there is neither a connection nor a request; a missing field says nothing at all."""

    connection_status: NativeStatus | None


class ConnectionStatuses(RedactedRepr, msgspec.Struct, Generic[T], frozen=True):
    """By user id, as JSON's keys have it. Whom it leaves out does not exist, or is hidden."""

    connection_statuses: dict[str, T]


class Someone(RedactedRepr, msgspec.Struct, frozen=True):
    """A user, of whom a list needs no more than the id."""

    id: UserId


class Asker(RedactedRepr, msgspec.Struct, frozen=True):
    """The one thing about a request to the viewer that must make sense, if only that entry is to fail."""

    user: Someone = msgspec.field(name="from_user")


class Received(Asker, frozen=True):
    """A request to the viewer. Without `rejected` nobody could say whether it is pending, so it is never absent."""

    rejected: str | None
    created: str | None = None


class Asked(RedactedRepr, msgspec.Struct, frozen=True):
    """The one thing about a request of the viewer that must make sense, if only that entry is to fail."""

    user: Someone = msgspec.field(name="to_user")


class Sent(Asked, frozen=True):
    """A request of the viewer; its times are ISO 8601."""

    rejected: str | None
    created: str | None = None


class Connected(Someone, frozen=True):
    """A user with whom the viewer is connected, read as the others are."""

    rejected: ClassVar[None] = None
    created: ClassVar[None] = None

    @property
    def user(self) -> Someone:
        return self


class Page(RedactedRepr, msgspec.Struct, frozen=True):
    """Some of a list. `next` is an address that the community chose: never followed, only its absence counts."""

    count: Annotated[int, msgspec.Meta(ge=0)]
    next: str | None
    results: list[msgspec.Raw]


class Error(RedactedRepr, msgspec.Struct, frozen=True):
    """The community's error body has one of these; what they say is never read."""

    detail: str | None = None
    errors: list[msgspec.Raw] | None = None

    def __post_init__(self) -> None:
        if self.detail is None and self.errors is None:
            raise ValueError("neither `detail` nor `errors`")


class User(Someone, frozen=True):
    """The token's own user, with the name by which people know it."""

    username: str | None = None


class Grant(RedactedRepr, msgspec.Struct, frozen=True):
    """The answer to an OAuth grant; how long the token lives is never read, because a 401 says when it is over."""

    access_token: TokenText


class Renewed(RedactedRepr, msgspec.Struct, frozen=True):
    """What such an answer may hold besides. It is read apart: it must not be lost whatever else is wrong."""

    refresh_token: Annotated[str, msgspec.Meta(pattern=rf"^[^\ufffd]{{1,{MAX_TOKEN}}}\Z")]


class OAuthError(RedactedRepr, msgspec.Struct, frozen=True):
    """The error body of an OAuth endpoint (RFC 6749, 5.2)."""

    error: str


CONNECTION_STATUS = msgspec.json.Decoder(ConnectionStatus)
CONNECTION_STATUSES = msgspec.json.Decoder(ConnectionStatuses[NativeStatus | None])
RAW_STATUSES = msgspec.json.Decoder(ConnectionStatuses[msgspec.Raw])
NATIVE_STATUS: msgspec.json.Decoder[NativeStatus | None] = msgspec.json.Decoder(NativeStatus | None)
PAGE = msgspec.json.Decoder(Page)
RECEIVED = msgspec.json.Decoder(Received)
ASKER = msgspec.json.Decoder(Asker)
SENT = msgspec.json.Decoder(Sent)
ASKED = msgspec.json.Decoder(Asked)
CONNECTED = msgspec.json.Decoder(Connected)
ERROR = msgspec.json.Decoder(Error)
SOMEONE = msgspec.json.Decoder(Someone)
USER = msgspec.json.Decoder(User)
GRANT = msgspec.json.Decoder(Grant)
RENEWED = msgspec.json.Decoder(Renewed)
OAUTH_ERROR = msgspec.json.Decoder(OAuthError)

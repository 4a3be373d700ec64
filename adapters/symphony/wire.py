"""What goes over a pod's wire. Field names and bounds are those of its Pod API 20.17.1 and Login API 20.14.1."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from adapters.secret import RedactedRepr, TokenText
from adapters.times import UnixMs
from adapters.user_ids import MAX_USER_ID

UserId = Annotated[int, msgspec.Meta(ge=1, le=MAX_USER_ID)]


class NativeStatus(StrEnum):
    """The four words of `UserConnection.status`."""

    PENDING_INCOMING = "PENDING_INCOMING"
    PENDING_OUTGOING = "PENDING_OUTGOING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"


class UserConnection(RedactedRepr, msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Only `userId` and `status` are always there: the documented list has an ACCEPTED entry with nothing else."""

    user_id: UserId
    status: NativeStatus
    first_requested_at: UnixMs | None = None
    updated_at: UnixMs | None = None
    request_counter: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None


class Whose(RedactedRepr, msgspec.Struct, frozen=True, rename="camel"):
    """The one thing about an entry of a list that must make sense, if only that entry is to fail."""

    user_id: UserId


class Removed(RedactedRepr, msgspec.Struct, frozen=True):
    """The answer to `remove`: a sentence. What it says is never read, but it must be there."""

    message: str


class Error(RedactedRepr, msgspec.Struct, frozen=True):
    """The pod's error body. Its `code` is never read: documented examples carry 403 in a 404."""

    code: int | None = None
    message: str | None = None


class Token(RedactedRepr, msgspec.Struct, frozen=True):
    """The answer to a login."""

    token: TokenText


class SessionInfo(RedactedRepr, msgspec.Struct, frozen=True):
    """The user of the session."""

    id: UserId
    username: str | None = None


CONNECTION = msgspec.json.Decoder(UserConnection)
CONNECTIONS = msgspec.json.Decoder(list[UserConnection])
ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])
WHOSE = msgspec.json.Decoder(Whose)
REMOVED = msgspec.json.Decoder(Removed)
ERROR = msgspec.json.Decoder(Error)
TOKEN = msgspec.json.Decoder(Token)
SESSION_INFO = msgspec.json.Decoder(SessionInfo)

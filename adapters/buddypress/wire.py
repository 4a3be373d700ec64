"""What goes over the wire of a BuddyPress site, as the REST API of BuddyPress 15 (`buddypress/v2`) has it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from adapters.secret import RedactedRepr
from adapters.user_ids import MAX_USER_ID

UserId = Annotated[int, msgspec.Meta(ge=1, le=MAX_USER_ID)]


class NativeStatus(StrEnum):
    """The four words of `friendship_status_slug`."""

    IS_FRIEND = "is_friend"
    PENDING = "pending"
    AWAITING_RESPONSE = "awaiting_response"
    NOT_FRIENDS = "not_friends"


class Pair(RedactedRepr, msgspec.Struct, frozen=True):
    """Whom a friendship is between. A friendship that has this makes at least sense for its user."""

    initiator_id: UserId
    friend_id: UserId

    def __post_init__(self) -> None:
        if self.initiator_id == self.friend_id:
            raise ValueError("a friendship of one user")

    def other(self, user_id: int) -> int | None:
        """The one of the two who is not this user; None if neither is."""
        if user_id == self.initiator_id:
            return self.friend_id
        return self.initiator_id if user_id == self.friend_id else None


class Friendship(Pair, frozen=True):
    """A friendship, or while it is not confirmed a request of the initiator."""

    is_confirmed: bool
    date_created_gmt: str | None = None


class Deleted(RedactedRepr, msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    deleted: Literal[True]
    previous: Pair


class Someone(RedactedRepr, msgspec.Struct, frozen=True):
    """A member, of whom nothing but the id is needed."""

    id: UserId


class Member(Someone, frozen=True):
    """A member, and where the token's user stands with them."""

    friendship_status_slug: NativeStatus


class Me(Someone, frozen=True):
    """The token's own user."""

    name: str | None = None
    user_login: str | None = None


class Error(RedactedRepr, msgspec.Struct, frozen=True):
    """An error of WordPress or BuddyPress. Its `message` is in the site's language, and never read."""

    code: str
    message: str


FRIENDSHIP = msgspec.json.Decoder(Friendship)
PAIR = msgspec.json.Decoder(Pair)
FRIENDSHIPS = msgspec.json.Decoder(list[msgspec.Raw])
DELETED = msgspec.json.Decoder(Deleted)
SOMEONE = msgspec.json.Decoder(Someone)
MEMBER = msgspec.json.Decoder(Member)
MEMBERS = msgspec.json.Decoder(list[Member])
RAW_MEMBERS = msgspec.json.Decoder(list[msgspec.Raw])
ME = msgspec.json.Decoder(Me)
ERROR = msgspec.json.Decoder(Error)

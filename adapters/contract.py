"""The words that adapters and gateway share: what is asked, what is answered, how it fails.

Nothing here knows a platform, and nothing here knows HTTP's server side. Everything else stands on it.
Long, because whoever writes an adapter reads this one file: the schema, what an adapter does, and how it can fail.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Protocol

import msgspec

from adapters.secret import RedactedRepr, Token
from adapters.settings import PLATFORM_NAME, ViewerSource
from adapters.user_ids import MAX_USER_ID, UserId, UserIds, UserKey

PlatformNameText = Annotated[
    str,
    msgspec.Meta(
        description="The name that the gateway's configuration gives to one platform.",
        examples=["acme"],
        extra_json_schema={"pattern": f"^{PLATFORM_NAME}$"},
    ),
]
"""As JSON has it. Whether there is such a platform is not for a decoder to say."""
Time = Annotated[
    str,
    msgspec.Meta(
        description="RFC 3339, in UTC, with exactly three decimals.",
        examples=["2026-11-21T21:41:00.123Z"],
        extra_json_schema={"format": "date-time", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$"},
    ),
]


def described(text: str, **more: object) -> msgspec.Meta:
    """What a field means, and what else its schema says; no decoder looks at either."""
    return msgspec.Meta(description=text, extra_json_schema=more or None)


class Status(StrEnum):
    """Where the viewer stands with the target user; there are no others.

    `connected`: both agreed. `pending_incoming`: they asked the viewer. `pending_outgoing`: the viewer asked them.
    `rejected`: a request was declined. `none`: no connection, and no request.
    """

    CONNECTED = "connected"
    PENDING_INCOMING = "pending_incoming"
    PENDING_OUTGOING = "pending_outgoing"
    REJECTED = "rejected"
    NONE = "none"


class Action(StrEnum):
    """What a viewer can do about a connection.

    `request`: ask for one. `accept`, `reject`: answer a request of theirs. `cancel`: take back one's own. `remove`:
    end the connection.
    """

    REQUEST = "request"
    ACCEPT = "accept"
    REJECT = "reject"
    CANCEL = "cancel"
    REMOVE = "remove"


class Connection(RedactedRepr, msgspec.Struct, frozen=True):
    """One viewer's connection with one target user, as every platform's is told.

    Every field is always present; null means that the platform did not say. In a list it may say more than in a
    lookup.
    """

    platform: PlatformNameText
    user_id: Annotated[UserId, described("The target user, as this platform knows it.")]
    status: Status
    native_status: Annotated[str | None, described("The platform's own word; null if it has none.")]
    actions: Annotated[tuple[Action, ...], described("The actions that this platform offers a viewer in this state.")]
    first_requested_at: Annotated[Time | None, described("When the first request was made.")]
    updated_at: Annotated[Time | None, described("When the connection last changed.")]
    request_count: Annotated[int | None, described("How many requests were made.")]
    as_of: Annotated[Time, described("When the platform said so.")]
    stale: Annotated[
        bool, described("True only if the platform could not be asked, and this is an earlier answer.")
    ] = False


class Viewer(RedactedRepr, msgspec.Struct, frozen=True, eq=False):
    """As whom a platform is asked. Equal and hashable by `(platform, key)`, so it can key a cache.

    `token` is the viewer's own credential, where the caller brings it, and `scheme` the word that stood before it;
    `user_id` is the viewer's, where the caller names it. Where our credential is one user's, there is neither.
    """

    platform: str
    key: bytes
    token: Token | None = None
    user_id: UserKey | None = None
    scheme: str | None = None

    @classmethod
    def own(cls, platform: str) -> Viewer:
        """The one viewer of a platform whose own credential is one user's."""
        return cls(platform, b"own")

    @classmethod
    def named(cls, platform: str, user_id: UserKey) -> Viewer:
        """The user for whom our credential is to speak."""
        return cls(platform, f"user {user_id}".encode(), user_id=user_id)

    @property
    def is_own(self) -> bool:
        """Whether the platform is asked with our credential alone: there is no other viewer then."""
        return self.token is None and self.user_id is None

    def brought_token(self) -> Token:
        """The token that the caller brought. A viewer without one never reaches an adapter that needs it."""
        if self.token is None:
            raise RuntimeError("this viewer brought no token")
        return self.token

    def named_user(self) -> UserKey:
        """The user whom the caller named. A viewer who is not named never reaches an adapter that needs it."""
        if self.user_id is None:
            raise RuntimeError("this viewer is not named")
        return self.user_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Viewer) and (self.platform, self.key) == (other.platform, other.key)

    def __hash__(self) -> int:
        return hash((self.platform, self.key))


class Identity(RedactedRepr, msgspec.Struct, frozen=True):
    """Whom a platform takes us for: a user, or an app, which has no user id."""

    name: str
    user_id: UserKey | None = None


class Before(RedactedRepr, msgspec.Struct, frozen=True):
    """A connection as it is just before an action on it.

    `handle` is what the adapter must know of it besides, such as the id of a pending request. Only the adapter reads
    it.
    """

    connection: Connection
    handle: object = None


class Position(RedactedRepr, msgspec.Struct, frozen=True, array_like=True):
    """A place in one platform's list: `part` numbers what the platform lists apart, `after` counts within it.

    `mark` is where a platform's own cursor leads to. What they mean is the adapter's own affair; callers hand it back
    as they got it, or made up.
    """

    part: Annotated[int, msgspec.Meta(ge=0, le=255)]
    after: Annotated[int, msgspec.Meta(ge=0, le=MAX_USER_ID)]
    mark: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.~=-]{0,256}\Z")] = ""


class InvalidPosition(Exception):
    """This position can't have come from the list that it is given back to."""


class Entry(RedactedRepr, msgspec.Struct, frozen=True):
    """One user of a list, or why nothing can be said of that one; `position` is the place behind it.

    `user_id` is None where the entry is an error that names no user.
    """

    user_id: UserKey | None
    found: Connection | PlatformError
    position: Position


class Page(RedactedRepr, msgspec.Struct, frozen=True):
    """A stretch of one platform's list. It may be short, or empty, and still not be the last."""

    entries: tuple[Entry, ...]
    next: Position | None
    """where the list goes on; None at its end"""
    remaining: int = 0
    """how many more entries the platform says there are behind these, as far as it says"""


class Adapter(Protocol):
    """One platform in its own dialect. Made by `adapters.connect`; proved by `tests/contract`."""

    platform: str
    """the configured name, which every answer and error carries"""
    mode: str
    """the credential mode, as the configuration spells it"""
    viewer_source: ViewerSource
    batch_size: int
    """the most user ids that one `read` takes: 1 where the platform has no call that reads several"""

    USER_IDS: ClassVar[UserIds]
    """the grammar of user ids: callers' text is parsed by it, and every `user_id` below is a key that it made"""
    STATUSES: ClassVar[frozenset[Status]]
    """those that a connection can have on this kind of platform. A list is asked for no other"""
    ACTIONS: ClassVar[Mapping[Status, tuple[Action, ...]]]
    """what a viewer can do in each status; from it come `Connection.actions` and what is offered at all"""
    TOKEN_HEADER: ClassVar[str]
    """the header in which this kind of platform, and so our caller, sends the viewer's token"""
    TOKEN_SCHEMES: ClassVar[tuple[str, ...]]
    """the words that may stand before the token in that header; empty where it stands there alone. The first is meant
    where a token comes without one
    """

    async def read(
        self, viewer: Viewer, user_ids: Collection[UserKey]
    ) -> Mapping[UserKey, Connection | PlatformError]:
        """Where `viewer` stands with each of at most `batch_size` different users.

        What fails for one user is that user's value; what fails for all is raised as a PlatformError, with its
        `refusal` where the platform refused the request as a whole.
        """
        ...

    async def list(self, viewer: Viewer, statuses: Collection[Status], position: Position | None, limit: int) -> Page:
        """At most `limit` users with whom `viewer` stands in one of `statuses`, from `position` (None: the start).

        InvalidPosition is raised before anything is sent.
        """
        ...

    async def read_before(self, viewer: Viewer, user_id: UserKey) -> Before:
        """Where `viewer` stands with this user, for an `act` that follows."""
        ...

    async def act(self, viewer: Viewer, user_id: UserKey, action: Action, before: Before) -> Connection:
        """Send `action` once (again only after a 401), and say what the platform then says of the connection.

        `before` is what was read just before; the action is one of its `actions`. Where it takes several calls, all
        but the last only read, and the last is made by `Base.acting`: only what fails from then on may have acted.

        ActionRefused where the platform finds the connection in no state for it; ActionFailed where its own error
        may mean that too. Any error whose `may_have_acted` is true leaves open whether it took effect.
        """
        ...

    async def identify(self) -> Identity | None:
        """Whom the platform takes our own credential for. None where it just answers, because there is nothing to
        try: callers bring their credential, or only with a viewer can ours be tried, or trying would use it up.

        Raises a PlatformError where the credential is refused, or where the platform does not answer as one.
        """
        ...

    async def aclose(self) -> None:
        """End what is still under way, before the transport is closed."""
        ...


class PlatformError(Exception):
    """A platform did not say where viewer and user stand. Each subclass is one reason.

    `detail` is for callers and operators: it never quotes what the platform sent, nor a secret or a user id.
    `retry_after` is in seconds, where asking again later helps. `refusal` is the HTTP status of an answer that
    refuses the request as a whole. `may_have_acted`: the request was an action, and it left and was not refused,
    so it may have taken effect all the same.
    """

    def __init__(
        self,
        platform: str,
        detail: str,
        *,
        retry_after: float | None = None,
        refusal: int | None = None,
        may_have_acted: bool = False,
    ) -> None:
        super().__init__(f"{platform}: {detail}")
        self.platform = platform
        self.detail = detail
        self.retry_after = retry_after
        self.refusal = refusal
        self.may_have_acted = may_have_acted


class CredentialRefused(PlatformError):
    """The viewer's own token was refused (401)."""


class OwnCredentialRefused(PlatformError):
    """The credential that the gateway holds was refused, after one new login where there is one."""


class Forbidden(PlatformError):
    """The platform answered 403, with its own error body."""


class UserNotFound(PlatformError):
    """The platform says that the target user does not exist."""


class ActionRefused(PlatformError):
    """The platform did not act: it finds the connection in no state for it."""


class ActionFailed(PlatformError):
    """The platform answered an action with 500 and its own error body: it failed, or that is how it refuses."""


class Throttled(PlatformError):
    """The platform asks for fewer calls (429)."""


class ServerError(PlatformError):
    """The platform answered 5xx."""


class InvalidAnswer(PlatformError):
    """The answer breaks the platform's contract: we don't guess what it may have meant."""


class Unavailable(PlatformError):
    """The platform failed so often that it is not asked now."""


class Overloaded(PlatformError):
    """Too many wait for this platform already: nothing was sent."""


class Unreachable(PlatformError):
    """No connection, or it was lost before the answer was complete."""


class DeadlineExceeded(PlatformError):
    """The platform did not answer in time."""

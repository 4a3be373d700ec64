"""Problems that the gateway tells (RFC 9457), one class for each slug."""

from __future__ import annotations

from typing import Final

import msgspec

from connection_gateway.errors import GatewayError
from connection_gateway.models import Connection


class Details(msgspec.Struct, frozen=True):
    """A problem document as it comes over the wire."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str | None = None
    retryable: bool = False
    platform: str | None = None
    user_id: str | None = None
    retry_after: int | None = None
    connection: Connection | None = None


class Problem(GatewayError):
    """The gateway answered that it could not do it. A slug newer than this client is a plain `Problem`.

    `sent` is false if this call was not sent, because an earlier one was answered with a `Retry-After` that lasts
    longer than its timeout.
    """

    def __init__(self, details: Details, *, sent: bool = True) -> None:
        self._details = details
        self.sent = sent
        self.type = details.type
        self.slug = details.type.rpartition("/")[2]
        self.title = details.title
        self.status = details.status
        self.detail = details.detail
        self.retryable = details.retryable
        self.platform = details.platform
        self.user_id = details.user_id
        self.retry_after = details.retry_after
        self.connection = details.connection
        self.request_id = details.instance
        super().__init__(f"{self.slug}: {self.title}: {self.detail}")

    def about(self, user_id: str) -> Problem:
        """The same problem of another user."""
        return type(self)(msgspec.structs.replace(self._details, user_id=user_id), sent=self.sent)


class InvalidRequest(Problem):
    """`invalid-request`."""


class InvalidAPIKey(Problem):
    """`invalid-api-key`."""


class MissingCredential(Problem):
    """`missing-credential`."""


class CredentialRefused(Problem):
    """`credential-refused`."""


class NotAllowed(Problem):
    """`not-allowed`."""


class PlatformForbidden(Problem):
    """`platform-forbidden`."""


class NotFound(Problem):
    """`not-found`."""


class UnknownPlatform(Problem):
    """`unknown-platform`."""


class UserNotFound(Problem):
    """`user-not-found`."""


class MethodNotAllowed(Problem):
    """`method-not-allowed`."""


class ActionNotPossible(Problem):
    """`action-not-possible`."""


class PayloadTooLarge(Problem):
    """`payload-too-large`."""


class ActionNotOffered(Problem):
    """`action-not-offered`."""


class PlatformThrottled(Problem):
    """`platform-throttled`."""


class RateLimited(Problem):
    """`rate-limited`."""


class InternalError(Problem):
    """`internal-error`."""


class PlatformError(Problem):
    """`platform-error`."""


class PlatformInvalidAnswer(Problem):
    """`platform-invalid-answer`."""


class PlatformUnreachable(Problem):
    """`platform-unreachable`."""


class PlatformCredentialRefused(Problem):
    """`platform-credential-refused`."""


class PlatformUnavailable(Problem):
    """`platform-unavailable`."""


class Overloaded(Problem):
    """`overloaded`."""


class PlatformTimeout(Problem):
    """`platform-timeout`."""


class OutcomeUnknown(Problem):
    """`outcome-unknown`."""


BY_SLUG: Final[dict[str, type[Problem]]] = {
    "invalid-request": InvalidRequest,
    "invalid-api-key": InvalidAPIKey,
    "missing-credential": MissingCredential,
    "credential-refused": CredentialRefused,
    "not-allowed": NotAllowed,
    "platform-forbidden": PlatformForbidden,
    "not-found": NotFound,
    "unknown-platform": UnknownPlatform,
    "user-not-found": UserNotFound,
    "method-not-allowed": MethodNotAllowed,
    "action-not-possible": ActionNotPossible,
    "payload-too-large": PayloadTooLarge,
    "action-not-offered": ActionNotOffered,
    "platform-throttled": PlatformThrottled,
    "rate-limited": RateLimited,
    "internal-error": InternalError,
    "platform-error": PlatformError,
    "platform-invalid-answer": PlatformInvalidAnswer,
    "platform-unreachable": PlatformUnreachable,
    "platform-credential-refused": PlatformCredentialRefused,
    "platform-unavailable": PlatformUnavailable,
    "overloaded": Overloaded,
    "platform-timeout": PlatformTimeout,
    "outcome-unknown": OutcomeUnknown,
}


def problem(details: Details, *, sent: bool = True) -> Problem:
    """The problem as the class of its slug."""
    return BY_SLUG.get(details.type.rpartition("/")[2], Problem)(details, sent=sent)

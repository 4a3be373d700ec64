"""The catalogue of problems: every way in which a call can fail, in one table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Final

from adapters import contract
from adapters.user_ids import UserKey


class Kind(Enum):
    """Slug, HTTP status, whether the same call may succeed later, and title.

    A slug is a promise: it never changes its meaning. `outcome-unknown` is not for repeating: the action may have
    been applied, so whoever asked looks first.
    """

    INVALID_REQUEST = "invalid-request", 400, False, "The request is malformed"
    INVALID_API_KEY = "invalid-api-key", 401, False, "The caller's key is missing or unknown"
    MISSING_CREDENTIAL = "missing-credential", 401, False, "The platform needs the viewer's token"
    CREDENTIAL_REFUSED = "credential-refused", 401, False, "The platform refused the viewer's token"
    NOT_ALLOWED = "not-allowed", 403, False, "This caller or page may not do this"
    PLATFORM_FORBIDDEN = "platform-forbidden", 403, False, "The platform does not allow this"
    NOT_FOUND = "not-found", 404, False, "There is no such path"
    UNKNOWN_PLATFORM = "unknown-platform", 404, False, "There is no such platform"
    USER_NOT_FOUND = "user-not-found", 404, False, "The platform says that this user does not exist"
    METHOD_NOT_ALLOWED = "method-not-allowed", 405, False, "This path does not support the method"
    ACTION_NOT_POSSIBLE = (
        "action-not-possible",
        409,
        False,
        "The connection is in a state that does not allow this action",
    )
    PAYLOAD_TOO_LARGE = "payload-too-large", 413, False, "The body is too large"
    ACTION_NOT_OFFERED = "action-not-offered", 422, False, "The platform has no such action"
    PLATFORM_THROTTLED = "platform-throttled", 429, True, "The platform asks for fewer calls"
    RATE_LIMITED = "rate-limited", 429, True, "The caller makes too many requests"
    INTERNAL_ERROR = "internal-error", 500, False, "The gateway has a bug"
    PLATFORM_ERROR = "platform-error", 502, True, "The platform failed"
    PLATFORM_INVALID_ANSWER = "platform-invalid-answer", 502, True, "The platform's response breaks its contract"
    PLATFORM_UNREACHABLE = "platform-unreachable", 502, True, "The platform can't be reached"
    PLATFORM_CREDENTIAL_REFUSED = (
        "platform-credential-refused",
        502,
        True,
        "The platform refused the gateway's credential",
    )
    PLATFORM_UNAVAILABLE = (
        "platform-unavailable",
        503,
        True,
        "The platform failed too often, and is not called for a while",
    )
    OVERLOADED = "overloaded", 503, True, "Too many requests are waiting"
    PLATFORM_TIMEOUT = "platform-timeout", 504, True, "The platform did not answer in time"
    OUTCOME_UNKNOWN = "outcome-unknown", 504, False, "The action may or may not have been applied"

    def __init__(self, slug: str, status: int, retryable: bool, title: str) -> None:
        self.slug = slug
        self.link = f"/problems/{slug}"
        self.status = status
        self.retryable = retryable
        self.title = title


OF_PLATFORM_ERROR: Final[Mapping[type[contract.PlatformError], Kind]] = {
    contract.CredentialRefused: Kind.CREDENTIAL_REFUSED,
    contract.OwnCredentialRefused: Kind.PLATFORM_CREDENTIAL_REFUSED,
    contract.Forbidden: Kind.PLATFORM_FORBIDDEN,
    contract.UserNotFound: Kind.USER_NOT_FOUND,
    contract.ActionRefused: Kind.ACTION_NOT_POSSIBLE,
    contract.ActionFailed: Kind.PLATFORM_ERROR,
    contract.Throttled: Kind.PLATFORM_THROTTLED,
    contract.ServerError: Kind.PLATFORM_ERROR,
    contract.InvalidAnswer: Kind.PLATFORM_INVALID_ANSWER,
    contract.Unavailable: Kind.PLATFORM_UNAVAILABLE,
    contract.Overloaded: Kind.OVERLOADED,
    contract.Unreachable: Kind.PLATFORM_UNREACHABLE,
    contract.DeadlineExceeded: Kind.PLATFORM_TIMEOUT,
}


def error_type(error: BaseException) -> str:
    """The slug of a platform's failure; of anything else the name of its class."""
    kind = OF_PLATFORM_ERROR.get(type(error))  # type: ignore[arg-type]  # any other class is not in it
    return type(error).__name__ if kind is None else kind.slug


class Problem(Exception):
    """Why a request can't be answered. `ExceptionMiddleware` turns it into the response.

    `detail` is for the caller: where, and what was expected. It quotes neither secrets nor user ids; `platform` and
    `user_id` are the fields for what the problem is about, and who answers fills them in where they were known;
    `connection` is what stands in an action's way.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        platform: str | None = None,
        user_id: UserKey | None = None,
        retry_after: float | None = None,
        connection: contract.Connection | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{kind.slug}: {detail}")
        self.kind = kind
        self.detail = detail
        self.platform = platform
        self.user_id = user_id
        self.retry_after = None if retry_after is None else math.ceil(retry_after)
        self.connection = connection
        self.headers = headers or {}

    @classmethod
    def of(cls, error: contract.PlatformError, user_id: UserKey | None = None) -> Problem:
        kind = OF_PLATFORM_ERROR[type(error)]
        problem = cls(kind, error.detail, platform=error.platform, user_id=user_id, retry_after=error.retry_after)
        problem.__cause__ = error.__cause__
        return problem


def as_problem(error: Problem | contract.PlatformError | contract.InvalidPosition) -> Problem:
    """The problem that a caller gets for what was raised."""
    match error:
        case Problem():
            return error
        case contract.PlatformError():
            return Problem.of(error)
        case contract.InvalidPosition():
            return Problem(Kind.INVALID_REQUEST, "cursor: expected the next_cursor of an answer")

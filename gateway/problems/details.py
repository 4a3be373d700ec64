"""A problem as JSON (RFC 9457), and as a response."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from adapters import contract
from adapters.contract import PlatformNameText, described
from adapters.secret import RedactedRepr
from adapters.user_ids import UserId, UserKey
from gateway.explain.explanation import Explanation
from gateway.problems.problem import Kind, Problem


class ProblemDetails(RedactedRepr, msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457). What does not apply is left out."""

    type: Annotated[
        str,
        described(
            "Which problem. Also the path, below the gateway's base URL, of a page that says what to do.",
            **{"enum": [kind.link for kind in Kind], "x-enum-varnames": [kind.name for kind in Kind]},
        ),
    ]
    title: Annotated[str, described("The same for all problems of this type.")]
    status: Annotated[int, described("The HTTP status; within an answer about many, what it would be alone.")]
    detail: Annotated[str, described("What was wrong this time, and what was expected.")]
    instance: Annotated[str, described("The request id.")]
    retryable: Annotated[bool, described("Whether the same call may succeed later without a change on your side.")]
    platform: PlatformNameText | UnsetType = UNSET
    user_id: UserId | UnsetType = UNSET
    retry_after: Annotated[int | UnsetType, described("Seconds to wait before trying again.")] = UNSET
    connection: Annotated[
        contract.Connection | UnsetType, described("The current connection, for `action-not-possible`.")
    ] = UNSET
    explain: Annotated[Explanation | UnsetType, described("For a lookup with `explain=true`.")] = UNSET


def details(
    problem: Problem, request_id: str, user_id: UserKey | None = None, explanation: Explanation | None = None
) -> ProblemDetails:
    """`user_id` where the problem itself is about more than this user."""
    user_id = problem.user_id if user_id is None else user_id
    return ProblemDetails(
        type=problem.kind.link,
        title=problem.kind.title,
        status=problem.kind.status,
        detail=problem.detail,
        instance=request_id,
        retryable=problem.kind.retryable,
        platform=problem.platform or UNSET,
        user_id=UNSET if user_id is None else str(user_id),
        retry_after=UNSET if problem.retry_after is None else problem.retry_after,
        connection=problem.connection or UNSET,
        explain=explanation or UNSET,
    )


def response(problem: Problem, document: ProblemDetails) -> Response:
    headers = {"cache-control": "no-store", **problem.headers}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    content = msgspec.json.encode(document)
    return Response(content, problem.kind.status, headers, "application/problem+json")

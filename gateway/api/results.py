"""The results of a call about many users: each has its connection, or its own error."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from adapters.contract import PlatformError, described
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.api.request_record import RequestRecord
from gateway.problems.details import ProblemDetails, details
from gateway.problems.problem import Problem, as_problem


class Found(RedactedRepr, msgspec.Struct, frozen=True):
    """The connection with one user."""

    connection: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"$ref": "#/components/schemas/Connection"})]


class Failed(RedactedRepr, msgspec.Struct, frozen=True):
    """Why there is no connection to tell for one user."""

    error: ProblemDetails


class FoundLine(Found, frozen=True):
    """The connection with one user."""

    index: Annotated[int, described("Which of the users that were asked about, counted from 0.")]


class FailedLine(Failed, frozen=True):
    """Why nothing can be said of one user."""

    index: Annotated[int, described("Which of the users that were asked about, counted from 0.")]


class LookupEnd(RedactedRepr, msgspec.Struct, frozen=True):
    """The end of the results."""

    count: Annotated[int, described("How many lines came before this one: one for each user.")]


Results = Annotated[
    list[Any],
    msgspec.Meta(
        extra_json_schema={
            "items": {"oneOf": [{"$ref": f"#/components/schemas/{each}"} for each in ("Found", "Failed")]}
        }
    ),
]
"""Of `Found` and `Failed`."""


def as_details(problem: Problem, record: RequestRecord) -> ProblemDetails:
    """The problem that a request ends in, as its caller is told it."""
    problem.platform = problem.platform or record.platform
    problem.user_id = problem.user_id or record.user_id
    told = record.explainers[0].explanation() if record.explainers and record.explains else None
    return details(problem, record.request_id, explanation=told)


def failed(error: Problem | PlatformError, user_id: UserKey, record: RequestRecord) -> Failed:
    """The result that says so, which is reported to the record of the request."""
    problem = as_problem(error)
    record.failed_at(problem)
    return Failed(details(problem, record.request_id, user_id))

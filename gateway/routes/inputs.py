"""What a caller may send beside the path, each parsed once. All raise the Problem `invalid-request`."""

from __future__ import annotations

from starlette.requests import Request

from adapters.contract import parse_user_id
from gateway.headers import single
from gateway.problems import Kind, Problem
from gateway.telemetry.access import Access


def no_query(request: Request) -> None:
    for name in request.query_params:
        raise Problem(Kind.INVALID_REQUEST, f"query: unknown parameter {name[:64]!r}, expected none here")


def user_id(request: Request) -> int:
    try:
        return parse_user_id(request.path_params["user_id"])
    except ValueError as error:
        raise Problem(Kind.INVALID_REQUEST, f"user_id: {error}") from error


def deadline(request: Request, longest: float) -> float:
    """The `loop.time()` until which this caller waits: `X-Request-Timeout-Ms`, at most `longest` seconds."""
    text = single(request.headers, "x-request-timeout-ms")
    seconds = longest
    if text is not None:
        if not (text.isascii() and text.isdigit()) or not (given := int(text.lstrip("0")[:9] or 0)):
            raise Problem(
                Kind.INVALID_REQUEST, "X-Request-Timeout-Ms: expected a whole number of milliseconds above 0"
            )
        seconds = min(given / 1000, longest)
    return Access.of(request.scope).received_at + seconds

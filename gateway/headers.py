"""Request headers that may be said only once."""

from __future__ import annotations

from starlette.datastructures import Headers

from gateway.problems import Kind, Problem


def single(headers: Headers, name: str) -> str | None:
    """A header's one value, None where it is missing; Problem `invalid-request` if it is sent with several."""
    values = set(headers.getlist(name))
    if len(values) > 1:
        raise Problem(Kind.INVALID_REQUEST, f"{name}: sent more than once with different values")
    return values.pop() if values else None

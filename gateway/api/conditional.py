"""Conditional requests: whether the caller has the current answer already (RFC 9110, 13)."""

from __future__ import annotations

from gateway.auth.request_headers import RequestHeaders


def is_known(headers: RequestHeaders, etag: bytes) -> bool:
    """Whether `If-None-Match` names this tag, compared weakly, or any (`*`)."""
    given = [part.strip(" \t") for value in headers.every("if-none-match") for part in value.split(",")]
    return given == ["*"] or etag.decode().removeprefix("W/") in {each.removeprefix("W/") for each in given}

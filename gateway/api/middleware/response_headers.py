"""The headers that every response has, whatever it is: also those of errors, probes and pages."""

from __future__ import annotations

from gateway.api.request_record import RequestRecord


def of_every_response(record: RequestRecord) -> list[tuple[bytes, bytes]]:
    """As ASGI has them: lower-case names, and values."""
    headers = [(b"x-request-id", record.request_id.encode())]
    if record.rate_limit:
        headers += record.rate_limit
    return headers

"""Guards the listener for probes and metrics, which has nothing that a key or an origin would protect."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.middleware.trusted_origins import TrustedOrigins
from gateway.api.request_record import REQUEST_RECORD, RequestRecord
from gateway.problems.problem import Kind, Problem
from gateway.server.extensions import REFUSED


class ProbeGuard:
    """Refuses malformed requests. Any well-formed `Host` will do: probes and scrapers ask by address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if REFUSED in scope:
                raise Problem(Kind.INVALID_REQUEST, scope[REFUSED], headers={"connection": "close"})
            record: RequestRecord = scope[REQUEST_RECORD]
            TrustedOrigins.check_probe(record.headers, scope["http_version"])
        await self._app(scope, receive, send)

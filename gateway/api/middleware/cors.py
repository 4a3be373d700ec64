"""CORS for the origins in `server.cors_origins`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

SENT: Final = (
    "Cache-Control",
    "Content-Type",
    "If-None-Match",
    "X-Request-Id",
    "X-Request-Timeout-Ms",
    "traceparent",
)
"""Request headers that mean something here, beside those that name an identity."""
READ: Final = (
    "Age",
    "Allow",
    "Cache-Status",
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
    "traceparent",
)
"""Response headers that a page may want to read."""
REMEMBERED: Final = 600
"""Seconds that a browser need not ask again."""


def cors(origins: Collection[str], identities: Iterable[str]) -> list[Middleware]:
    """The layer for these origins, outside of whatever answers; none where there are none."""
    if not origins:
        return []
    return [
        Middleware(
            Cors,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=[*identities, *SENT],
            expose_headers=list(READ),
            max_age=REMEMBERED,
        )
    ]


class Cors(CORSMiddleware):
    """Starlette's middleware. It adds headers to `http.response.start`, so responses in one message are disabled."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or not self.is_allowed_origin(origin):
            await self.app(scope, receive, send)  # which refuses it, as a problem
            return
        scope["extensions"] = {}
        await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """What may be sent; a browser finds out by itself whether that is enough for what it wants to send."""
        told = super().preflight_response(request_headers).headers
        return Response(
            status_code=204, headers={name: told[name] for name in told if not name.startswith("content-")}
        )

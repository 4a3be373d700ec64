"""The access log: gives each request its id, and writes one line for it."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Iterator
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.audit import ACTIONS, Audit
from gateway.api.request_record import REQUEST_RECORD, RequestRecord
from gateway.auth.headers import RequestHeaders
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class AccessLog:
    """The outermost middleware. Sets `X-Request-Id`, counts the request, and writes its line."""

    def __init__(self, app: ASGIApp, log: Log, metrics: Metrics) -> None:
        self._app = app
        self._log = log
        self._metrics = metrics
        self._audit = Audit(log)
        self._ids = _ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = RequestHeaders(scope["headers"])
        given = headers.pop(b"x-request-id", None)
        known = given is not None and _REQUEST_ID.fullmatch(given)
        request_id = given if given is not None and known else next(self._ids)
        access = scope[REQUEST_RECORD] = RequestRecord(request_id.decode(), headers)
        if b"traceparent" in headers:
            access.traceparent = headers.once("traceparent")
            # Every call has another: what headers say of whoever asks would have to be worked out anew each time.
            del headers[b"traceparent"]
        headers.pop(b"tracestate", None)

        async def send_with_id(message: Message) -> None:
            if access.status is None:
                access.status = message["status"]
                message["headers"].append((b"x-request-id", request_id))
                if access.rate_limit:
                    message["headers"] += access.rate_limit
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else None
            route = scope["route"].path if "route" in scope else None
            self._metrics.request(method, route, access.status, access.problem, seconds)
            self._log.request(
                access.request_id,
                method,
                route,
                access.status,
                int(seconds * 1e6) / 1000,
                access.caller,
                access.platform,
                None if access.user_id is None else self._log.user(access.user_id),
                access.problem,
                access.problems,
                access.trace_id,
            )
            if access.problem or access.named or access.action in ACTIONS:
                self._audit.request(access, answered=access.status is not None)


def _ids() -> Iterator[bytes]:
    """32 hexadecimal digits, of which the first half is the process's own, at random."""
    process = secrets.token_hex(8).encode()
    for number in itertools.count(secrets.randbits(32)):
        yield b"%b%016x" % (process, number)

"""The record log: gives each request its id, and writes one line for it."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Iterator
from typing import Final, Literal

from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.audit import ACTIONS, Audit
from gateway.api.middleware.response_headers import of_every_response
from gateway.api.request_record import REQUEST_RECORD, RequestRecord
from gateway.auth.request_headers import RequestHeaders
from gateway.problems.problem import Kind
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
UNLOGGED: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Routes that are asked every few seconds, and of which only a failure is worth a line."""
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class AccessLog:
    """The outermost middleware. Gives the request its id, counts it, and writes its line."""

    def __init__(
        self, app: ASGIApp, log: Log, metrics: Metrics, logged: Literal["requests", "problems", "off"] = "requests"
    ) -> None:
        """`logged` says which requests have a line; every one is counted, and every action audited."""
        self._app = app
        self._logs_all = logged == "requests"
        self._logs_problems = logged != "off"
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
        record = scope[REQUEST_RECORD] = RequestRecord(request_id.decode(), headers)
        if b"traceparent" in headers:
            record.traceparent = headers.once("traceparent")
            # Every call has another: what headers say of whoever asks would have to be worked out anew each time.
            del headers[b"traceparent"]
        headers.pop(b"tracestate", None)

        async def send_with_id(message: Message) -> None:
            if record.status is None:
                record.status = message["status"]
                message["headers"] += of_every_response(record)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._finish(scope, record, time.perf_counter() - started)

    def _finish(self, scope: Scope, record: RequestRecord, seconds: float) -> None:
        """Count the request, and write its line and those of the audit log."""
        method = scope["method"] if scope["method"] in _METHODS else None
        if "route" in scope:
            route, platform = scope["route"].path, record.platform
        else:
            route, platform = _intended(scope, record)
        self._metrics.request(
            method, route, record.status, record.problem, seconds, platform=platform, caller=record.caller
        )
        if record.problems is not None:
            self._metrics.entries(record.problems)
        failed = record.problem or record.problems
        if self._logs_problems if failed else self._logs_all and route not in UNLOGGED:
            self._log.request(
                record.request_id,
                method,
                route,
                record.status,
                int(seconds * 1e6) / 1000,
                record.caller,
                record.platform,
                None if record.user_id is None else self._log.user(record.user_id),
                record.problem,
                record.problems,
                record.trace_id,
            )
        if record.problem or record.named or record.action in ACTIONS:
            self._audit.request(record, answered=record.status is not None)


def _intended(scope: Scope, record: RequestRecord) -> tuple[str | None, str | None]:
    """The route and platform of a request that was refused before it was routed, for want of a key or of room."""
    if record.problem is None or record.problem in {Kind.NOT_FOUND.slug, Kind.METHOD_NOT_ALLOWED.slug}:
        return None, None
    for route in scope["app"].routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            return route.path, child["path_params"].get("platform")
    return None, None


def _ids() -> Iterator[bytes]:
    """32 hexadecimal digits, of which the first half is the process's own, at random."""
    process = secrets.token_hex(8).encode()
    for number in itertools.count(secrets.randbits(32)):
        yield b"%b%016x" % (process, number)

"""One request from outside to inside: its id, what it turned out to be about, and the line that says so."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final, cast

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.contract import Viewer
from adapters.secret import Quiet
from gateway.telemetry.audit import Audit
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEY: Final = "connection_gateway.access"
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Access(Quiet, msgspec.Struct):
    """What is known of a request. Whoever learns something writes it here; errors and the log read it."""

    request_id: str
    received_at: float = 0.0
    """`loop.time()` when the request had been received whole"""
    caller: str | None = None
    platform: str | None = None
    user_id: int | None = None
    action: str | None = None
    """what was asked for: one of the actions, `lookup` or `list`"""
    viewer: Viewer | None = None
    """as whom an action is asked for"""
    named: dict[str, int] = msgspec.field(default_factory=dict)
    """on whose behalf each of the platforms in question was asked"""
    asked_for: dict[str, int] = msgspec.field(default_factory=dict)
    """whom the caller named, by platform or for all (empty), before it was looked at which are in question"""
    outcomes: dict[str, str] = msgspec.field(default_factory=dict)
    """by platform, where they differ from the answer's: the slug, or the status that an action led to"""
    problem: str | None = None
    problems: dict[str, int] | None = None
    """in an answer about many: how many entries ended in which problem"""

    def count(self, slug: str) -> None:
        """One entry of the answer is this problem."""
        self.problems = self.problems or {}
        self.problems[slug] = self.problems.get(slug, 0) + 1

    @staticmethod
    def of(scope: Scope) -> Access:
        return cast("Access", scope[_KEY])


class AccessLog:
    """The outermost layer: gives the request its id and the response its `X-Request-Id`, and writes one line."""

    def __init__(self, app: ASGIApp, log: Log, metrics: Metrics) -> None:
        self._app = app
        self._log = log
        self._metrics = metrics
        self._audit = Audit(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        access = scope[_KEY] = Access(_request_id(Headers(scope=scope)))
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", access.request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else None
            route = scope["route"].path if "route" in scope else None
            self._metrics.request(method, route, status, access.problem, seconds)
            self._log.line(
                "request",
                request_id=access.request_id,
                method=method,
                route=route,
                status=status,
                duration_ms=round(seconds * 1000, 3),
                caller=access.caller,
                platform=access.platform,
                user=None if access.user_id is None else self._log.user(access.user_id),
                problem=access.problem,
                problems=access.problems,
            )
            self._audit.request(access, answered=status is not None)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)

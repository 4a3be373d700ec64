"""Turns exceptions into responses: the only place that does."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.contract import Adapter, InvalidPosition, PlatformError
from gateway.api.request_record import REQUEST_RECORD, RequestRecord
from gateway.api.results import as_details
from gateway.auth.callers import KEY_HEADER
from gateway.problems.details import response
from gateway.problems.problem import Kind, Problem, as_problem
from gateway.telemetry.log import Log


class ExceptionMiddleware:
    """Answers Problems, PlatformErrors and Starlette's HTTPExceptions. Any other exception is a bug: 500.

    A 401 carries `WWW-Authenticate` (RFC 9110, 15.5.2) with the credentials that the configured platforms take.
    """

    def __init__(self, app: ASGIApp, log: Log, adapters: Iterable[Adapter]) -> None:
        self._app = app
        self._log = log
        words = (word for each in adapters for word in each.TOKEN_SCHEMES or (each.TOKEN_HEADER,))
        self._challenge = ", ".join(dict.fromkeys(words))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            record: RequestRecord = scope[REQUEST_RECORD]
            if record.status is not None:
                self._log.failure("broken-answer", error, request_id=record.request_id)
                raise
            problem = self._problem(error, record)
            record.ended_in(problem)
            answer = response(problem, as_details(problem, record))
            if problem.kind.status == 401:
                claimed_viewers = KEY_HEADER if problem.kind is Kind.INVALID_API_KEY else self._challenge
                answer.headers["www-authenticate"] = claimed_viewers
            await answer(scope, receive, send)

    def _problem(self, error: Exception, record: RequestRecord) -> Problem:
        match error:
            case Problem() | PlatformError() | InvalidPosition():
                return as_problem(error)
            case HTTPException(status_code=404):
                return Problem(Kind.NOT_FOUND, "no such path")
            case HTTPException(status_code=405, headers=headers):
                allowed = ", ".join(sorted((headers or {})["Allow"].split(", ")))
                return Problem(Kind.METHOD_NOT_ALLOWED, f"this path has {allowed}", headers={"allow": allowed})
            case _:
                self._log.failure("internal-error", error, request_id=record.request_id)
                return Problem(Kind.INTERNAL_ERROR, "the gateway's log says more under this request id")

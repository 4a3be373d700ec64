"""Routes: a handler, and what the OpenAPI document says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.compression import compressed
from gateway.openapi.operation import Operation
from gateway.server.extensions import in_a_task

Answer = Callable[[Request], Awaitable[Response]]


class Endpoint(Route):
    """`answer` makes the response, and `operation` what it does, in `/openapi.json`; None: it is no call of the API.

    Exceptions are handled further out: Starlette would do it here as well (10 µs).

    `is_compressed`: its answers are worth compressing for callers that take gzip. `at_once`: it needs no task of its
    own, because all that it ever waits for is a future. `also`: methods that another endpoint of the same path has.
    """

    def __init__(
        self,
        path: str,
        answer: Answer,
        operation: Operation | None,
        method: str = "GET",
        *,
        at_once: bool = False,
        is_compressed: bool = False,
        also: Iterable[str] = (),
    ) -> None:
        super().__init__(path, answer, methods=[method], name=answer.__name__)
        self.operation = operation
        self.method = method
        self._answer = answer
        self._at_once = at_once
        self._is_compressed = is_compressed
        self._methods = frozenset(self.methods or ())
        self.methods = {*self._methods, *also}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's, but a part of a path is text as it stands, and there is no other path before ours."""
        found = self.path_regex.match(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            return Match.NONE, {}
        child: Scope = {"endpoint": self.endpoint, "path_params": found.groupdict()}
        return Match.FULL if scope["method"] in self._methods else Match.PARTIAL, child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in self._methods:
            await super().handle(scope, receive, send)
            return
        if not self._at_once:
            await in_a_task()
        response: ASGIApp = await self._answer(Request(scope, receive))
        if self._is_compressed:
            response = compressed(response)
        await response(scope, receive, send)

"""What every request passes before a route sees it."""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.loop import OneLoop
from gateway.api.call import API, CALL, Call
from gateway.api.middleware.admission import Admission
from gateway.api.middleware.body import read_body
from gateway.api.middleware.trusted_origins import Perimeter
from gateway.api.request_record import ACCESS, Access
from gateway.auth.callers import ANYBODY
from gateway.auth.headers import Given
from gateway.auth.principal import Standing
from gateway.problems.problem import Kind, Problem
from gateway.runtime.snapshot import Generation, Generations
from gateway.server.extensions import LET_IN, REFUSED

CLOSING: Final = {"connection": "close"}
PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Paths that are asked for by address, by whatever runs or scrapes the gateway, so that any `Host` is answered."""


class Entrance(OneLoop):
    """First whether it may come here at all, then whose it is, then whether there is a place, then its body.

    Whose it is, is asked again once the body is there: a key that was revoked meanwhile is good no more, and a
    request that took its time lives in the generation that is in force when it begins. Deadlines count from then.
    """

    def __init__(self, app: ASGIApp, perimeter: Perimeter, generations: Generations, admission: Admission) -> None:
        self._app = app
        self._admission = admission
        self._perimeter = perimeter
        self._generations = generations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if REFUSED in scope:
                raise Problem(Kind.INVALID_REQUEST, scope[REFUSED], headers={"connection": "close"})
            access: Access = scope[ACCESS]
            generation = self._let_in(scope, access)
            is_api = scope["path"].startswith(API)
            if scope["method"] == "POST":
                if is_api:
                    self._admission.check(CLOSING)  # its body is not waited for
                try:
                    receive = await read_body(receive)
                except ClientDisconnect:
                    return
                if generation is not self._generations.now:
                    self._let_in(scope, access)
            access.received_at = self._loop.time()
            if is_api:
                with self._admission:
                    await self._app(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _let_in(self, scope: Scope, access: Access) -> Generation:
        generation = self._generations.now
        is_api = scope["path"].startswith(API)
        standing = generation.standings.get(access.headers) if is_api else None
        if standing is None:
            standing = self._standing(generation, access.headers, scope, is_api=is_api)
        if is_api and LET_IN in scope:
            scope[LET_IN]()
        if b"%" in (scope.get("raw_path") or b""):
            raise Problem(Kind.NOT_FOUND, "no path of this gateway contains a %")
        access.caller = standing.caller.name
        access.asked_for = standing.asked_for
        scope[CALL] = Call(generation, standing, access)
        return generation

    def _standing(self, generation: Generation, headers: Given, scope: Scope, *, is_api: bool) -> Standing:
        """Every call of the API needs a key, if there are callers; probes and pages need none."""
        if scope["path"] in PROBES:
            self._perimeter.check_probe(headers, scope["http_version"])
            return Standing(ANYBODY, {})
        self._perimeter.check_host(headers)
        if not is_api:
            return Standing(ANYBODY, {})
        self._perimeter.check_page(headers)
        standing = Standing(generation.callers.of(headers), generation.viewers.asked_for(headers))
        generation.standings.keep(headers, standing)
        return standing

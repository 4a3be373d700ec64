"""One call from outside: who makes it, and in which generation it lives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, cast

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.contract import Viewer
from adapters.secret import Quiet
from gateway.callers import ANYBODY, Caller
from gateway.generation import Generation, Generations
from gateway.platform import Platform
from gateway.policy import Right
from gateway.problems import Problem
from gateway.telemetry.access import Access

_KEY: Final = "connection_gateway.call"


class Call(Quiet, msgspec.Struct, frozen=True):
    """What a route knows of whoever asks."""

    caller: Caller
    generation: Generation
    access: Access

    @staticmethod
    def of(request: Request) -> Call:
        return cast("Call", request.scope[_KEY])

    @property
    def platforms(self) -> Mapping[str, Platform]:
        return self.generation.platforms

    def viewers(self, platforms: Collection[str], right: Right) -> Mapping[str, Viewer | Problem]:
        """As whom each of these is asked, or why this caller is not answered there."""
        return self.generation.viewers.of(platforms, self.caller, right, self.access)

    def check(self, platforms: Iterable[str], right: Right) -> None:
        """Raise the Problem `not-allowed` where the caller may not use one of these, or not so."""
        for name in platforms:
            if self.caller.refusal(name, right):
                self.viewer(name, right)

    def viewer(self, platform: str, right: Right) -> Viewer:
        """As whom this one is asked; a Problem is raised."""
        viewer = self.generation.viewers.one(platform, self.caller, right, self.access)
        if isinstance(viewer, Problem):
            raise viewer
        self.access.viewer = viewer
        return viewer


class Authentication:
    """Every call of the API needs a key, if there are callers. Nothing else is looked at before.

    It stands before and behind the receipt of the request: a key that was revoked meanwhile is good no more, and a
    request that took its time lives in the generation that is in force when it begins.
    """

    def __init__(self, app: ASGIApp, generations: Generations) -> None:
        self._app = app
        self._generations = generations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_known(scope):
            generation, access, caller = self._generations.now, Access.of(scope), ANYBODY
            if scope["path"].startswith("/v1/"):
                caller = generation.callers.of(access.headers)
            access.caller = caller.name
            access.asked_for = generation.viewers.asked_for(access.headers)
            scope[_KEY] = Call(caller, generation, access)
        await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        return _KEY in scope and cast("Call", scope[_KEY]).generation is self._generations.now

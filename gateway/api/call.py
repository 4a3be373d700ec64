"""The context of one request: its caller, and the snapshot of callers and platforms that it runs in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request

from adapters.contract import Viewer
from adapters.secret import RedactedRepr
from gateway.api.request_record import RequestRecord
from gateway.auth.callers import Caller
from gateway.auth.principal import Principal
from gateway.config.caller_settings import Right
from gateway.platforms.platform import Platform
from gateway.problems.problem import Problem
from gateway.runtime.snapshot import Snapshot

API: Final = ("/v1/", "/mcp")
"""How the paths begin that need a key, if there are callers, and a place."""
REQUEST_CONTEXT: Final = "connection_gateway.call"
"""Where a scope has it."""


class RequestContext(RedactedRepr, msgspec.Struct, frozen=True):
    """What a route knows of the caller and of what it may use."""

    snapshot: Snapshot
    principal: Principal
    access: RequestRecord

    @staticmethod
    def of(request: Request) -> RequestContext:
        call: RequestContext = request.scope[REQUEST_CONTEXT]
        return call

    @property
    def caller(self) -> Caller:
        return self.principal.caller

    @property
    def platforms(self) -> Mapping[str, Platform]:
        return self.snapshot.platforms

    def viewers(self, platforms: Collection[str], right: Right) -> Mapping[str, Viewer | Problem]:
        """As whom each of these is asked, or why this caller is not answered there.

        Raises the Problem `invalid-request` for a header that can't be meant.
        """
        found = self.snapshot.viewers.of(platforms, self.caller, right, self.access.headers)
        self.access.named = found.named
        if isinstance(found.viewers, Problem):
            raise found.viewers
        return found.viewers

    def check(self, platforms: Iterable[str], right: Right) -> None:
        """Raise the Problem `not-allowed` where the caller may not use one of these, or not so."""
        for name in platforms:
            if self.caller.refusal(name, right):
                self.viewer(name, right)

    def reader(self, platform: str) -> Viewer:
        """As `viewer`, of whom only reads. The same headers say the same again."""
        known = self.principal.viewers.get(platform)
        if known is None:
            viewer = self.viewer(platform, Right.READ)
            known = self.principal.viewers[platform] = viewer, self.access.named
        self.access.viewer, self.access.named = known
        return known[0]

    def viewer(self, platform: str, right: Right) -> Viewer:
        """As whom this one is asked; a Problem is raised."""
        viewer = self.viewers((platform,), right)[platform]
        if isinstance(viewer, Problem):
            raise viewer
        self.access.viewer = viewer
        return viewer

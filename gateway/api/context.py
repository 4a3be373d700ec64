"""The context of one request: what came with it, who its caller is, and the snapshot that it runs in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec
from starlette.requests import Request

from adapters.contract import Viewer
from adapters.secret import RedactedRepr
from gateway.api.request_record import RequestRecord
from gateway.auth.authorization import Caller
from gateway.auth.principal import Principal
from gateway.auth.request_headers import RequestHeaders
from gateway.auth.viewers import ResolvedViewers
from gateway.config.caller_settings import Right
from gateway.platforms.platform import Platform
from gateway.problems.problem import Problem
from gateway.runtime.snapshot import Snapshot

API: Final = ("/v1/", "/mcp")
"""How the paths begin that need a key, if there are callers, and a place."""
REQUEST_CONTEXT: Final = "connection_gateway.context"
"""The key of the ASGI scope under which it is found."""


class RequestContext(RedactedRepr, msgspec.Struct, frozen=True):
    """What a route reads of its request. What it did, it reports to `record`."""

    snapshot: Snapshot
    principal: Principal
    headers: RequestHeaders
    request_id: str
    received_at: float
    """`loop.time()` when the request had been received whole"""
    is_traced: bool
    """whether a trace of this request is recorded"""
    record: RequestRecord

    @staticmethod
    def of(request: Request) -> RequestContext:
        context: RequestContext = request.scope[REQUEST_CONTEXT]
        return context

    @property
    def caller(self) -> Caller:
        return self.principal.caller

    @property
    def platforms(self) -> Mapping[str, Platform]:
        return self.snapshot.platforms

    def resolve(self, platforms: Collection[str], right: Right) -> ResolvedViewers:
        """The viewer of each of these platforms, or why this caller is not answered there. Reports nothing."""
        return self.snapshot.viewers.of(platforms, self.caller, right, self.headers)

    def viewers(self, platforms: Collection[str], right: Right) -> Mapping[str, Viewer | Problem]:
        """As `resolve`, for a request that is about to be made on behalf of these viewers: it is audited.

        Raises the Problem `invalid-request` for a header that can't be meant.
        """
        resolved = self.resolve(platforms, right)
        self.record.acts_for(resolved.named)
        if isinstance(resolved.viewers, Problem):
            raise resolved.viewers
        return resolved.viewers

    def check(self, platforms: Iterable[str], right: Right) -> None:
        """Raise the Problem `not-allowed` if the caller lacks this right on one of these platforms."""
        for name in platforms:
            if self.caller.refusal(name, right):
                self.viewer(name, right)

    def viewer(self, platform: str, right: Right) -> Viewer:
        """The viewer of one platform. Raises the Problem that keeps this caller from being answered there."""
        viewer = self.viewers((platform,), right)[platform]
        if isinstance(viewer, Problem):
            raise viewer
        self.record.acts_as(viewer)
        return viewer

    def reader(self, platform: str) -> Viewer:
        """The viewer of one platform, for reads. Cached with the principal, since the same headers name the same.

        Raises the same Problem as `viewer`.
        """
        cached = self.principal.readers.get(platform)
        if cached is not None:
            viewer, named = cached
            self.record.acts_as(viewer, named)
            return viewer
        viewer = self.viewer(platform, Right.READ)
        self.principal.readers[platform] = viewer, self.record.named
        return viewer

"""The record of one request: what the access log, the audit log, metrics, traces and problems tell of it.

Its fields are written here and by middleware alone. Routes report to it by the methods below: what a request is for
stands in its path or its body, and what came of a streamed answer is known only when its end has been sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import structs

from adapters.contract import Viewer
from adapters.secret import RedactedRepr
from adapters.user_ids import UserKey
from gateway.auth.request_headers import RequestHeaders
from gateway.platforms.lookup.explainer import Explainer
from gateway.problems.problem import Problem

REQUEST_RECORD: Final = "connection_gateway.record"
"""The key of the ASGI scope under which it is found."""
_NOBODY: Final[Mapping[str, UserKey]] = MappingProxyType({})


class RequestRecord(RedactedRepr, msgspec.Struct):
    """One request, while it is processed."""

    request_id: str
    headers: RequestHeaders
    """without those that differ from request to request, for the middleware further in"""
    caller: str | None = None
    platform: str | None = None
    user_id: UserKey | None = None
    action: str | None = None
    """what was asked for: one of the actions, `lookup`, `list`, `watch` or `act`"""
    viewer: Viewer | None = None
    """as whom the one platform in question is asked"""
    named: Mapping[str, UserKey] = _NOBODY
    """on whose behalf each of the platforms in question is asked"""
    claimed_viewers: Mapping[str, UserKey] = _NOBODY
    """whom the caller named, by platform or for all (empty), whichever platforms are in question"""
    outcomes: dict[str, str] = msgspec.field(default_factory=dict)
    """by platform, where they differ from the request's: a problem's slug, or the status that an action led to"""
    status: int | None = None
    """of the answer, once it has begun"""
    problem: str | None = None
    """the slug of the problem that the whole request ended in"""
    problems: dict[str, int] | None = None
    """in an answer about many: how many entries ended in which problem"""
    explainers: tuple[Explainer, ...] = ()
    """how the answer, or each platform's part of it, came to be, where it is explained or traced"""
    explains: bool = False
    """whether the caller is told so too"""
    traceparent: str | None = None
    """as the caller sent it, once"""
    is_traced: bool = False
    """whether a trace of it is recorded"""
    trace_id: str | None = None
    rate_limit: list[tuple[bytes, bytes]] | None = None
    """the header fields that tell of the caller's rate, if it has one"""

    def asks_for(self, action: str | None) -> None:
        """Report what is asked for; None if there is no such action."""
        self.action = action

    def concerns(self, *, platform: str | None = None, user_id: UserKey | None = None) -> None:
        """Report the one platform, or the one user, that the request is about, as soon as it is known."""
        if platform is not None:
            self.platform = platform
        if user_id is not None:
            self.user_id = user_id

    def acts_for(self, named: Mapping[str, UserKey]) -> None:
        """Report on whose behalf platforms are asked."""
        self.named = named

    def acts_as(self, viewer: Viewer, named: Mapping[str, UserKey] | None = None) -> None:
        """Report as whom the one platform is asked, and on whose behalf if that was not reported before."""
        self.viewer = viewer
        if named is not None:
            self.named = named

    def observed_by(self, explainer: Explainer, *, explains: bool = False) -> None:
        """Report what observes a lookup. `explains`: the caller is told what it observed."""
        self.explainers += (explainer,)
        self.explains |= explains

    def failed_at(self, problem: Problem) -> None:
        """Report one entry of an answer about many that ended in this problem."""
        slug = problem.kind.slug
        self.problems = self.problems or {}
        self.problems[slug] = self.problems.get(slug, 0) + 1

    def ended_at(self, platform: str, outcome: str) -> None:
        """Report what came of the part of one platform: a problem's slug, or the status that an action led to."""
        self.outcomes[platform] = outcome

    def ended_in(self, problem: Problem) -> None:
        """Report the problem that the whole request ended in."""
        self.problem = problem.kind.slug

    def part(
        self, platform: str | None, user_id: UserKey, action: str, named: Mapping[str, UserKey]
    ) -> RequestRecord:
        """The record of one action among the many of this request, which has audit lines of its own."""
        return structs.replace(
            self,
            platform=platform,
            user_id=user_id,
            action=action,
            named=named,
            claimed_viewers=_NOBODY,
            outcomes={},
            problems=None,
        )

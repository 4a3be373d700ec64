"""What is known of one request while it is answered: for problems, the access log, metrics and traces."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from adapters.contract import Viewer
from adapters.secret import RedactedRepr
from gateway.auth.headers import RequestHeaders
from gateway.platforms.lookup.explainer import Explainer

REQUEST_RECORD: Final = "connection_gateway.access"
"""Where a scope has it."""


_NOBODY: Final[Mapping[str, int]] = MappingProxyType({})


class RequestRecord(RedactedRepr, msgspec.Struct):
    """One request, while it is processed. Routes fill it in; problems, the access log, metrics and traces read it."""

    request_id: str
    headers: RequestHeaders
    received_at: float = 0.0
    """`loop.time()` when the request had been received whole"""
    caller: str | None = None
    platform: str | None = None
    user_id: int | None = None
    action: str | None = None
    """what was asked for: one of the actions, `lookup` or `list`"""
    viewer: Viewer | None = None
    """as whom an action is asked for"""
    named: Mapping[str, int] = _NOBODY
    """on whose behalf each of the platforms in question was asked"""
    claimed_viewers: Mapping[str, int] = _NOBODY
    """whom the caller named, by platform or for all (empty), before it was looked at which are in question"""
    outcomes: dict[str, str] = msgspec.field(default_factory=dict)
    """by platform, where they differ from the answer's: the slug, or the status that an action led to"""
    status: int | None = None
    """of the answer, once it has begun"""
    problem: str | None = None
    problems: dict[str, int] | None = None
    """in an answer about many: how many entries ended in which problem"""
    explainers: tuple[Explainer, ...] = ()
    """how a lookup came by its answer, or its parts by theirs, where somebody wants to know"""
    explains: bool = False
    """whether the caller does"""
    traceparent: str | None = None
    """as the caller sent it, once"""
    is_traced: bool = False
    """whether anybody is told of its trace"""
    trace_id: str | None = None
    rate_limit: list[tuple[bytes, bytes]] | None = None
    """the header fields that tell of the caller's rate, if it has one"""

    def count(self, slug: str) -> None:
        """One entry of the answer is this problem."""
        self.problems = self.problems or {}
        self.problems[slug] = self.problems.get(slug, 0) + 1

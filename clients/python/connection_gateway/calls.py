"""Whole calls as generators that both faces drive: each yields what to send and when, and returns the result."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

from connection_gateway import protocol
from connection_gateway.attempts import Outcome, Step, attempts
from connection_gateway.identity import Identity
from connection_gateway.models import Connection, Status
from connection_gateway.problems import Problem
from connection_gateway.protocol import MOST_USERS, Request, Target
from connection_gateway.retry_after import RetryAfter

T = TypeVar("T")
Call = Generator[Step, Outcome, T]


class Calls:
    """The calls of one view. `timeout` is in seconds, for each request."""

    def __init__(self, identity: Identity, retry_after: RetryAfter) -> None:
        self._identity = identity
        self._retry_after = retry_after

    def one(self, request: Request, kind: type[T], timeout: float) -> Call[T]:
        answer = yield from attempts(request, timeout, self._identity, self._retry_after)
        return protocol.read(answer, kind)

    def lookup_many(self, users: Sequence[Target], timeout: float) -> Call[list[Connection | Problem]]:
        """The result of each user. Users of a platform that is held back come last, in requests of their own."""
        found: dict[int, Connection | Problem] = {}
        for start in range(0, len(users), MOST_USERS):
            for places in self._parts(users, range(start, min(start + MOST_USERS, len(users)))):
                results = yield from self._lookup_part([users[place] for place in places], timeout)
                found.update(zip(places, results, strict=True))
        return [found[place] for place in range(len(users))]

    def page(
        self, platforms: Sequence[str], statuses: Sequence[Status], cursor: str | None, timeout: float
    ) -> Call[protocol.Page]:
        page = yield from self.one(protocol.page(platforms, statuses, cursor), protocol.Page, timeout)
        for details in page.errors:
            self._retry_after.note(self._identity, details)
        return page

    def split(self, users: Sequence[Target]) -> list[list[int]]:
        """The places of the users in each request: those of a paused platform have a request of their own."""
        return self._parts(users, range(len(users)))

    def _parts(self, users: Sequence[Target], places: range) -> list[list[int]]:
        paused = self._retry_after.paused(self._identity, {users[place][0] for place in places})
        if not paused:
            return [list(places)]
        parts: dict[str, list[int]] = {"": []}
        for place in places:
            name = users[place][0]
            parts.setdefault(name if name in paused else "", []).append(place)
        return [each for each in parts.values() if each]

    def _lookup_part(self, users: list[Target], timeout: float) -> Call[list[Connection | Problem]]:
        request = protocol.lookup_many(users)
        try:
            results = yield from self.one(request, protocol.Results, timeout)
        except Problem as failure:
            if failure.sent or failure.platform is None:
                raise
            return [failure.about(user) for _, user in users]
        for each in results.results:
            if each.error is not None:
                self._retry_after.note(self._identity, each.error)
        return protocol.read_results(results, len(users))

"""Drives the client's calls without a socket, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from connection_gateway.attempts import Outcome, Send, Sleep
from connection_gateway.calls import Call, Calls
from connection_gateway.identity import Identity
from connection_gateway.protocol import Answer
from connection_gateway.retry_after import RetryAfter

T = TypeVar("T")
NOBODY: Final = Identity()
Respond = Callable[[Send], Outcome]
CONNECTION = {
    "platform": "acme",
    "user_id": "1",
    "status": "none",
    "native_status": None,
    "actions": ["request"],
    "first_requested_at": None,
    "updated_at": None,
    "request_count": None,
    "as_of": "2026-01-01T00:00:00.000Z",
    "stale": False,
}


class Driver:
    """`sent` has each request that left, with the time when it did."""

    def __init__(self, respond: Respond) -> None:
        self.now = 0.0
        self.sent: list[tuple[float, Send]] = []
        self.respond = respond
        self._retry_after = RetryAfter(lambda: self.now)

    def calls(self, identity: Identity = NOBODY) -> Calls:
        """Those of one view: all views of this driver are of one client."""
        return Calls(identity, self._retry_after)

    def run(self, call: Call[T]) -> T:
        outcome: Outcome = None
        try:
            while True:
                step = call.send(outcome)
                if isinstance(step, Sleep):
                    assert step.seconds > 0
                    self.now += step.seconds
                    outcome = None
                else:
                    assert step.timeout > 0
                    self.sent.append((self.now, step))
                    outcome = self.respond(step)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # what the generator returned


def ok(_send: Send) -> Answer:
    return Answer(200, None, msgspec.json.encode(CONNECTION))


def refused(slug: str, status: int, retry_after: int | None, platform: str | None = None) -> Answer:
    """A problem, as the gateway answers it."""
    details = {"type": f"/problems/{slug}", "title": "No", "status": status, "detail": "because"}
    named = {"platform": platform} if platform else {}
    later = {"retry_after": retry_after} if retry_after is not None else {}
    return Answer(status, retry_after, msgspec.json.encode(details | named | later))

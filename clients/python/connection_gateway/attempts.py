"""When to send, to wait and to give up: one generator, without sockets and without a clock of its own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from connection_gateway.errors import GatewayUnreachable
from connection_gateway.identity import Identity
from connection_gateway.protocol import Answer, Request
from connection_gateway.retry_after import RetryAfter

LONGEST_PAUSE: Final = 1.0
"""Seconds before the second try after a lost connection: long enough for a gateway to restart."""


@dataclass(frozen=True)
class Send:
    """Send this, wait `timeout` seconds at most, and hand back the answer or the failure."""

    request: Request
    timeout: float


@dataclass(frozen=True)
class Sleep:
    """Wait so many seconds, and hand back None."""

    seconds: float


Step = Send | Sleep
Outcome = Answer | GatewayUnreachable | None
Attempts = Generator[Step, Outcome, Answer]


def attempts(request: Request, timeout: float, identity: Identity, retry_after: RetryAfter) -> Attempts:
    """At most two tries within `timeout` seconds, and none while a `Retry-After` lasts.

    A request that is not repeatable is sent again only if it never left. If a `Retry-After` lasts longer than the
    timeout, raises the problem that came with it, and sends nothing.
    """
    deadline = retry_after.now() + timeout
    while pause := retry_after.pause(identity, request):
        if pause.until >= deadline:
            raise pause.error(pause.until - retry_after.now())
        yield Sleep(pause.until - retry_after.now())
    first = yield Send(request, deadline - retry_after.now())
    _note(first, identity, retry_after)
    if not _may_repeat(request, first):
        return _answer(first)
    resume = retry_after.now()
    if isinstance(first, GatewayUnreachable):
        resume += min(LONGEST_PAUSE, (deadline - resume) / 2)
    while (left := _left(request, resume, identity, retry_after)) > 0:
        if retry_after.now() + left >= deadline:
            return _answer(first)
        yield Sleep(left)
    if retry_after.now() >= deadline:
        return _answer(first)
    second = yield Send(request, deadline - retry_after.now())
    _note(second, identity, retry_after)
    return _answer(second)


def _left(request: Request, resume: float, identity: Identity, retry_after: RetryAfter) -> float:
    """Seconds until the second try."""
    pause = retry_after.pause(identity, request)
    return max(resume, 0.0 if pause is None else pause.until) - retry_after.now()


def _may_repeat(request: Request, outcome: Outcome) -> bool:
    if isinstance(outcome, GatewayUnreachable):
        return request.repeatable or not outcome.sent
    return (
        outcome is not None
        and request.repeatable
        and outcome.status in {429, 503}
        and outcome.retry_after is not None
    )


def _note(outcome: Outcome, identity: Identity, retry_after: RetryAfter) -> None:
    if isinstance(outcome, Answer):
        retry_after.note_answer(identity, outcome)


def _answer(outcome: Outcome) -> Answer:
    if isinstance(outcome, GatewayUnreachable):
        raise outcome
    assert outcome is not None, "a Send is answered"  # noqa: S101  whoever drives it is ours
    return outcome

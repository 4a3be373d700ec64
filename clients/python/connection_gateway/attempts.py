"""When to send, to wait and to give up: one generator, without sockets and without a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

from connection_gateway.errors import GatewayUnreachable
from connection_gateway.protocol import Answer, Request

PAUSE: Final = 0.1
"""Seconds before a lost connection is tried again."""


@dataclass(frozen=True)
class Send:
    """Send this, wait `timeout` seconds at most, and hand back the answer or the failure."""

    request: Request
    timeout: float


@dataclass(frozen=True)
class Sleep:
    seconds: float


Step = Send | Sleep
Attempts = Generator[Step, Answer | GatewayUnreachable | None, Answer]


def attempts(request: Request, timeout: float, now: Callable[[], float]) -> Attempts:
    """At most two tries within `timeout` seconds. What is not repeatable is sent again only if it never left."""
    deadline = now() + timeout
    first = yield Send(request, timeout)
    pause = _pause(request, first)
    if pause is not None and now() + pause < deadline:
        yield Sleep(pause)
        left = deadline - now()
        if left > 0:
            return _answer((yield Send(request, left)))
    return _answer(first)


def _pause(request: Request, outcome: Answer | GatewayUnreachable | None) -> float | None:
    """Seconds to wait before another try; None: there must be none."""
    if isinstance(outcome, GatewayUnreachable):
        return PAUSE if request.repeatable or not outcome.sent else None
    if outcome is None or not request.repeatable or outcome.status not in {429, 503}:
        return None
    text = outcome.retry_after or ""
    return float(text) if text.isascii() and text.isdigit() else None


def _answer(outcome: Answer | GatewayUnreachable | None) -> Answer:
    if isinstance(outcome, GatewayUnreachable):
        raise outcome
    assert outcome is not None, "a Send is answered"  # noqa: S101  whoever drives it is ours
    return outcome

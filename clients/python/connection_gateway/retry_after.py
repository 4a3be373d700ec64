"""`Retry-After`: until when the client sends nothing to the gateway, or to one of its platforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from connection_gateway.errors import GatewayError, GatewayUnreachable
from connection_gateway.identity import Identity
from connection_gateway.problems import Details, problem
from connection_gateway.protocol import Answer, Request

LONGEST: Final = 86_400
"""Seconds that a `Retry-After` can bind the client."""

Scope = tuple[str, ...]
"""Nothing: the whole gateway. A platform. A platform and a viewer there."""
_VIEWER_SCOPED: Final = "/platform-throttled"
_DETAILS: Final = msgspec.json.Decoder(Details)


@dataclass(frozen=True)
class Pause:
    """Until when one scope is held back. `details` is None if the response came from a proxy and was no problem."""

    until: float
    details: Details | None

    def error(self, left: float) -> GatewayError:
        """What a call raises that is not sent for this reason."""
        seconds = math.ceil(left)
        if self.details is None:
            text = f"not sent, because {seconds} s are left of the Retry-After of what is in front of the gateway"
            return GatewayUnreachable(text, sent=False)
        detail = f"not sent, because {seconds} s of Retry-After are left ({self.details.detail})"
        return problem(msgspec.structs.replace(self.details, detail=detail, retry_after=seconds), sent=False)


class RetryAfter:
    """The pauses of a client, shared by its views. `now` is a clock in seconds.

    A problem that names a platform holds back that platform; `platform-throttled` does so for the viewer who was
    throttled, because some platforms throttle each viewer alone. Any other response holds back everything.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._pauses: dict[Scope, Pause] = {}

    def note(self, identity: Identity, details: Details) -> None:
        if details.retry_after is not None:
            self._begin(_scope(identity, details), details.retry_after, details)

    def note_answer(self, identity: Identity, answer: Answer) -> None:
        if answer.status == 200 or answer.retry_after is None:
            return
        try:
            details = _DETAILS.decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._begin((), answer.retry_after, None)
        else:
            self._begin(_scope(identity, details), answer.retry_after, details)

    def pause(self, identity: Identity, request: Request) -> Pause | None:
        """The pause that holds this request back; if several do, the one that ends last."""
        if not self._pauses:
            return None
        scopes: list[Scope] = [()]
        for name in request.platforms:
            scopes += [(name,), (name, *identity.viewer(name))]
        now = self.now()
        found = [self._pauses[each] for each in scopes if each in self._pauses]
        return max((each for each in found if each.until > now), key=lambda each: each.until, default=None)

    def paused(self, identity: Identity, platforms: Iterable[str]) -> set[str]:
        """The platforms that are held back now."""
        if not self._pauses:
            return set()
        return {name for name in platforms if self.pause(identity, Request("GET", "", platforms=(name,)))}

    def _begin(self, scope: Scope, seconds: int, details: Details | None) -> None:
        now = self.now()
        until = now + min(seconds, LONGEST)
        self._pauses = {each: pause for each, pause in self._pauses.items() if pause.until > now}
        if scope not in self._pauses or self._pauses[scope].until < until:
            self._pauses[scope] = Pause(until, details)


def _scope(identity: Identity, details: Details) -> Scope:
    if details.platform is None:
        return ()
    if details.type.endswith(_VIEWER_SCOPED):
        return details.platform, *identity.viewer(details.platform)
    return (details.platform,)

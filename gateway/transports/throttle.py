"""The throttle: after `Retry-After` no call is sent before its time.

After a 429, or a 503 with `Retry-After`, no call leaves in the scope that it was for: the whole platform, or one
viewer. How long, the platform says; where it doesn't, 1 s, doubling to 30 s each time that the first call after such
a pause is turned away again, and back to 1 s after a success. Meanwhile calls are answered 429 here. What the
platform says to calls that had left before the pause adds to it, but doubles nothing.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import httpx

from adapters.contract import Viewer
from adapters.loop import OneLoop
from adapters.settings import ThrottleScope
from adapters.times import retry_after

FIRST: Final = 1.0
LONGEST: Final = 30.0
"""Seconds of a pause for which the platform names no end."""
CAPACITY: Final = 10_000
"""Scopes remembered; those whose pause is over go first."""
ANNOUNCED: Final = 0.5
"""Seconds by which a pause must grow for others to be told of it again."""
OnPause = Callable[[bytes, float], None]
"""Told the scope in which the platform wants no calls, and for how many seconds."""
_TURNED_AWAY: Final = "connection_gateway.turned_away"


def untold(_scope: bytes, _seconds: float) -> None:
    """Nobody wants to know."""


class _Pause:
    """Of one scope: when it ends (`loop.time()`), and how long it is where no end is named."""

    __slots__ = ("length", "until")

    def __init__(self) -> None:
        self.until = 0.0
        self.length = 0.0


class Throttle(OneLoop, httpx.AsyncBaseTransport):
    """Around `inner`; reads `viewer` among the request's extensions. `now` is Unix time in seconds.

    `refused` is called for each call that is answered here.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        scope: ThrottleScope,
        refused: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
        on_pause: OnPause = untold,
    ) -> None:
        self._inner = inner
        self._scope = scope
        self._refused = refused
        self._now = now
        self._on_pause = on_pause
        self._pauses: OrderedDict[bytes, _Pause] = OrderedDict()
        self._last_end = 0.0
        self._swept = 0.0

    @property
    def is_active(self) -> bool:
        """Whether calls in any scope are held back now."""
        return self._last_end > self._loop.time()

    def ends_in(self, viewer: Viewer) -> float | None:
        """Seconds until calls of this viewer are sent again; None while they are."""
        pause = self._pauses.get(self._scope_of(viewer))
        left = 0.0 if pause is None else pause.until - self._loop.time()
        return left if left > 0 else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        scope = self._scope_of(request.extensions.get("viewer"))
        begun = self._loop.time()
        pause = self._pauses.get(scope)
        if pause is not None and pause.until > begun:
            self._refused()
            return _later(request, pause.until - begun)
        response = await self._inner.handle_async_request(request)
        if response.status_code == 429 or (response.status_code == 503 and "retry-after" in response.headers):
            self._hold_back(scope, response, begun)
        elif not response.is_server_error:
            self._let_go(scope, begun)
        return response

    def hold(self, scope: bytes, seconds: float) -> None:
        """Send no calls in this scope for so long, unless a pause lasts longer already. Nobody is told."""
        now = self._loop.time()
        pause = self._pause(scope, now)
        pause.until = max(pause.until, now + seconds)
        self._last_end = max(self._last_end, pause.until)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _scope_of(self, viewer: Viewer | None) -> bytes:
        return viewer.key if self._scope is ThrottleScope.VIEWER and viewer is not None else b""

    def _hold_back(self, scope: bytes, response: httpx.Response, begun: float) -> None:
        now = self._loop.time()
        pause = self._pause(scope, now)
        before = max(pause.until, now)
        named = retry_after(response.headers.get("retry-after"), self._now())
        if not named and begun >= pause.until:
            pause.length = min(2 * pause.length, LONGEST) or FIRST
        pause.until = max(pause.until, now + (named or pause.length or FIRST))
        self._last_end = max(self._last_end, pause.until)
        if pause.until > before + ANNOUNCED:
            self._on_pause(scope, pause.until - now)
        response.headers["retry-after"] = str(math.ceil(pause.until - now))

    def _pause(self, scope: bytes, now: float) -> _Pause:
        pause = self._pauses.get(scope)
        if pause is None:
            self._make_room(now)
            pause = self._pauses[scope] = _Pause()
        return pause

    def _let_go(self, scope: bytes, begun: float) -> None:
        pause = self._pauses.get(scope)
        if pause is not None and begun >= pause.until:
            del self._pauses[scope]

    def _make_room(self, now: float) -> None:
        """For one more; at the capacity at most once a second, since all must be looked at."""
        if len(self._pauses) < CAPACITY:
            return
        if now >= self._swept + FIRST:
            self._swept = now
            for scope in [scope for scope, pause in self._pauses.items() if pause.until <= now]:
                del self._pauses[scope]
        while len(self._pauses) >= CAPACITY:
            self._pauses.popitem(last=False)


def is_turned_away(response: httpx.Response) -> bool:
    """Whether this is a throttle's own answer, and nothing left."""
    return _TURNED_AWAY in response.extensions


def _later(request: httpx.Request, seconds: float) -> httpx.Response:
    headers = {"retry-after": str(math.ceil(seconds))}
    return httpx.Response(429, headers=headers, request=request, extensions={_TURNED_AWAY: True})

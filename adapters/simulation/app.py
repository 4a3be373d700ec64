"""A simulated platform as an ASGI app: its own calls, with faults and counters around them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

from adapters.simulation import control
from adapters.simulation.calls import Calls
from adapters.simulation.faults import Fault, Faults
from adapters.simulation.serving import CLOSE
from adapters.simulation.tokens import Tokens
from adapters.user_ids import UserIds, UserKey


class SimulatedPlatform(Protocol):
    """What an adapter's `simulator.Platform` brings. Viewer 1 (`demo`) always exists."""

    @property
    def routes(self) -> Sequence[BaseRoute]: ...

    @property
    def login_paths(self) -> tuple[str, ...]:
        """How the paths of logins begin: these calls are counted apart."""
        ...

    def error(self, status: int) -> dict[str, Any]:
        """The platform's own error body for an HTTP status."""
        ...

    @property
    def user_ids(self) -> UserIds: ...

    def set_connection(self, viewer: UserKey, user: UserKey, status: str | None) -> None:
        """Set one side to a native word (None: no connection), and its mirror. ValueError for an unknown word."""
        ...

    @property
    def tokens(self) -> Tokens: ...

    @property
    def switches(self) -> dict[str, bool]:
        """What the platform's documentation leaves open, and how this one does it."""
        ...

    clock_offset: float
    """seconds by which the platform's clock is ahead of ours"""

    def connection(self, viewer: UserKey, user: UserKey) -> str | None:
        """One side, in the platform's native word; None where it has none."""
        ...


class Simulator:
    """The ASGI app. In process, its attributes and `misbehave` do what the control calls do over HTTP."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self.platform = platform
        self.calls = Calls()
        self._faults = Faults()
        self._api = _json_app(platform.routes, lambda refusal: platform.error(refusal.status_code))
        controls = [*control.routes(self), *getattr(platform, "controls", ())]  # calls of its own, if it has any
        self._control = _json_app(controls, lambda refusal: {"error": refusal.detail})

    def misbehave(self, *faults: Fault) -> None:
        """Put these faults in force, instead of those that were."""
        if any(fault.expire_sessions for fault in faults):
            self.platform.tokens.expire()
        self._faults.set(*(fault for fault in faults if fault.delay or fault.spoils_the_answer))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(control.PREFIX):
            await self._control(scope, receive, send)
            return
        path = scope["path"]
        self.calls.count(scope["method"], path, is_login=path.startswith(self.platform.login_paths))
        fault = self._faults.take(scope["method"], path)
        if fault is None:
            await self._api(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        answer = await self._answer(scope, body) if fault.apply else None
        if await _left_within(fault.delay, receive):
            return
        if fault.drop:
            await _drop(scope, receive)
        elif fault.spoils_the_answer:
            status, headers, spoilt = fault.answer(self.platform.error)
            await Response(spoilt, status, headers)(scope, receive, send)
        else:
            for message in answer or await self._answer(scope, body):
                await send(message)

    async def _answer(self, scope: Scope, body: bytes) -> list[Message]:
        """Do what was asked, and keep what is answered."""
        answer: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._api(scope, receive, keep)
        return answer


async def _body(receive: Receive) -> bytes | None:
    """None where the caller left before it was complete."""
    body = bytearray()
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)
    return None


async def _left_within(seconds: float, receive: Receive) -> bool:
    """Whether the caller leaves while we dawdle. Who has left asked for nothing."""
    if not seconds:
        return False
    leaving = asyncio.ensure_future(receive())
    try:
        await asyncio.wait((leaving,), timeout=seconds)
        return leaving.done()
    finally:
        leaving.cancel()


async def _drop(scope: Scope, receive: Receive) -> None:
    if CLOSE not in scope.get("extensions", {}):
        raise ConnectionResetError("a simulator can only close connections that `serving` serves")
    scope["extensions"][CLOSE]()
    while (await receive())["type"] != "http.disconnect":
        pass


def _json_app(routes: Sequence[BaseRoute], error: Callable[[HTTPException], dict[str, Any]]) -> Starlette:
    async def refuse(_request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, HTTPException)  # noqa: S101  what this handler is registered for
        body = msgspec.json.encode(error(refusal))
        return Response(body, refusal.status_code, refusal.headers, "application/json")

    app = Starlette(routes=routes, exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False
    return app

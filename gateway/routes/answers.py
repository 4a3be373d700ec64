"""How what was found is sent."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.openapi.operation import JSON
from gateway.shortcuts import READY


def reads(identities: Iterable[str]) -> Callable[[bytes, int, bytes], Response]:
    """Answers of reads: a body, its age in seconds, and where it came from.

    They are never cached elsewhere: only the gateway decides what is fresh, so that a button never shows an old
    state. They differ by the request headers that say who asks, and as whom.
    """
    vary = ", ".join(identities)
    fixed = f"content-type: {JSON}\r\ncache-control: private, no-cache\r\nvary: {vary}\r\n".encode()
    return functools.partial(Ready, fixed)


def answer(content: object, headers: dict[str, str], status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, headers, JSON)


class Ready(Response):
    """A 200 whose headers stand as they are sent: to make them anew costs more than to find the answer."""

    def __init__(self, fixed: bytes, body: bytes, age: int, source: bytes) -> None:
        """`fixed` are whole header lines."""
        self.body = body
        self._fixed = fixed
        self._more = [(b"age", b"%d" % age), (b"cache-status", source)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if READY in scope.get("extensions", ()):
            await send({"type": READY, "status": 200, "fixed": self._fixed, "headers": self._more, "body": self.body})
            return
        fixed = dict(line.split(": ", 1) for line in self._fixed.decode().splitlines())
        usual = Response(self.body, headers=fixed)
        usual.raw_headers += self._more
        await usual(scope, receive, send)

"""Responses of reads: their headers, and the fast path for cached answers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.openapi.operation import JSON
from gateway.platforms.lookup.origin import Origin
from gateway.server.extensions import READY


class Reads(Protocol):
    """Makes the answer to a read from a body, its age in seconds, its origin, and its entity tag, if any."""

    def __call__(self, body: bytes, age: int, origin: Origin, etag: bytes | None = None) -> Response: ...


def reads(identities: Iterable[str]) -> Reads:
    """Answers of reads.

    They are never cached elsewhere: only the gateway decides what is fresh, so that a button never shows an old
    state. They differ by the request headers that say who asks, and as whom.
    """
    fixed = f"content-type: {JSON}\r\n{_never_cached(identities)}".encode()
    return functools.partial(Ready, fixed)


def not_modified(identities: Iterable[str]) -> Callable[[int, Origin, bytes], Response]:
    """Answers of reads to a caller that knows the body already: the same without it."""
    return functools.partial(NotModified, _never_cached(identities).encode())


def _never_cached(identities: Iterable[str]) -> str:
    return f"cache-control: private, no-cache\r\nvary: {', '.join(identities)}\r\n"


def answer(content: object, headers: dict[str, str], status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, headers, JSON)


class Ready(Response):
    """A 200 with prebuilt header lines: building them for each response costs more than a cache hit."""

    def __init__(self, fixed: bytes, body: bytes, age: int, origin: Origin, etag: bytes | None = None) -> None:
        """`fixed` are whole header lines."""
        self.body = body
        self._fixed = fixed
        self._more = [(b"age", b"%d" % age), (b"cache-status", origin.header)]
        if etag is not None:
            self._more.append((b"etag", etag))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if READY in scope.get("extensions", ()):
            await send({"type": READY, "status": 200, "fixed": self._fixed, "headers": self._more, "body": self.body})
            return
        usual = Response(self.body, headers=_parsed(self._fixed))
        usual.raw_headers += self._more
        await usual(scope, receive, send)


class NotModified(Response):
    """A 304: the caller's copy is still current."""

    def __init__(self, fixed: bytes, age: int, origin: Origin, etag: bytes) -> None:
        super().__init__(status_code=304, headers=_parsed(fixed))
        self.raw_headers += [(b"age", b"%d" % age), (b"cache-status", origin.header), (b"etag", etag)]


def _parsed(lines: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in lines.decode().splitlines())

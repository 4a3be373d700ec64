"""How what was found is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.lookups import Reading

JSON: Final = "application/json"


def reads(identities: Iterable[str]) -> Callable[[bytes, int, bytes], Response]:
    """Answers of reads: a body, its age in seconds, and where it came from.

    They are never cached elsewhere: only the gateway decides what is fresh, so that a button never shows an old
    state. They differ by the request headers that say who asks, and as whom.
    """
    fixed = [
        (b"content-type", JSON.encode()),
        (b"cache-control", b"private, no-cache"),
        (b"vary", ", ".join(identities).encode()),
    ]

    def answer(body: bytes, age: int, source: bytes) -> Response:
        return Ready(
            body,
            [*fixed, (b"content-length", b"%d" % len(body)), (b"age", b"%d" % age), (b"cache-status", source)],
        )

    return answer


def readings(identities: Iterable[str]) -> Callable[[Reading], Response]:
    """Answers about one connection."""
    answer = reads(identities)
    return lambda reading: answer(reading.body, reading.age, reading.source)


def answer(content: object, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(content), headers=headers, media_type=JSON)


class Ready(Response):
    """A 200 whose headers stand as they are sent: to make them anew costs more than to find the answer."""

    def __init__(self, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = headers

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})

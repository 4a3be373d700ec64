"""How what was found is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from starlette.responses import Response


def reads(identities: Iterable[str]) -> Callable[[object], Response]:
    """Answers of reads, which are never cached elsewhere: only the gateway decides what is fresh, so that a button
    never shows an old state. They differ by the request headers that say who asks, and as whom.
    """
    headers = {
        "cache-control": "private, no-cache",
        "age": "0",
        "cache-status": "connection-gateway; fwd=miss",
        "vary": ", ".join(identities),
    }
    return lambda content: answer(content, headers)


def answer(content: object, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(content), headers=headers, media_type="application/json")

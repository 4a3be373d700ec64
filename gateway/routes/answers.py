"""How what was found is sent."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.responses import Response

FRESH: Final = {
    "cache-control": "private, no-cache",
    "age": "0",
    "cache-status": "connection-gateway; fwd=miss",
}
"""Headers of every read: only the gateway decides what is fresh, so that a button never shows an old state."""


def answer(content: object, headers: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(content), headers=headers, media_type="application/json")

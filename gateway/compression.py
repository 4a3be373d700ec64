"""Which answers are compressed: those of lists, lookups of many and documents, for callers that take gzip."""

from __future__ import annotations

import re
from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEVEL: Final = 1
"""Of 9: a page of 100 connections becomes 12 times smaller; the highest level makes it 16 times smaller, and takes
four times as long."""
MIN_SIZE: Final = 1400
"""Bytes of a body that is compressed: a smaller one fits into one packet as it is."""
_GZIP: Final = re.compile(rb"(?:^|[,\s])(?:x-)?gzip\s*(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))(?:;|,|$)", re.IGNORECASE)


def compressed(response: ASGIApp) -> ASGIApp:
    """The same response, compressed if it is large and the caller takes gzip, with `Vary` where that matters."""
    return _Apart(GZipMiddleware(response, minimum_size=MIN_SIZE, compresslevel=LEVEL))


class _Apart:
    """Has the response sent in the messages that ASGI has for it, so that a middleware sees them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [each for each in scope["headers"] if each[0] != b"accept-encoding" or _GZIP.search(each[1])]
        await self._app({**scope, "headers": headers, "extensions": {}}, receive, send)

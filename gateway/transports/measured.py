"""How long every call takes that leaves, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

Note = Callable[[str, str, str, float], None]
"""Told method, status and error (one of both is empty), and seconds."""


class Measured(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, note: Note) -> None:
        self._inner = inner
        self._note = note

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        begun = time.perf_counter()
        status, error = "", ""
        try:
            response = await self._inner.handle_async_request(request)
            status = str(response.status_code)
        except BaseException as failure:
            error = type(failure).__name__
            raise
        finally:
            self._note(request.method, status, error, time.perf_counter() - begun)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

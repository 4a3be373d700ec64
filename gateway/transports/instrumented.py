"""Measures each try that is sent: its duration and result."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from adapters.loop import OneLoop
from gateway.explain import timeline

Note = Callable[[httpx.Request, str, str, float], None]
"""Told the request, status and error (one of both is empty), and seconds."""


class Instrumented(OneLoop, httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, note: Note) -> None:
        self._inner = inner
        self._note = note

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        begun = self._loop.time()
        status, error = "", ""
        nobody_yet = request.extensions.get("viewer") is None
        step = timeline.begin(timeline.StepKind.LOGIN if nobody_yet else timeline.StepKind.TRY, begun)
        try:
            response = await self._inner.handle_async_request(request)
            status = str(response.status_code)
        except BaseException as failure:
            error = type(failure).__name__
            raise
        finally:
            now = self._loop.time()
            step.end(now, status or error)
            self._note(request, status, error, now - begun)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

"""The innermost transport: httpx's own, with the body read and capped, and the deadline kept.

A body that is still on its way has left neither the deadline nor the policies behind: resets and drips happen
in here, where they are the wire's failures.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, Final, cast

import httpx

from gateway import __version__

MAX_BODY: Final = 1024 * 1024
"""Bytes of one answer, after decoding, unless the request's extensions have another `max_body`."""
ACCEPTED_ENCODING: Final = "gzip"
USER_AGENT: Final = f"connection-gateway/{__version__}"
_GZIP: Final = 16 + zlib.MAX_WBITS
_DESCRIBES_THE_WIRE: Final = {b"content-encoding", b"content-length", b"transfer-encoding"}


class BoundedTransport(httpx.AsyncBaseTransport):
    """Needs `deadline` (`loop.time()`) among the request's extensions.

    Raises httpx's errors: `ConnectTimeout` only if the request had certainly not left, else `ReadTimeout`;
    `DecodingError` for a body over the cap, or one that is not encoded as it says.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["accept-encoding"] = ACCEPTED_ENCODING
        request.headers["user-agent"] = USER_AGENT
        connecting = False

        async def trace(event: str, _info: dict[str, Any]) -> None:
            nonlocal connecting
            if event.startswith("connection.connect_tcp.started"):
                connecting = True
            elif event.startswith("http11.send_request_headers.started"):
                connecting = False

        request.extensions["trace"] = trace
        try:
            async with asyncio.timeout_at(request.extensions["deadline"]):
                response = await self._inner.handle_async_request(request)
                try:
                    content = await _body(response, request.extensions.get("max_body", MAX_BODY))
                finally:
                    await response.aclose()
        except TimeoutError as timeout:
            error = httpx.ConnectTimeout if connecting else httpx.ReadTimeout
            raise error("the deadline passed", request=request) from timeout
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _DESCRIBES_THE_WIRE]
        return httpx.Response(response.status_code, headers=headers, content=content, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _body(response: httpx.Response, max_body: int) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", ACCEPTED_ENCODING}:
        raise httpx.DecodingError(f"content-encoding {encoding!r} was not asked for")
    inflate = zlib.decompressobj(_GZIP) if encoding == ACCEPTED_ENCODING else None
    body = bytearray()
    async for chunk in cast("httpx.AsyncByteStream", response.stream):
        try:
            body += chunk if inflate is None else inflate.decompress(chunk, max_body + 1 - len(body))
        except zlib.error as error:
            raise httpx.DecodingError("not gzip") from error
        if len(body) > max_body:
            raise httpx.DecodingError(f"more than {max_body} bytes")
        if inflate is not None and inflate.unused_data:
            raise httpx.DecodingError("goes on after its end")
    if inflate is not None and not inflate.eof:
        raise httpx.DecodingError("cut off")
    return bytes(body)

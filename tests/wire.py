"""A server on a real socket that does exactly as it is told, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from starlette.types import ASGIApp

from gateway.transports.pool import Pool
from gateway.transports.response import read_whole

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """Where the server is, and the heads of the requests that reached it."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[bytes] = []


@asynccontextmanager
async def listening(handle: Handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that hands each connection to `handle`, and closes it afterwards. Yields where it is."""
    handlers: set[asyncio.Task[None]] = set()

    async def to_its_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with closing(writer):
            await handle(reader, writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.create_task(to_its_end(reader, writer))
        handlers.add(handler)
        handler.add_done_callback(handlers.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        left = handlers.copy()
        for handler in left:
            handler.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(OSError):  # whoever has left needs no goodbye
            await writer.wait_closed()


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[Wire]:
    """Read one request's head, run `script` on the connection, close it; for each connection."""
    wire = Wire()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.requests.append(await reader.readuntil(b"\r\n\r\n"))
        await script(writer)

    async with listening(handle) as where:
        wire.url = f"http://{where}"
        yield wire


def sending(*parts: bytes, pause: float = 0.0) -> Script:
    """A script that writes the parts, and waits `pause` seconds after each."""

    async def script(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return script


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def pool(**named: Any) -> Pool:
    """The network, with nobody trusted over TLS unless `tls` says so."""
    return Pool(**{"limit": 1000, "tls": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **named})


class Bounded(httpx.AsyncBaseTransport):
    """Another wire in the place of the network's: it keeps deadlines, and answers are read whole, as the pool does."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout_at(request.extensions["deadline"]):
                answer = await self._inner.handle_async_request(request)
                body = aiter(cast("httpx.AsyncByteStream", answer.stream))

                async def more() -> bytes:
                    async for part in body:
                        if part:
                            return part
                    return b""

                return await read_whole(request, answer.status_code, answer.headers.raw, more)
        except TimeoutError as timeout:
            raise httpx.ReadTimeout("the deadline passed", request=request) from timeout

    async def aclose(self) -> None:
        await self._inner.aclose()


class InProcess(httpx.AsyncBaseTransport):
    """An app without a socket. A connection that it drops is the failure that it would be on one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._app.handle_async_request(request)
        except ConnectionResetError as dropped:
            raise httpx.ReadError("dropped", request=request) from dropped

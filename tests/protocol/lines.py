"""A gateway on a real port in this process, and a connection to it that is spoken over by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.config.settings import ServerSettings
from gateway.server.extensions import in_a_task
from gateway.server.listener import listen_on
from gateway.server.server import Server
from tests.gateways import Gateway, running

GET = b"GET /v1/connections/acme/%d HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATIENCE = 30.0
"""Seconds after which a test that waits has failed."""


class Line:
    """A connection that is spoken over by hand."""

    def __init__(self, gateway: Gateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.gateway = gateway
        self.reader = reader
        self.writer = writer

    async def rest(self) -> bytes:
        """All that comes until the other side closes."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                return await self.reader.read()
        return b""

    async def answer(self) -> tuple[bytes, bytes]:
        """Head and body of the next one."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: "))
        return head, await self.reader.readexactly(int(length.partition(b": ")[2]))


@asynccontextmanager
async def opened(gateway: Gateway, host: str, port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Line(gateway, reader, writer)
    finally:
        writer.close()


def open_line(beside: Line) -> AbstractAsyncContextManager[Line]:
    """Another one to the same gateway."""
    return opened(beside.gateway, *beside.writer.get_extra_info("peername")[:2])


@asynccontextmanager
async def line(**settings: Any) -> AsyncIterator[Line]:
    """To a gateway with these settings of its server, which also has paths for answers that it never gives."""
    async with running(**settings) as gateway:

        async def unusual(scope: Scope, receive: Receive, send: Send) -> None:
            match scope.get("path"):
                case "/stream":
                    await in_a_task()
                    await StreamingResponse(iter([b"one", b"two"]))(scope, receive, send)
                case "/close":
                    await Response(b"bye", headers={"connection": "close"})(scope, receive, send)
                case "/large":
                    await in_a_task()
                    await Response(bytes(32 * 1024 * 1024))(scope, receive, send)
                case "/two-headers":
                    await Response(b"no", headers={"x": "1\r\ny: 2"})(scope, receive, send)
                case _:
                    await gateway.app(scope, receive, send)

        listener = listen_on("127.0.0.1", 0)
        server = Server(gateway.app, ServerSettings(**settings), gateway.log)
        server.config.app = unusual
        serving = asyncio.create_task(server.serve_on(listener))
        try:
            async with opened(gateway, *listener.getsockname()[:2]) as one:
                yield one
        finally:
            server.stop()
            await serving

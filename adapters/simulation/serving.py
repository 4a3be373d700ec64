"""A server on loopback for simulated platforms, in the caller's event loop.

It is uvicorn's HTTP protocol without uvicorn's server: nothing polls, nothing takes signals, and it stops at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

CLOSE: Final = "connection_gateway.close"
"""ASGI extension of this server: closes the connection without an answer. ASGI itself has no word for that."""


class _Protocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CLOSE: self.transport.close}  # type: ignore[dict-item]  # ours


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 (port 0: a free one) while the context is open, and yield its base URL."""
    loop = asyncio.get_running_loop()
    config = uvicorn.Config(
        _ending_quietly(app), log_config=None, access_log=False, lifespan="off", ws="none", proxy_headers=False
    )
    state = ServerState()
    listener = socket.create_server(("127.0.0.1", port))
    server = await loop.create_server(lambda: _Protocol(config, state, {}, loop), sock=listener)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # each connection learns that it is lost, so that its task ends without an answer
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await server.wait_closed()


def _ending_quietly(app: ASGIApp) -> ASGIApp:
    """A call that is still at work when the server stops has failed nobody."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return call

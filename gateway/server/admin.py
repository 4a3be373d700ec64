"""A listener of its own for probes and metrics (`server.admin`)."""

from __future__ import annotations

import asyncio
import socket
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from gateway.server.connection_limit import STRANGERS_SHARE, ConnectionLimit
from gateway.server.lifecycle import Lifecycle
from gateway.server.protocol import Limits, Protocol

MAX_CONNECTIONS: Final = 64
"""Of probes and scrapers, beyond which the oldest is closed."""


class AdminListener:
    """Serves `app` on `listener` from `start` to `close`, within the same limits as the API has."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._app = app
        self._listener = listener
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def start(self, limits: Limits, lifecycle: Lifecycle) -> None:
        """Begin to serve. `lifecycle` is the process's: each response of one that drains is its connection's last."""
        config = uvicorn.Config(
            self._app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        config.load()
        connections = ConnectionLimit(STRANGERS_SHARE * MAX_CONNECTIONS)  # none of them shows a key

        def accept() -> Protocol:
            return Protocol(config, self._state, {}, limits=limits, lifecycle=lifecycle, connections=connections)

        self._server = await asyncio.get_running_loop().create_server(accept, sock=self._listener)

    def close(self) -> None:
        """Stop listening, and close every connection."""
        if self._server is not None:
            self._server.close()
        self._listener.close()
        for connection in list(self._state.connections):
            cast("Protocol", connection).transport.abort()

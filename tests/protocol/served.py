"""A gateway with a caller behind a listening socket, in this process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config.settings import ServerSettings
from gateway.server.listener import listen_at, listen_on
from gateway.server.server import Server
from tests.gateways import OWN, UNHURRIED, Gateway, caller, key_of, running

WEB = caller("web", may=["read", "act"])
LOOKUP = "/v1/connections/acme/103"


@asynccontextmanager
async def warm() -> AsyncIterator[Gateway]:
    """It has asked for user 103 and keeps the answer, so that no lookup of the corpus asks the platform again."""
    async with running(OWN, [WEB], cache={"fresh_for": 600}) as gateway:
        answer = await gateway.client.get(LOOKUP, headers={"X-API-Key": key_of("web")})
        assert answer.status_code == 200
        gateway.acme.calls.reset()
        yield gateway


@asynccontextmanager
async def served(listener: socket.socket, header_timeout: float = UNHURRIED) -> AsyncIterator[Gateway]:
    """The same, on this socket."""
    async with warm() as gateway:
        server = Server(gateway.app, ServerSettings(header_timeout=header_timeout), gateway.log)
        serving = asyncio.create_task(server.serve_on(listener))
        try:
            yield gateway
        finally:
            server.stop()
            await serving


def listen(family: str, folder: Path) -> socket.socket:
    """On a port of loopback (`tcp`), or at a path in this folder (`unix`)."""
    return listen_on("127.0.0.1", 0) if family == "tcp" else listen_at(str(folder / "gateway.sock"), 0o600)


def nothing_was_done(gateway: Gateway) -> bool:
    """Whether the request of 102 stands as it did, and no platform was asked for anything."""
    return gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING" and gateway.calls == 0

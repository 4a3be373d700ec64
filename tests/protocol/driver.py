"""Drives our protocol without a socket, so that each read is exactly as long as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

from gateway.config.settings import ServerSettings
from gateway.server.protocol import Protocol
from gateway.server.server import Server
from tests.gateways import UNHURRIED, Gateway

SETTLED = 10
"""Turns of the loop without a write after which nothing more is due: nothing here waits for anything else."""


class MemoryTransport(asyncio.Transport):
    """Keeps what is written, and says whether it is closed or may be read from."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.written = bytearray()
        self.written_to = asyncio.Event()
        self.is_reading_paused = False
        self._is_closed = False

    def write(self, data: Any) -> None:
        if not self._is_closed:
            self.written += data
            self.written_to.set()

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def write_eof(self) -> None:
        """The caller has read that no more comes, and closes."""
        self.close()

    def is_closing(self) -> bool:
        return self._is_closed

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""


class Driver:
    """Makes connections to one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        server = Server(gateway.app, ServerSettings(header_timeout=UNHURRIED), gateway.log)
        server.config.load()
        self._server = server

    async def answer(self, sent: bytes) -> bytes:
        """What is answered to one request, however long that takes."""
        connection = self._connect()
        connection.protocol.data_received(sent)
        async with asyncio.timeout(30):
            await connection.written_to.wait()
        connection.close()
        return bytes(connection.written)

    def _connect(self) -> MemoryTransport:
        config = self._server.config
        factory = cast("Callable[..., Protocol]", config.http_protocol_class)
        transport = MemoryTransport(factory(config=config, server_state=self._server.server_state, app_state={}))
        transport.protocol.connection_made(transport)
        return transport

    async def send(self, pieces: Iterable[bytes], *, shuts_down: bool) -> tuple[bytes, bool]:
        """All answers to what is read in these pieces, and whether the connection goes on.

        With `shuts_down` the caller says right behind the last piece that no more will come; then it never goes on.
        """
        transport = self._connect()
        protocol = transport.protocol
        async with asyncio.timeout(30):
            for piece in pieces:
                if not await _may_send(transport):
                    break
                protocol.data_received(piece)
                await asyncio.sleep(0)
            if shuts_down and await _may_send(transport) and not protocol.eof_received():
                transport.close()
            await _settle(transport)
        goes_on = not transport.is_closing()
        transport.close()
        await asyncio.sleep(0)
        return bytes(transport.written), goes_on


async def _may_send(transport: MemoryTransport) -> bool:
    """Whether the connection is still open when it is read from again."""
    while transport.is_reading_paused and not transport.is_closing():  # noqa: ASYNC110  it is a flag, as in any loop
        await asyncio.sleep(0)
    return not transport.is_closing()


async def _settle(transport: MemoryTransport) -> None:
    quiet = written = 0
    while quiet < SETTLED and not transport.is_closing():
        await asyncio.sleep(0)
        quiet = quiet + 1 if len(transport.written) == written else 0
        written = len(transport.written)

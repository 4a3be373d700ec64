"""A network between gateways and their store that tests cut, slow down and break."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.shared.valkey import Valkey
from tests.wire import listening


class Proxy:
    """`delay` is the seconds that each packet takes longer. `reset_after` is how many bytes of replies get through
    on a connection before it is reset: None for all.
    """

    def __init__(self, port: int) -> None:
        self.delay = 0.0
        self.reset_after: int | None = None
        self.url = ""
        self._port = port
        self._connected = asyncio.Event()
        self._connected.set()

    def cut(self) -> None:
        """Let nothing through, and keep all connections."""
        self._connected.clear()

    def heal(self) -> None:
        self.delay, self.reset_after = 0.0, None
        self._connected.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection("127.0.0.1", self._port)
        both = [
            asyncio.ensure_future(self._forward(reader, to_server[1], None)),
            asyncio.ensure_future(self._forward(to_server[0], writer, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            to_server[1].close()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_client: asyncio.StreamWriter | None
    ) -> None:
        """`to_client` is None for requests."""
        sent = 0
        with contextlib.suppress(OSError):
            while packet := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._connected.wait()
                if to_client is not None and self.reset_after is not None:
                    packet = packet[: max(self.reset_after - sent, 0)]
                sent += len(packet)
                writer.write(packet)
                await writer.drain()
                if to_client is not None and self.reset_after is not None and sent >= self.reset_after:
                    _reset(to_client)
                    return


@asynccontextmanager
async def proxied(server: Valkey) -> AsyncIterator[Proxy]:
    proxy = Proxy(server.port)
    async with listening(proxy.serve) as address:
        proxy.url = f"valkey://{address}"
        yield proxy


def _reset(writer: asyncio.StreamWriter) -> None:
    """With RST in place of FIN."""
    of_writer: socket.socket = writer.get_extra_info("socket")
    of_writer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

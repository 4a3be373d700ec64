"""The ends of a real socket, and one call over a pool, for the tests of the pool."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from gateway.transports.pool import Pool
from tests import wire

NOBODY = "127.0.0.1:1"
"""A port at which nobody listens."""


async def call(network: Pool, url: str, *, within: float = 30.0, **request: Any) -> httpx.Response:
    deadline = asyncio.get_running_loop().time() + within
    method = "POST" if "content" in request else "GET"
    return await network.handle_async_request(
        httpx.Request(method, url, extensions={"deadline": deadline}, **request)
    )


async def ask(
    url: str, *, within: float = 30.0, pool: dict[str, Any] | None = None, **request: Any
) -> httpx.Response:
    """One call over a pool of its own."""
    async with wire.pool(**(pool or {})) as network:
        return await call(network, url, within=within, **request)


HUGE = b"x" * 32 * 1024 * 1024
"""A body that no kernel takes in one go. aiohttp would rather have it in parts; no adapter sends one like it."""


class Silent:
    """Who takes connections, since its kernel does, and says and reads nothing until the test does so for it."""

    def __init__(self, listener: socket.socket) -> None:
        self.where = f"127.0.0.1:{listener.getsockname()[1]}"
        self._listener = listener

    async def heard(self) -> socket.socket:
        """The other end of the next connection, once something was sent over it."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(30):
            peer, _ = await loop.sock_accept(self._listener)
            assert await loop.sock_recv(peer, 4096)
            return peer


@contextmanager
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Silent(listener)


@contextmanager
def full() -> Iterator[str]:
    """Where connections are neither taken nor refused: the queue of a listener that accepts nobody is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield f"127.0.0.1:{address[1]}"
        for each in waiting:
            each.close()


def resets(writer: asyncio.StreamWriter) -> None:
    """Break the connection off at once, with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


class Kept:
    """Where a server is, the requests' heads that reached it, and how many connections it has, and had."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self.open = 0
        self.ever = 0


@asynccontextmanager
async def keeping(*answers: bytes) -> AsyncIterator[Kept]:
    """A server that keeps its connections: it gives `answers` in turn on each, and closes after the last."""
    kept = Kept()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept.open += 1
        kept.ever += 1
        try:
            for each in answers:
                kept.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(each)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass  # the other side has closed
        finally:
            kept.open -= 1

    async with wire.listening(handle) as where:
        kept.url = f"http://{where}"
        yield kept


GOOD = wire.answer(b"{}")


async def turns() -> None:
    """Let the loop go round until whatever can happen without waiting for anybody has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))

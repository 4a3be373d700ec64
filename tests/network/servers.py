"""What stands on loopback between a gateway and a platform: TLS, a proxy, a port that notes what it is asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.simulation import serving
from tests.tls import Authority
from tests.wire import closing, listening


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: str, head: bytes = b"") -> None:
    """Whatever comes, both ways, after `head`, until either side leaves."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()

    url = urlsplit(to)
    back, there = await asyncio.open_connection(url.hostname, url.port)
    async with closing(there):
        there.write(head)
        ways = [asyncio.create_task(pump(reader, there)), asyncio.create_task(pump(back, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


@asynccontextmanager
async def over_tls(app: ASGIApp, authority: Authority) -> AsyncIterator[str]:
    """Serve `app` with a certificate of this authority, and yield its base URL."""
    async with serving(app) as url:

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await forward(reader, writer, url)

        async with listening(handle, authority.server()) as where:
            yield f"https://{where}"


class Proxy:
    """An HTTP proxy that takes everybody `to` one URL, wherever they want to go, or answers with `refusal`."""

    def __init__(self, to: str, refusal: str | None = None) -> None:
        self.asked: list[str] = []
        self._to = to
        self._refusal = refusal

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        async with listening(self._handle, tls) as where:
            yield f"{'https' if tls else 'http'}://{where}"

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, or one tunnel."""
        line, _, headers = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        method, target, _version = line.decode().split()
        self.asked.append(f"{method} {target}")
        if self._refusal is not None:
            writer.write(f"HTTP/1.1 {self._refusal}\r\nContent-Length: 0\r\n\r\n".encode())
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await forward(reader, writer, self._to)
        else:
            head = f"{method} {urlsplit(target).path} HTTP/1.1\r\nConnection: close\r\n".encode() + headers
            await forward(reader, writer, self._to, head)


class Port:
    """One of the ports of a simulator: it notes the paths asked for, and puts `inside` in the place of `outside`."""

    def __init__(self, app: ASGIApp, outside: str = "", inside: str = "") -> None:
        self.paths: list[str] = []
        self._app = app
        self._outside = outside
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        path = self._inside + scope["path"].removeprefix(self._outside)
        await self._app({**scope, "path": path}, receive, send)

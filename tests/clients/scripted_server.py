"""A server that answers each request as a script says: what a real gateway would not do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Respond = Callable[[str, bytes], bytes | None]
"""What is answered to this request line and head; None: the connection is closed without an answer."""


class ScriptedServer:
    """`received` counts the whole requests that arrived, by their request line."""

    def __init__(self, respond: Respond) -> None:
        self.received: Counter[str] = Counter()
        self.url = ""
        self._respond = respond

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line = head.partition(b"\r\n")[0].decode()
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                await reader.readexactly(int(length or 0))
                self.received[line] += 1
                answer = self._respond(line, head)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted(respond: Respond) -> AsyncIterator[ScriptedServer]:
    it = ScriptedServer(respond)
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    async with server:
        it.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield it
        server.close()


def response(status: int, body: bytes, media_type: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {media_type}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body

"""A connection that sends as fast as it can and reads nothing until it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

from tests.protocol.corpus import HOST, KEY, USERS

STRANGER = b"X-API-Key: unknown\r\n"
LIVEZ = b"POST /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 60000\r\n\r\n" + bytes(60_000)
DOCUMENT = b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
PROBE = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
TRAILERS = b"POST /livez HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
EXTENSIONS = b"POST /livez HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
LOOKUP = b"POST /v1/lookup HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
USERS_UNREAD = b'{"users":[' + b",".join([USERS[10:-2]] * 1000) + b"]}"
ROUND = 64 * 1024
"""Bytes that are sent in one go, at least."""


class Flood:
    """Sends `begin`, and then `more` over and over."""

    def __init__(self, port: int, begin: bytes, more: bytes) -> None:
        self._port = port
        self._begin = begin
        self._more = more * (ROUND // len(more) + 1) if more else b""
        self.sent = 0
        """bytes that the other side's kernel has taken, or this one's"""
        self.is_cut_off = False

    async def run(self) -> None:
        """Until the other side closes the connection."""
        loop = asyncio.get_running_loop()
        with socket.socket() as caller, contextlib.suppress(OSError):
            caller.setblocking(False)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that its answers soon have no room
            await loop.sock_connect(caller, ("127.0.0.1", self._port))
            await loop.sock_sendall(caller, self._begin)
            while self._more:
                await loop.sock_sendall(caller, self._more)
                self.sent += len(self._more)
                await asyncio.sleep(0)
            while await loop.sock_recv(caller, 4096):
                pass
        self.is_cut_off = True


FLOODS: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "half a head": (PROBE[:20], b""),
    "half a body": (LIVEZ[:200], b""),
    "probes": (b"", PROBE),
    "documents": (b"", DOCUMENT),
    "bodies": (b"", LIVEZ),
    "trailers": (TRAILERS, b"x: y\r\n"),
    "one trailer": (TRAILERS + b"x: ", b"y"),
    "extensions": (EXTENSIONS, b"1;" + b"x" * 1000 + b"\r\na\r\n"),
    "a head": (PROBE[:-2] + b"x: ", b"y"),
    "blank lines": (b"", b"\r\n"),
    "refused lookups": (b"", LOOKUP + STRANGER + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(USERS), USERS)),
}
"""What strangers may send: what comes first, and what comes over and over."""


def lookup_of_many() -> Iterator[bytes]:
    """A lookup of a thousand users, by one who may."""
    yield b"POST /v1/lookup HTTP/1.1\r\n" + HOST + KEY + b"Content-Length: %d\r\n\r\n" % len(USERS_UNREAD)
    yield USERS_UNREAD

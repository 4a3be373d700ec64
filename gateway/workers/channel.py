"""The messages between the parent and one worker, over a pair of connected sockets.

Each is MessagePack behind its length in four bytes. When the other process is gone, the kernel closes the channel.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Self, cast

import msgspec

from gateway.telemetry.worker_metrics import Snapshot

LENGTH: Final = 4
"""Bytes in front of each message."""
MAX_DESCRIPTORS: Final = 2
"""That come with one message."""


class Kind(StrEnum):
    """What a message says. The first group is the parent's, the second the worker's."""

    WELCOME = "welcome"
    """the first message: what all workers share"""
    RELOAD = "reload"
    """read the configuration again; answered by RELOADED"""
    MEASURE = "measure"
    """answered by MEASURED"""
    TOTAL = "total"
    """the metrics of all workers: the answer to SCRAPE"""
    RELEASED = "released"
    """the answer to CLOSING: `ok` if no worker will accept the connections that still wait"""
    LEAVE = "leave"
    """accept no more connections, which others do, and end when those that are open are done"""
    STOP = "stop"
    """end as SIGTERM ends a single process; the second ends it at once"""
    PING = "ping"
    """answered by PONG"""

    LISTENING = "listening"
    """with the sockets that the first worker has opened: the listening one, and that of `server.admin`"""
    READY = "ready"
    RELOADED = "reloaded"
    """`ok` unless the configuration was refused"""
    MEASURED = "measured"
    SCRAPE = "scrape"
    """somebody asks this worker for metrics"""
    CLOSING = "closing"
    """it is about to close its listener"""
    ASKED_TO_STOP = "asked-to-stop"
    """SIGTERM or SIGINT was sent to the worker itself"""
    PONG = "pong"


class Message(msgspec.Struct, frozen=True):
    """One message; which fields count depends on its kind."""

    kind: Kind
    ok: bool = True
    key: bytes = b""
    metrics: Snapshot = ()


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Message).decode


def frame(message: Message) -> bytes:
    body = _encode(message)
    return len(body).to_bytes(LENGTH, "big") + body


def receive(channel: socket.socket) -> tuple[Message, list[int]]:
    """Wait for one message and the descriptors that come with it. Raises EOFError if the other process is gone."""
    head, descriptors, *_ = socket.recv_fds(channel, LENGTH, MAX_DESCRIPTORS)
    if len(head) == LENGTH:
        body = channel.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
        if body:
            return _decode(body), descriptors
    raise EOFError


class Channel(asyncio.Protocol):
    """One end of the channel, in an event loop."""

    def __init__(self, on_message: Callable[[Message], None], on_end: Callable[[], None]) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._received = b""

    @classmethod
    async def over(
        cls, connected: socket.socket, on_message: Callable[[Message], None], on_end: Callable[[], None]
    ) -> Self:
        """The channel over this socket, which it closes. `on_end` is called once when the other process is gone."""
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(lambda: cls(on_message, on_end), sock=connected)
        return channel

    def send(self, kind: Kind, *, ok: bool = True, metrics: Snapshot = ()) -> None:
        """Never waits, and never fails: `on_end` tells if nobody will receive it."""
        if not self._transport.is_closing():
            self._transport.write(frame(Message(kind, ok=ok, metrics=metrics)))

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= LENGTH:
            end = LENGTH + int.from_bytes(self._received[:LENGTH], "big")
            if len(self._received) < end:
                return
            body, self._received = self._received[LENGTH:end], self._received[end:]
            self._on_message(_decode(body))

    def connection_lost(self, _error: Exception | None) -> None:
        self._on_end()

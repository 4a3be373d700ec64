"""Accepts connections where several processes share a listener, so that each gets its part of a burst.

uvloop accepts all that wait whenever it looks: whichever process looks first would get them all. This accepts one in
each turn of the event loop, and waits for a moment if another process has fewer connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final, Protocol

from gateway.server.listener import BACKLOG

FAILURE_PAUSE: Final = 0.1
"""Seconds without accepting after the system had no descriptor or memory left."""
TURN: Final = 0.001
"""Seconds for another process to accept first."""


class Others(Protocol):
    """The other processes that accept connections from the same listener."""

    def tell(self, connections: int) -> None:
        """This process has so many connections open."""
        ...

    def have_fewer(self, connections: int) -> bool:
        """Whether one of them has fewer connections than this process, which has so many."""
        ...

    async def release(self) -> bool:
        """This process is about to close the listener. Returns whether no other will accept who still waits there."""
        ...


class Acceptor:
    """Accepts until it is closed. `close` leaves the listener open."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        others: Others,
        count: Callable[[], int],
    ) -> None:
        """`count` returns the connections that this process has open."""
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._protocol = protocol
        self._others = others
        self._count = count
        self._has_waited = False
        """for others to accept what waits"""
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    def accept_all(self) -> None:
        """Accept all that wait at this moment, whatever other processes do."""
        with contextlib.suppress(OSError):
            for _ in range(BACKLOG):
                self._accept_one()

    async def closed(self) -> None:
        """Wait until every connection that was accepted has its protocol."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept(self) -> None:
        if not self._has_waited and self._others.have_fewer(self._count() + len(self._tasks)):
            self._has_waited = True
            self._pause(TURN)
            return
        self._has_waited = False
        try:
            self._accept_one()
        except (BlockingIOError, ConnectionAbortedError):  # another process was first, or nobody waits any more
            return
        except OSError:
            self._pause(FAILURE_PAUSE)

    def _accept_one(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._connect(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(seconds, self._loop.add_reader, self._listener, self._accept)

    async def _connect(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the caller is gone already
            await self._loop.connect_accepted_socket(self._protocol, connection)

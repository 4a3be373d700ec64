"""Accepts connections where the event loop can't do it as they need to be.

uvloop accepts all that wait whenever it looks. Where several processes share a listener, whichever looks first would
get them all: `Acceptor` accepts one in each turn of the event loop, and waits for a moment if another process has
fewer connections. Where the listener is about to be closed, somebody may come between the loop's look and its close:
`AcceptQueue` accepts all at the very moment.
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


class AcceptQueue:
    """Those who have connected to a listener and wait to be accepted."""

    def __init__(self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._protocol = protocol
        self._tasks: set[asyncio.Task[None]] = set()
        listener.setblocking(False)

    def __len__(self) -> int:
        """How many have been accepted and have no protocol yet."""
        return len(self._tasks)

    def accept_one(self) -> None:
        """Accept whoever has waited longest. Raises OSError: BlockingIOError if nobody waits."""
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._connect(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def accept_all(self) -> None:
        """Accept all that wait at this moment, whatever other processes do."""
        with contextlib.suppress(OSError):
            for _ in range(BACKLOG):
                self.accept_one()

    async def connected(self) -> None:
        """Wait until every connection that was accepted has its protocol."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _connect(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the caller is gone already
            await self._loop.connect_accepted_socket(self._protocol, connection)


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
        self.queue = AcceptQueue(listener, protocol)
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._others = others
        self._count = count
        self._has_waited = False
        """for others to accept what waits"""
        self._timer: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    def _accept(self) -> None:
        if not self._has_waited and self._others.have_fewer(self._count() + len(self.queue)):
            self._has_waited = True
            self._pause(TURN)
            return
        self._has_waited = False
        try:
            self.queue.accept_one()
        except (BlockingIOError, ConnectionAbortedError):  # another process was first, or nobody waits any more
            return
        except OSError:
            self._pause(FAILURE_PAUSE)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(seconds, self._loop.add_reader, self._listener, self._accept)

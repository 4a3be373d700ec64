"""The worker's side of its channel: does what the parent says, and asks it what concerns all workers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from gateway.telemetry.worker_metrics import Snapshot
from gateway.workers.balance import Balance
from gateway.workers.channel import Channel, Kind, Message, frame

SCRAPED_WITHIN: Final = 5.0
"""Seconds that a scrape waits for the metrics of the other workers."""
ANSWERED_WITHIN: Final = 1.0
"""Seconds that the end of a worker waits for its parent."""


class Served(Protocol):
    """The server of this process."""

    def stop(self) -> None:
        """End; the second time at once."""
        ...

    def drain(self) -> None:
        """End, unless that has begun."""
        ...

    def leave(self) -> None:
        """Leave the listener to others, and end when nothing is left to do."""
        ...


class Reloading(Protocol):
    """How this process reloads."""

    succeeded: bool
    """whether the last reload did"""
    runs_again: bool
    """whether another one follows"""

    def start(self) -> None:
        """Begin, or once more after the one under way."""
        ...


class Member:
    """One of several workers. It is also the service manager of its server: the parent is told what happens."""

    watchdog_interval = None
    """the parent sends pings instead"""

    def __init__(
        self, number: int, channel: socket.socket, balance: Balance, measure: Callable[[], Snapshot]
    ) -> None:
        """`measure` gives the metrics of this process."""
        self._number = number
        self._balance = balance
        self._socket = channel
        self._measure = measure
        self._server: Served
        self._reloading: Reloading
        self._channel: Channel
        self._gone: asyncio.Future[None]
        self._must_answer = False
        """the parent waits for the result of a reload"""
        self._was_asked_to_stop = False
        self._accepts = False
        """connections, as far as the balance is concerned"""
        self._scrapes: list[asyncio.Future[Snapshot]] = []
        self._release: asyncio.Future[bool] | None = None

    async def join(self, server: Served, reloading: Reloading) -> None:
        """Listen to the parent from now on. If it is gone, this process stops."""
        self._server, self._reloading = server, reloading
        self._gone = asyncio.get_running_loop().create_future()
        self._channel = await Channel.over(self._socket, self._receive, self._lose_parent)

    async def part(self) -> None:
        """Tell the parent the last metrics, and close the channel."""
        self._channel.send(Kind.MEASURED, metrics=self._measure())
        self._channel.close()
        await asyncio.wait([self._gone], timeout=ANSWERED_WITHIN)

    async def scrape(self) -> Snapshot:
        """The metrics of all workers. Raises TimeoutError if the parent does not answer."""
        waiting: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        self._scrapes.append(waiting)
        self._channel.send(Kind.SCRAPE)
        async with asyncio.timeout(SCRAPED_WITHIN):
            return await waiting

    def tell(self, connections: int) -> None:
        """This worker has so many connections open."""
        if self._accepts:
            self._balance.tell(self._number, connections)

    def have_fewer(self, connections: int) -> bool:
        """Whether another worker has clearly fewer connections than this one, which has so many."""
        self.tell(connections)
        return self._balance.is_ahead(self._number)

    async def release(self) -> bool:
        """Whether connections that still wait are this worker's to accept: no other will. The file is gone then."""
        self._accepts = False
        self._balance.exclude(self._number)
        self._release = asyncio.get_running_loop().create_future()
        self._channel.send(Kind.CLOSING)
        if self._gone.done():
            return True
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                return await self._release
        except TimeoutError:
            return True

    def asked_to_stop(self) -> None:
        """SIGTERM or SIGINT was sent to this process. The parent decides what that means; the second one ends it."""
        if self._was_asked_to_stop or self._gone.done():
            self._server.stop()
        self._was_asked_to_stop = True
        self._channel.send(Kind.ASKED_TO_STOP)

    def reload_ended(self) -> None:
        """A reload is over. The parent is told of the one that began after it asked."""
        if self._must_answer and not self._reloading.runs_again:
            self._must_answer = False
            self._channel.send(Kind.RELOADED, ok=self._reloading.succeeded)

    def ready(self) -> None:
        self._accepts = True
        self.tell(0)
        self._channel.send(Kind.READY)

    def stopping(self) -> None:
        """The parent knows."""

    def alive(self) -> None:
        """Pings are answered instead."""

    def _receive(self, message: Message) -> None:
        match message.kind:
            case Kind.RELOAD:
                self._must_answer = True
                self._reloading.start()
            case Kind.MEASURE:
                self._channel.send(Kind.MEASURED, metrics=self._measure())
            case Kind.TOTAL:
                waiting, self._scrapes = self._scrapes, []
                for each in waiting:
                    if not each.done():
                        each.set_result(message.metrics)
            case Kind.RELEASED if self._release is not None and not self._release.done():
                self._release.set_result(message.ok)
            case Kind.LEAVE:
                self._accepts = False  # and its number is another worker's
                self._server.leave()
            case Kind.STOP:
                self._server.stop()
            case Kind.PING:
                self._channel.send(Kind.PONG)
            case _:
                pass

    def _lose_parent(self) -> None:
        self._gone.set_result(None)
        if self._release is not None and not self._release.done():
            self._release.set_result(True)
        self._server.drain()


def hand_over(channel: socket.socket, opened: Iterable[socket.socket]) -> None:
    """Tell the parent that this worker can serve; with the listening sockets that it has opened."""
    socket.send_fds(channel, [frame(Message(Kind.LISTENING))], [each.fileno() for each in opened])

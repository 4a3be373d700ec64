"""uvicorn's server with our signals, listener and log.

Long, because starting and stopping are one sequence of steps, and their order is what matters.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator
from typing import Final, cast

import uvicorn
from starlette.applications import Starlette

from gateway import __version__
from gateway.config.settings import ServerSettings
from gateway.server.acceptor import Acceptor, AcceptQueue, Others
from gateway.server.admin import AdminListener
from gateway.server.connection_limit import ConnectionLimit
from gateway.server.lifecycle import Lifecycle
from gateway.server.listener import BACKLOG, address_of, remove_file
from gateway.server.notifier import Manager, Notifier
from gateway.server.protocol import Limits, Protocol
from gateway.telemetry.log import Log
from gateway.telemetry.loop_lag import LoopLag

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
LINGER: Final = 5.0
"""Seconds for callers whose connections are idle to ask once more, where the listener is left to other processes."""
SILENCE: Final = 0.5
"""Seconds for those who have been accepted and have asked nothing yet: their request may be on its way."""
LOOKS: Final = 0.02
"""Seconds between two looks whether everybody has left."""
MAX_CONNECTIONS: Final = 10_000
"""Of callers, unless somebody knows how many descriptors there are."""


class Server(uvicorn.Server):
    """Stops at the first signal, in this order:

    1. From then on `/readyz` says 503, and each answer is the last of its connection; all else goes on for
       `drain_delay` seconds, so that whoever sends callers here hears of it first.
    2. The listener is closed once whoever has connected is accepted, and so are idle connections. The file of a Unix
       socket goes just before it: from then on the path may be another process's.
    3. What was admitted is finished within `drain_timeout`; then whatever is left is given up.

    A second signal ends it at once. Being told to stop is no failure: the process exits with 0.
    """

    def __init__(
        self,
        app: Starlette,
        settings: ServerSettings,
        log: Log,
        *,
        max_connections: int = MAX_CONNECTIONS,
        on_hangup: Callable[[], None] | None = None,
        on_terminate: Callable[[], None] | None = None,
        notifier: Manager | None = None,
        others: Others | None = None,
        keeps_listener: bool = False,
        admin: socket.socket | None = None,
    ) -> None:
        """`on_hangup` is what SIGHUP does, unless it is already stopping; without it SIGHUP ends the process.

        `on_terminate` is what SIGTERM and SIGINT do; without it they stop the server.
        `keeps_listener`: the listener is another process's too, and whoever still waits there is left to the next.
        `admin` is the listening socket for probes and metrics; it is served until the process ends.
        `others`: other processes that accept connections from it at the same time.
        """
        self._lifecycle: Lifecycle = app.state.lifecycle
        connections = ConnectionLimit(max_connections)
        self._limits = Limits.of(settings)
        self._admin = None if admin is None else AdminListener(app.state.admin, admin)
        self._lag = LoopLag()
        app.state.metrics.watch_server(
            draining=lambda: self._lifecycle.draining,
            connections=lambda: len(connections),
            cut_off={"evicted": lambda: connections.evicted, "timeout": lambda: connections.timed_out},
            lag=lambda: self._lag.longest,
        )
        bounds = {"limits": self._limits, "lifecycle": self._lifecycle, "connections": connections}
        super().__init__(
            uvicorn.Config(
                app,
                http=cast("type[Protocol]", functools.partial(Protocol, **bounds)),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
            )
        )
        self._settings = settings
        self._log = log
        self._on_hangup = on_hangup
        self._notifier = notifier or Notifier()
        self._on_terminate = on_terminate or self.stop
        self._keeps_listener = keeps_listener
        self._others = others
        self._acceptors: list[Acceptor] = []
        self._is_leaving = False
        self._early_signals: Callable[[], Collection[int]] = frozenset

    async def serve_on(
        self, listener: socket.socket, *, early_signals: Callable[[], Collection[int]] = frozenset
    ) -> None:
        """Serve until stopped. `early_signals` are those that came before anybody could heed them."""
        self._early_signals = early_signals
        self._log.line("listening", address=address_of(listener), version=__version__)
        beside = [asyncio.create_task(each) for each in (self._feed_watchdog(), self._lag.measure())]
        try:
            await self.serve(sockets=[listener])
        finally:
            for task in beside:
                task.cancel()
        self._log.line("stopped")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._others is None:
            await super().startup(sockets=sockets)
        else:
            await super().startup(sockets=[])
            self._acceptors = [self._acceptor(each, self._others) for each in sockets or ()]
        if self._admin is not None:
            await self._admin.start(self._limits, self._lifecycle)
        if self.started:
            self._notifier.ready()

    async def on_tick(self, counter: int) -> bool:
        if self._others is not None:
            self._others.tell(len(self.server_state.connections))
        return await super().on_tick(counter)

    def _acceptor(self, listener: socket.socket, others: Others) -> Acceptor:
        connections = self.server_state.connections
        return Acceptor(listener, self._protocol(), others, lambda: len(connections))

    def _protocol(self) -> Callable[[], Protocol]:
        make = cast("Callable[..., Protocol]", self.config.http_protocol_class)
        return functools.partial(make, self.config, self.server_state, self.lifespan.state)

    async def _feed_watchdog(self) -> None:
        while (interval := self._notifier.watchdog_interval) is not None:
            self._notifier.alive()
            await asyncio.sleep(interval)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn closes its listener at once, and waits for tasks, which few of our requests have."""
        connections = cast("set[Protocol]", self.server_state.connections)
        if not self._is_leaving:
            await self._for_at_most(self._settings.drain_delay, lambda: False)
            await self._release_listener(sockets or [])
        for each in (*self.servers, *self._acceptors, *(sockets or ())):
            each.close()
        for acceptor in self._acceptors:
            await acceptor.queue.connected()
        await asyncio.sleep(0)  # the protocols of those that have just been accepted are made in the next turn
        if self._is_leaving:
            self._end_with_what_is_under_way()
            longest = max(LINGER, self._settings.drain_delay)  # over which the streams are ended
            await self._for_at_most(longest, lambda: not connections or self._lifecycle.draining)
        await self._finish(connections)
        if self._admin is not None:
            self._admin.close()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _finish(self, connections: Collection[Protocol]) -> None:
        """End every connection, with what was admitted on it if that takes no longer than `drain_timeout`."""
        for connection in list(connections):
            if connection.has_asked:
                connection.shutdown()
        await self._for_at_most(SILENCE, lambda: not connections)
        for connection in list(connections):
            connection.shutdown()
        await self._for_at_most(self._settings.drain_timeout, lambda: not connections)
        for connection in list(connections):
            connection.transport.abort()

    async def _release_listener(self, sockets: list[socket.socket]) -> None:
        if self._others is not None:
            if await self._others.release():
                for acceptor in self._acceptors:
                    acceptor.queue.accept_all()
            return
        for listener in () if self._keeps_listener else sockets:
            remove_file(listener)
            await self._accept_last(listener)

    async def _accept_last(self, listener: socket.socket) -> None:
        """Close the listener, and accept all who wait there just before.

        By way of a copy that the event loop does not know: where callers connect all the time, some wait again
        whenever the loop has accepted, and are lost when it closes the listener.
        """
        with listener.dup() as copy:
            for each in self.servers:
                each.close()
            listener.close()
            queue = AcceptQueue(copy, self._protocol())
            queue.accept_all()
        await queue.connected()

    async def _for_at_most(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Unless a second signal comes."""
        end = time.monotonic() + seconds
        while not self.force_exit and not is_over() and (left := end - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, LOOKS))

    def stop(self) -> None:
        self.force_exit = self._lifecycle.draining
        self._lifecycle.drain()
        self._notifier.stopping()
        self.should_exit = True
        self._end_with_what_is_under_way()

    def drain(self) -> None:
        """Stop, unless that has begun."""
        if not self._lifecycle.draining:
            self.stop()

    def leave(self) -> None:
        """Leave the listener to other processes, which accept connections: each response here is the last of its own.

        Ends when no connection is open. One that is idle is closed after `LINGER` seconds, or after
        `drain_delay` if that is longer. `/readyz` does not change.
        """
        self._is_leaving = True
        self._lifecycle.leave()
        self.should_exit = True
        self._end_with_what_is_under_way()

    def _end_with_what_is_under_way(self) -> None:
        for each in self.server_state.connections:
            cast("Protocol", each).end_with_what_is_under_way()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers = dict.fromkeys(SIGNALS, self._on_terminate)
        if self._on_hangup is not None:
            handlers[signal.SIGHUP] = self._hang_up
        before = {each: signal.getsignal(each) for each in handlers}
        for each, handler in handlers.items():
            loop.add_signal_handler(each, handler)
        for number in self._early_signals():
            handlers.get(signal.Signals(number), self._on_terminate)()
        try:
            yield
        finally:
            for each in handlers:
                loop.remove_signal_handler(each)
                signal.signal(each, before[each])

    def _hang_up(self) -> None:
        if self._on_hangup is not None and not self._lifecycle.draining:
            self._on_hangup()

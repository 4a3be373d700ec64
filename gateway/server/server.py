"""uvicorn's server with our signals, listener and log."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import gc
import signal
import socket
import time
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any, Final, TypeVar, cast

import uvicorn
from starlette.applications import Starlette

from gateway import __version__
from gateway.config.settings import ServerSettings
from gateway.server.admin import AdminListener
from gateway.server.connection_limit import ConnectionLimit
from gateway.server.lifecycle import Lifecycle
from gateway.server.listener import BACKLOG, address_of, has_pending, remove_file
from gateway.server.notifier import Notifier
from gateway.server.protocol import Limits, Protocol
from gateway.telemetry.log import Log
from gateway.telemetry.loop_lag import LoopLag

T = TypeVar("T")
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
GRACE: Final = 0.1
"""Seconds for who has come before the listener was closed, to say what it wants."""
LOOKS: Final = 0.02
"""Seconds between two looks whether everybody has left."""
MAX_CONNECTIONS: Final = 10_000
"""Of callers, unless somebody knows how many descriptors there are."""
M_MMAP_THRESHOLD: Final = -3
"""The parameter's number in glibc's malloc.h."""
MMAP_THRESHOLD: Final = 64 * 1024
COLLECTED: Final = (10_000, 20, 50)
"""So many more objects than before, and the young ones are looked at; every so many times those that were left."""


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
        notifier: Notifier | None = None,
        keeps_listener: bool = False,
        admin: socket.socket | None = None,
    ) -> None:
        """`on_hangup` is what SIGHUP does, unless it is already stopping; without it SIGHUP ends the process.

        `keeps_listener`: the listener is another process's too, and whoever still waits there is left to the next.
        `admin` is the listening socket for probes and metrics; it is served until the process ends.
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
        self._keeps_listener = keeps_listener
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
        await super().startup(sockets=sockets)
        if self._admin is not None:
            await self._admin.start(self._limits, self._lifecycle)
        if self.started:
            self._notifier.ready()

    async def _feed_watchdog(self) -> None:
        while (interval := self._notifier.watchdog_interval) is not None:
            self._notifier.alive()
            await asyncio.sleep(interval)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn closes its listener at once, and waits for tasks, which few of our requests have."""
        await self._for_at_most(self._settings.drain_delay, lambda: False)
        for listener in () if self._keeps_listener else sockets or ():
            remove_file(listener)
            await self._for_at_most(GRACE, functools.partial(_has_accepted_all, listener))
        for each in (*self.servers, *(sockets or ())):
            each.close()
        connections = cast("set[Protocol]", self.server_state.connections)
        for connection in list(connections):
            if connection.has_asked:
                connection.shutdown()
        await self._for_at_most(GRACE, lambda: not connections)
        for connection in list(connections):
            connection.shutdown()
        await self._for_at_most(self._settings.drain_timeout, lambda: not connections)
        for connection in list(connections):
            connection.transport.abort()
        if self._admin is not None:
            self._admin.close()
        if not self.force_exit:
            await self.lifespan.shutdown()

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
        for each in self.server_state.connections:
            cast("Protocol", each).end_with_what_is_under_way()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers = dict.fromkeys(SIGNALS, self.stop)
        if self._on_hangup is not None:
            handlers[signal.SIGHUP] = self._hang_up
        before = {each: signal.getsignal(each) for each in handlers}
        for each, handler in handlers.items():
            loop.add_signal_handler(each, handler)
        for number in self._early_signals():
            handlers.get(signal.Signals(number), self.stop)()
        try:
            yield
        finally:
            for each in handlers:
                loop.remove_signal_handler(each)
                signal.signal(each, before[each])

    def _hang_up(self) -> None:
        if self._on_hangup is not None and not self._lifecycle.draining:
            self._on_hangup()


def _give_memory_back() -> None:
    """Let large pieces go back to the system as soon as they are freed (glibc's mallopt).

    By default the size from which that is so grows with the largest that was freed: what a flood of requests took, a
    few hundred kilobytes for each connection, would be kept for good.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD)


def _has_accepted_all(listener: socket.socket) -> bool:
    return not has_pending(listener)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on the server's event loop (uvloop), and return what `main` does.

    What was made until now stays for as long as the process does. What requests leave goes without the collector, so
    that it runs seldom: as it is set by default, it takes a sixth of a lookup's time, and a third of one alone.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    _give_memory_back()
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()) as runner:
        return runner.run(main)

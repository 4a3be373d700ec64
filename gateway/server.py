"""uvicorn as we need it: our signals, our listener, our log."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar

import uvicorn
from starlette.applications import Starlette

from gateway import __version__
from gateway.lifecycle import Lifecycle
from gateway.protocol import Protocol
from gateway.settings import ServerSettings
from gateway.telemetry.log import Log

T = TypeVar("T")
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
BACKLOG: Final = 2048
COLLECTED: Final = (10_000, 20, 50)
"""So many more objects than before, and the young ones are looked at; every so many times those that were left."""


class Server(uvicorn.Server):
    """Stops at the first signal: nothing new is accepted, what was admitted is finished within `drain_timeout`.

    A second signal ends it at once. Being told to stop is no failure: the process exits with 0.
    """

    def __init__(
        self,
        app: Starlette,
        settings: ServerSettings,
        log: Log,
        *,
        on_hangup: Callable[[], None] | None = None,
    ) -> None:
        """`on_hangup` is what SIGHUP does, unless it is already stopping; without it SIGHUP ends the process."""
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=math.ceil(settings.drain_timeout),
            )
        )
        self._lifecycle: Lifecycle = app.state.lifecycle
        self._log = log
        self._on_hangup = on_hangup

    async def serve_on(self, listener: socket.socket) -> None:
        """Serve until stopped."""
        host, port = listener.getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._log.line("listening", address=address, version=__version__)
        await self.serve(sockets=[listener])
        self._log.line("stopped")

    def stop(self) -> None:
        self.force_exit = self._lifecycle.draining
        self._lifecycle.draining = True
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers = dict.fromkeys(SIGNALS, self.stop)
        if self._on_hangup is not None:
            handlers[signal.SIGHUP] = self._hang_up
        for each, handler in handlers.items():
            loop.add_signal_handler(each, handler)
        try:
            yield
        finally:
            for each in handlers:
                loop.remove_signal_handler(each)

    def _hang_up(self) -> None:
        if self._on_hangup is not None and not self._lifecycle.draining:
            self._on_hangup()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError with the system's own words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except socket.gaierror:
        raise
    except OSError as error:  # whose text repeats the address
        raise OSError(error.errno, os.strerror(error.errno or 0)) from error


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on the server's event loop (uvloop), and return what `main` does.

    What was made until now stays for as long as the process does. What requests leave goes without the collector, so
    that it runs seldom: as it is set by default, it takes a sixth of a lookup's time, and a third of one alone.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED)
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()) as runner:
        return runner.run(main)

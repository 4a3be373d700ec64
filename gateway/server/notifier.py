"""Tells systemd how the process is doing, over the socket that `NOTIFY_SOCKET` names: sd_notify(3)'s protocol."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from typing import Final, Protocol

NONE: Final[Mapping[str, str]] = {}


class Manager(Protocol):
    """Who is told of the life of a server: the service manager, or the parent of several workers."""

    @property
    def watchdog_interval(self) -> float | None:
        """Seconds between two signs of life; None if nobody waits for one."""
        ...

    def ready(self) -> None:
        """Starting is over, and requests are accepted."""
        ...

    def stopping(self) -> None:
        """The server has been told to stop."""
        ...

    def alive(self) -> None:
        """The event loop runs."""
        ...


class Notifier:
    """Sends the state of the process to the service manager. Without one, it does nothing."""

    def __init__(self, environ: Mapping[str, str] = NONE) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._is_ready = False
        self._is_stopping = False
        self.watchdog_interval = _watchdog_interval(environ) if address else None
        """Seconds between two signs of life, half of what the manager waits for one; None if it waits for none."""

    def ready(self) -> None:
        """Starting is over, and requests are accepted."""
        self._is_ready = True
        self._send("READY=1")

    def reloading(self) -> None:
        """A reload has begun. `reloaded` must follow. A process that is still starting says nothing of it."""
        if self._is_ready and not self._is_stopping:
            self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def reloaded(self) -> None:
        """The reload is over, whether it succeeded or not."""
        if self._is_ready and not self._is_stopping:
            self._send("READY=1")

    def stopping(self) -> None:
        """The process has been told to stop."""
        if not self._is_stopping:
            self._is_stopping = True
            self._send("STOPPING=1")

    def alive(self) -> None:
        """The event loop runs."""
        self._send("WATCHDOG=1")

    def _send(self, state: str) -> None:
        """Never waits and never fails: a manager that does not listen is no reason to stop serving."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(state.encode(), self._address)


def _watchdog_interval(environ: Mapping[str, str]) -> float | None:
    microseconds = environ.get("WATCHDOG_USEC", "")
    is_meant = environ.get("WATCHDOG_PID") in {None, str(os.getpid())}
    return int(microseconds) / 2_000_000 if is_meant and microseconds.isdecimal() and int(microseconds) else None

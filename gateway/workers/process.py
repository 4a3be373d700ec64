"""One worker as its parent sees it: how it is started, what it is told, and how it ended."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol

from gateway.telemetry.worker_metrics import Snapshot
from gateway.workers.balance import Balance
from gateway.workers.channel import Channel, Kind, Message, frame

MODULE: Final = "gateway.cli.worker"
NOT_FOR_WORKERS: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
"""Variables that are meant for the process that the service manager has started."""


class Gone(Exception):
    """The worker has ended instead of answering."""


class Parent(Protocol):
    """What a worker can ask of its parent."""

    async def scrape(self) -> Snapshot:
        """The metrics of all workers."""
        ...

    def release(self) -> bool:
        """The worker is about to close its listener. Returns whether no worker will accept what still waits there."""
        ...

    def replace(self, worker: Worker) -> None:
        """Somebody has asked this worker to stop."""
        ...

    def has_become_ready(self) -> None:
        """A worker accepts connections from now on."""
        ...

    def has_ended(self, worker: Worker) -> None:
        """This worker is gone."""
        ...


class Worker:
    """A process that has been started; `attend` must follow."""

    def __init__(self, number: int, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self.number = number
        self.process = process
        self.pings = 0
        """sent and not yet answered"""
        self.metrics: Snapshot = ()
        """as it last told them"""
        self.is_leaving = False
        self.exit_code: int | None = None
        """negative: the signal that ended it"""
        self._started_at = time.monotonic()
        self.ready: asyncio.Future[None]
        self.ended: asyncio.Future[None]
        """done when the process is gone and all that it sent has been read"""
        self.socket = channel
        self._is_silent = False
        self._channel: Channel | None = None
        self._answers: dict[Kind, list[asyncio.Future[Message]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_ready(self) -> bool:
        """Whether it has been, at any time."""
        return self.ready.done() and not self.ready.cancelled()

    @property
    def stays(self) -> bool:
        """Whether it runs and is meant to go on."""
        return self.exit_code is None and not self.is_leaving

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started_at

    async def attend(self, parent: Parent) -> None:
        """Listen to it from now on, in this event loop."""
        loop = asyncio.get_running_loop()
        self._parent = parent
        self.ready, self.ended = loop.create_future(), loop.create_future()
        self._channel = await Channel.over(self.socket, self._receive, self._fall_silent)

    def send(self, kind: Kind, *, ok: bool = True, metrics: Snapshot = ()) -> None:
        """Never waits."""
        if self._channel is None:  # it has hardly been started, and the socket's buffer is empty
            self.socket.send(frame(Message(kind, ok=ok, metrics=metrics)))
        else:
            self._channel.send(kind, ok=ok, metrics=metrics)

    async def ask(self, kind: Kind, answer: Kind) -> Message:
        """Send this and wait for the answer. Raises Gone."""
        if self.ended.done():
            raise Gone
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers.setdefault(answer, []).append(waiting)
        self.send(kind)
        return await waiting

    async def until_ready(self) -> None:
        """Raises Gone if it ends first."""
        await asyncio.wait([self.ready, self.ended], return_when=asyncio.FIRST_COMPLETED)
        if not self.is_ready:
            raise Gone

    def reaped(self, exit_code: int) -> None:
        """The process has ended."""
        self.exit_code = self.process.returncode = exit_code
        self._end_if_gone()

    def _fall_silent(self) -> None:
        self._is_silent = True
        self._end_if_gone()

    def _end_if_gone(self) -> None:
        if not self._is_silent or self.exit_code is None:
            return
        self.ended.set_result(None)
        for each in self._answers.values():
            for waiting in each:
                if not waiting.done():
                    waiting.set_exception(Gone())
        self._answers.clear()
        self._parent.has_ended(self)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """As SIGTERM does to a single process, at whatever point of its life it is."""
        self.send(Kind.STOP)
        if not self.is_ready:  # nor does it read the channel before
            self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.exit_code is None:  # no other process has its id
            os.kill(self.process.pid, number)

    def _receive(self, message: Message) -> None:
        match message.kind:
            case Kind.READY:
                self.ready.set_result(None)
                self._parent.has_become_ready()
            case Kind.PONG:
                self.pings = 0
            case Kind.MEASURED:
                self.metrics = message.metrics
            case Kind.ASKED_TO_STOP:
                self._parent.replace(self)
            case Kind.CLOSING:
                self.send(Kind.RELEASED, ok=self._parent.release())
            case Kind.SCRAPE:
                self._soon(self._total())
            case _:
                pass
        for waiting in self._answers.pop(message.kind, ()):
            if not waiting.done():
                waiting.set_result(message)

    async def _total(self) -> None:
        self.send(Kind.TOTAL, metrics=await self._parent.scrape())

    def _soon(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Listeners(NamedTuple):
    """The listening sockets that all workers share."""

    listener: socket.socket | None = None
    admin: socket.socket | None = None
    """for probes and metrics alone"""


Spawn = Callable[[int, Listeners], Worker]


def spawner(workers: int, balance: Balance, arguments: Sequence[str], key: bytes) -> Spawn:
    """A function that starts worker `number` with these listeners, or with none, which it then opens and hands over.

    `key` keys the hashes in the log where the configuration has no key: it is the same in all workers.
    """
    # A worker finds its modules as this process did: `-m` looks in the working directory, a script does not.
    unsafe = [] if sys.modules["__main__"].__spec__ is not None else ["-P"]
    environ = {name: value for name, value in os.environ.items() if name not in NOT_FOR_WORKERS}

    def spawn(number: int, listeners: Listeners) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.set_inheritable(True)
            passed = [theirs.fileno(), balance.descriptor, *(each.fileno() for each in listeners if each is not None)]
            command = [sys.executable, *unsafe, "-m", MODULE, f"--number={number}", f"--workers={workers}"]
            command += [f"--channel={theirs.fileno()}", f"--balance={balance.descriptor}"]
            for option, listener in listeners._asdict().items():
                if listener is not None:
                    command.append(f"--{option}={listener.fileno()}")
            # A group of its own: what the terminal sends to all (Ctrl+C) reaches a worker through its parent alone.
            process = subprocess.Popen(  # noqa: S603  this program
                [*command, *arguments], pass_fds=passed, env=environ, process_group=0
            )
        ours.sendall(frame(Message(Kind.WELCOME, key=key)))
        return Worker(number, process, ours)

    return spawn

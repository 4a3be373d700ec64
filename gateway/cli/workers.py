"""`serve --workers N`: the parent, which imports nothing of what its workers run."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from pathlib import Path

from gateway.cli import early_signals
from gateway.cli.output import NO, stop
from gateway.server.activation import inherited_listener
from gateway.server.notifier import Notifier
from gateway.workers.balance import Balance
from gateway.workers.channel import receive
from gateway.workers.log import ParentLog
from gateway.workers.process import Listeners, spawner
from gateway.workers.supervisor import Supervisor

KEY_BYTES = 32


def run_workers(config: Path | None, workers: int) -> int:
    """Run so many workers until this process is told to stop, and return its exit code.

    The first worker reads the configuration and opens the listener: what is wrong with either, it says, and its exit
    code is this one's.
    """
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # until it is handled; in workers, for good
    try:
        inherited = inherited_listener(os.environ)
    except OSError as error:
        stop(f"server: can't use the socket that was passed: {error.strerror}", NO)
    arguments = [] if config is None else [f"--config={config}"]
    balance = Balance.create(workers)
    spawn = spawner(workers, balance, arguments, secrets.token_bytes(KEY_BYTES))
    first = spawn(1, Listeners(inherited))
    try:
        _, descriptors = receive(first.socket)
    except EOFError:
        return max(first.process.wait(), 0) or NO
    opened = [socket.socket(fileno=each) for each in descriptors]
    listeners = Listeners(*opened) if inherited is None else Listeners(inherited, *opened)
    supervisor = Supervisor(
        spawn,
        workers,
        listeners,
        balance=balance,
        notifier=Notifier(os.environ),
        log=ParentLog(),
        keeps_listener=inherited is not None,
    )
    early_signals.hand_over()
    code = asyncio.run(supervisor.run(first, early_signals.came))
    early_signals.ignore()
    return code

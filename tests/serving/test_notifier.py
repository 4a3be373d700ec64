"""The states that a service manager is told, over a real socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from adapters.simulation import serving, simulator
from gateway.server.notifier import Notifier
from tests.serving.test_process import LONGEST, Process, started


class Manager:
    """The receiving end: what systemd hears."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(path)
        self.heard: list[str] = []

    def close(self) -> None:
        self._socket.close()

    def read(self) -> list[str]:
        """All that has come, each state without its further fields."""
        try:
            while True:
                self.heard.append(self._socket.recv(4096).decode().splitlines()[0])
        except BlockingIOError:
            return self.heard

    async def until(self, *states: str) -> None:
        """Wait until these have come, and nothing else."""
        async with asyncio.timeout(LONGEST):
            while len(self.read()) < len(states):  # noqa: ASYNC110  another process has no event
                await asyncio.sleep(0.01)
        assert self.heard == list(states)


@contextmanager
def manager(path: str) -> Iterator[Manager]:
    one = Manager(path)
    try:
        yield one
    finally:
        one.close()


@asynccontextmanager
async def managed(
    port: int, folder: Path, monkeypatch: pytest.MonkeyPatch, **environ: str
) -> AsyncIterator[tuple[Manager, Process]]:
    path = str(folder / "notify")
    for name, value in {"NOTIFY_SOCKET": path, **environ}.items():
        monkeypatch.setenv(name, value)
    async with serving(simulator("symphony")) as pod_url:
        with manager(path) as systemd:
            async with started(port, pod_url, folder) as gateway:
                yield systemd, gateway


async def test_a_process_tells_of_its_start_its_reloads_and_its_end(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(port, tmp_path, monkeypatch) as (systemd, gateway):
        await systemd.until("READY=1")
        gateway.signal(signal.SIGHUP)
        await systemd.until("READY=1", "RELOADING=1", "READY=1")
        (tmp_path / "gateway.config.toml").write_text("[server")
        gateway.signal(signal.SIGHUP)
        await systemd.until("READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1")
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0
        assert systemd.read()[5:] == ["STOPPING=1"]


async def test_a_watchdog_is_fed(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with managed(port, tmp_path, monkeypatch, WATCHDOG_USEC="20000") as (systemd, gateway):
        async with asyncio.timeout(LONGEST):
            while systemd.read().count("WATCHDOG=1") < 3:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.01)
        assert "READY=1" in systemd.heard
        gateway.signal(signal.SIGSTOP)
        await asyncio.sleep(0.1)
        before = len(systemd.read())
        await asyncio.sleep(0.2)
        assert len(systemd.read()) == before
        gateway.signal(signal.SIGCONT)
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0


def test_an_address_may_be_abstract() -> None:
    name = f"gateway-test-{os.getpid()}"
    with manager(f"\0{name}") as systemd:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert systemd.read() == ["READY=1"]


def test_nothing_is_said_of_a_reload_before_the_start_is_over_nor_after_the_end_has_begun(tmp_path: Path) -> None:
    with manager(str(tmp_path / "notify")) as systemd:
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        notifier.reloading()
        notifier.reloaded()
        notifier.ready()
        notifier.reloading()
        notifier.stopping()
        notifier.reloaded()
        notifier.stopping()
        assert systemd.read() == ["READY=1", "RELOADING=1", "STOPPING=1"]


def test_a_manager_that_is_gone_or_does_not_read_stops_nothing(tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    notifier.ready()
    with manager(str(tmp_path / "notify")):
        for _ in range(10_000):
            notifier.alive()


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_half_of_what_the_watchdog_waits(environ: dict[str, str], interval: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/run/notify", **environ}).watchdog_interval == interval
    assert Notifier(environ).watchdog_interval is None

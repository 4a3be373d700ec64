"""A gateway and simulated platforms, each in a process of its own on a real port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from gateway.cli.probe import wait_until_ready
from tests.gateways import KEY

COMMAND: Final = (sys.executable, "-m", "gateway")
LONGEST: Final = 60.0
"""Seconds that a start or an end may take."""


class Platform:
    """A simulator's address, and its control calls."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def misbehave(self, **fault: Any) -> None:
        (await self._client.put(f"{self.url}/_simulator/faults", json=fault)).raise_for_status()

    async def behave(self) -> None:
        (await self._client.delete(f"{self.url}/_simulator/faults")).raise_for_status()

    async def know(self, viewer: int, user: int) -> None:
        """That there are these two, who have nothing to do with each other."""
        where = f"{self.url}/_simulator/connections/{viewer}/{user}"
        (await self._client.put(where, json={"status": None})).raise_for_status()

    async def calls(self) -> int:
        return int((await self._client.get(f"{self.url}/_simulator/calls")).json()["calls"])


@asynccontextmanager
async def simulated(adapter: str) -> AsyncIterator[Platform]:
    process = await asyncio.create_subprocess_exec(*COMMAND, "simulate", adapter, "--port", "0", stdout=PIPE)
    try:
        assert process.stdout is not None
        said = (await asyncio.wait_for(process.stdout.readline(), LONGEST)).decode()
        async with httpx.AsyncClient() as client:
            yield Platform(said.partition(" at ")[2].partition(". ")[0], client)
    finally:
        await _end(process)


class Running:
    """A gateway: where it is, what it takes, and what it wrote."""

    def __init__(self, process: Process, port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def memory(self) -> float:
        """Resident, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit code."""
        self.process.send_signal(how)
        return await asyncio.wait_for(self.process.wait(), LONGEST)


@asynccontextmanager
async def gateway(
    folder: Path,
    port: int,
    platforms: Mapping[str, str],
    each: str = "",
    more: str = "",
    *,
    prefix: Sequence[str] = (),
    log_to: int | None = None,
    **server: object,
) -> AsyncIterator[Running]:
    """In front of a pod (`acme`), a community (`club`), or one whose callers bring tokens (`guild`), at these URLs.

    `each` is more of their tables, and `more` tables beside. `prefix` is a command that runs it, and `log_to` a
    descriptor for its log in place of a file.
    """
    (folder / "acme.pem").write_text(KEY)
    (folder / "acme.pem").chmod(0o600)
    (folder / "club").write_text("demo")
    (folder / "club").chmod(0o600)
    credentials = {
        "acme": '"symphony"\ncredentials = { mode = "bot", username = "demo", private_key_file = "acme.pem" }',
        "club": '"selfcommunity"\ncredentials = { mode = "token", token_file = "club" }',
        "guild": '"selfcommunity"\ncredentials = { mode = "caller" }',
    }
    tables = [
        f"[platforms.{name}]\nbase_url = '{url}'\nadapter = {credentials[name]}\n{each}"
        for name, url in platforms.items()
    ]
    lines = "\n".join(f"{key} = {value}" for key, value in server.items())
    (folder / "gateway.toml").write_text(f"[server]\nport = {port}\n{lines}\n" + "\n".join((*tables, more)))
    log = folder / "gateway.log"
    with log.open("ab") as written:
        process = await asyncio.create_subprocess_exec(
            *prefix,
            *COMMAND,
            "serve",
            "--config",
            str(folder / "gateway.toml"),
            stderr=written if log_to is None else log_to,
        )
    address = str(server["socket"]).strip("'") if "socket" in server else ("127.0.0.1", port)
    try:
        ready = await asyncio.to_thread(wait_until_ready, address, LONGEST)
        assert ready, log.read_text()
        yield Running(process, port, log)
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()

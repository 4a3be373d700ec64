"""A gateway of several workers as processes, and callers that ask it all the time."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.auth.callers import key_digest
from tests.canary import on_duty
from tests.faults.live.callers import Answer, Caller
from tests.gateways import KEY, key_of
from tests.serving.test_process import COMMAND, LONGEST

ASKED: Final = "/v1/connections/acme/101"
CALLERS: Final = 4
"""That ask at the same time."""
COUNTED: Final = re.compile(r"^http_server_request_duration_seconds_count\{.*\} (\S+)$", re.MULTILINE)


def configuration(port: int, pod_url: str, *, more: str = "", keys: tuple[str, ...] = ("web",)) -> str:
    callers = "".join(f'\n[[callers]]\nname = "{key}"\nkey_sha256 = "{key_digest(key_of(key))}"' for key in keys)
    return f"""
        [server]
        port = {port}
        request_timeout = 5.0
        {more}
        {callers}
        [platforms.acme]
        adapter = "symphony"
        base_url = "{pod_url}"
        credentials = {{ mode = "bot", username = "demo", private_key_file = "acme.pem" }}
    """


class Group:
    """A parent with its workers, once they accept connections."""

    def __init__(self, process: asyncio.subprocess.Process, address: int | str, file: Path, log: Path) -> None:
        self.process = process
        self.address = address
        self.file = file
        """the configuration"""
        self._log = log
        self.metrics_port: int | None = None
        """where it is not that of the API"""

    @property
    def port(self) -> int:
        assert isinstance(self.address, int)
        return self.address

    def lines(self) -> list[dict[str, Any]]:
        """What has been logged so far."""
        written = self._log.read_bytes().splitlines(keepends=True)
        return [msgspec.json.decode(line) for line in written if line.startswith(b"{") and line.endswith(b"\n")]

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    def pids(self) -> list[int]:
        """The processes of the workers."""
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def signal_to(self, pid: int, number: signal.Signals) -> None:
        """To one of its workers."""
        assert pid in self.pids()
        os.kill(pid, number)

    def alive(self, pids: Iterable[int]) -> list[int]:
        """Those of these processes that exist."""
        return [pid for pid in pids if Path(f"/proc/{pid}").exists()]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(LONGEST):
            while not is_so():  # noqa: ASYNC110  other processes have no event
                await asyncio.sleep(0.02)

    async def until_logged(self, event: str, times: int) -> None:
        await self.until(lambda: len(self.logged(event)) >= times)

    async def get(self, path: str = ASKED, *, key: str = "web") -> Answer:
        """Over a connection of its own, which any worker may accept."""
        caller = Caller(self.address)
        try:
            return await caller.get(path, f"X-API-Key: {key_of(key)}")
        finally:
            caller.close()

    async def counted(self) -> float:
        """The requests that have been counted, as one of the workers tells."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.metrics_port or self.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert text.startswith("HTTP/1.1 200 "), text
        return sum(map(float, COUNTED.findall(text)))

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), LONGEST)


@asynccontextmanager
async def asking(group: Group, answers: list[str]) -> AsyncIterator[None]:
    """Callers that ask all the time, half of them over one connection each; until the gateway refuses connections."""
    done = asyncio.Event()

    async def ask(*, keeps_connection: bool) -> None:
        caller = Caller(group.address)
        while not done.is_set():
            answers.append((await caller.get(ASKED, f"X-API-Key: {key_of('web')}")).kind)
            if not keeps_connection:
                caller.close()
            if answers[-1] == "refused":
                return
        caller.close()

    callers = [asyncio.create_task(ask(keeps_connection=number % 2 == 0)) for number in range(CALLERS)]

    async def more() -> None:
        before = len(answers)
        async with asyncio.timeout(LONGEST):
            while len(answers) < before + 5 * CALLERS and not all(each.done() for each in callers):  # noqa: ASYNC110  they add to it
                await asyncio.sleep(0.01)

    await more()
    try:
        yield
        await more()
    finally:
        done.set()
        await asyncio.wait_for(asyncio.gather(*callers), LONGEST)


@asynccontextmanager
async def workers(
    folder: Path, configured: str, address: int | str, *, count: int = 2, listening: int = 2, **environ: str
) -> AsyncIterator[Group]:
    """A group, once so many workers have told of themselves in the log."""
    file, log = folder / "gateway.toml", folder / "gateway.log"
    (folder / "acme.pem").write_text(KEY)
    (folder / "acme.pem").chmod(0o600)
    file.write_text(configured)
    with log.open("ab") as written:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "serve", "--config", str(file), "--workers", str(count)),
            stdin=subprocess.DEVNULL,
            stderr=written,
            env={**os.environ, **environ},
        )
    group = Group(process, address, file, log)
    try:
        await group.until(lambda: len(group.logged("listening")) == listening or process.returncode is not None)
        assert process.returncode is None, log.read_text()
        yield group
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
        on_duty().read(log.read_text(), "what processes wrote")

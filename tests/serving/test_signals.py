"""Signals at the edges of a process's life: while it is starting, and while it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from adapters.simulation import serving, simulator
from tests.serving.test_process import COMMAND, LONGEST, started

CONFIGURATION = """
    [server]
    port = {port}
    [platforms.acme]
    adapter = "symphony"
    base_url = "http://127.0.0.1:9"
    credentials = {{ mode = "caller" }}
"""


async def starting(folder: Path, port: int) -> asyncio.subprocess.Process:
    """A process that has run its first line of ours, and no more for sure."""
    (folder / "gateway.toml").write_text(CONFIGURATION.format(port=port))
    environ = os.environ | {"GATEWAY_CONFIG": str(folder / "gateway.toml")}
    process = await asyncio.create_subprocess_exec(*COMMAND, "serve", stderr=subprocess.PIPE, env=environ)
    async with asyncio.timeout(LONGEST):
        while not _catches(process.pid, signal.SIGHUP):  # noqa: ASYNC110  another process has no event
            await asyncio.sleep(0)
    return process


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for this signal, as the kernel tells."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line.split()[1] for line in lines if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


async def test_a_hangup_while_starting_is_heeded_once_it_serves(port: int, tmp_path: Path) -> None:
    process = await starting(tmp_path, port)
    for _ in range(3):
        process.send_signal(signal.SIGHUP)
    lines: list[dict[str, str]] = []
    async with asyncio.timeout(LONGEST):
        assert process.stderr is not None
        while not lines or lines[-1]["event"] != "reloaded":
            lines.append(msgspec.json.decode(await process.stderr.readline()))
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/livez")).status_code == 200
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0
    assert [line["event"] for line in lines] == ["listening", "reloaded"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_being_told_to_stop_while_starting_is_no_failure(
    number: signal.Signals, port: int, tmp_path: Path
) -> None:
    """At any moment between the first line of ours and serving: at some of them, the port is open already."""
    codes = []
    for wait in range(8):
        process = await starting(tmp_path, port)
        async with asyncio.timeout(LONGEST):
            while not _catches(process.pid, signal.SIGTERM):  # noqa: ASYNC110  as above
                await asyncio.sleep(0)
        await asyncio.sleep(wait * 0.06)
        process.send_signal(number)
        await asyncio.wait_for(process.communicate(), LONGEST)
        codes.append(process.returncode)
    assert codes == [0] * len(codes)


async def test_more_signals_at_the_end_change_nothing(port: int, tmp_path: Path) -> None:
    async with serving(simulator("symphony")) as pod_url, started(port, pod_url, tmp_path) as gateway:
        while gateway.process.returncode is None:
            for number in (signal.SIGHUP, signal.SIGTERM):
                with contextlib.suppress(ProcessLookupError):  # send_signal would reap it, and asyncio miss its code
                    os.kill(gateway.process.pid, number)
            await asyncio.sleep(0.001)
        assert await gateway.ended() == 0


def test_the_start_of_serve_can_be_ended_before_anything_slow_is_imported() -> None:
    """As the first process of a container, which the kernel spares every signal that it has no handler for."""
    code = """
import signal, sys
sys.argv[1:] = ["serve"]
from gateway import cli
class Stop:
    def find_spec(self, name, *_rest):
        if name == "gateway.cli.commands":
            assert signal.getsignal(signal.SIGTERM).__module__ == "gateway.cli.early_signals"
            assert "click" not in sys.modules
            signal.raise_signal(signal.SIGTERM)
sys.meta_path.insert(0, Stop())
cli.run()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=LONGEST, check=False)  # noqa: S603
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_command_may_be_called_from_another_thread() -> None:
    """By a program that has imported it before, when handlers could still be set."""
    code = """
import threading
from gateway.cli import early_signals
from gateway.cli.commands import main
early_signals.defer()
ended = []
called = threading.Thread(target=lambda: ended.append(main(["hash-key", "--help"], standalone_mode=False)))
called.start()
called.join()
assert len(ended) == 1
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=LONGEST, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, b"")

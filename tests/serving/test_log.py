"""The log of a real process, whatever its standard error is: full, closed, or set to non-blocking by somebody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import msgspec
import pytest

from adapters.simulation import Simulator, serving, simulator
from adapters.simulation.faults import Fault
from tests.gateways import KEY
from tests.serving.test_process import ASKED, BOT, COMMAND, LONGEST, until

REQUESTS = 12_000
"""Lines of which are more than a pipe and the queue hold together."""


@asynccontextmanager
async def served(
    port: int, folder: Path, stderr: int | IO[bytes], prefix: tuple[str, ...] = ()
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient, Simulator]]:
    """A gateway over a simulated pod, once it answers."""
    pod = simulator("symphony")
    async with serving(pod) as url:
        (folder / "acme.pem").write_text(KEY)
        (folder / "acme.pem").chmod(0o600)
        (folder / "gateway.toml").write_text(
            f'server = {{ port = {port} }}\n[platforms.acme]\nadapter = "symphony"\nbase_url = "{url}"\n'
            f"credentials = {{ {BOT} }}\n"
        )
        environ = os.environ | {"GATEWAY_CONFIG": str(folder / "gateway.toml")}
        process = await asyncio.create_subprocess_exec(*prefix, *COMMAND, "serve", stderr=stderr, env=environ)
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST) as client:
                async with asyncio.timeout(LONGEST):
                    while True:
                        with contextlib.suppress(httpx.TransportError):
                            await client.get("/livez")
                            break
                        await asyncio.sleep(0.02)
                yield process, client, pod
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def flood(port: int, requests: int) -> None:
    """So many lines, over one connection, and every answer read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answered = 0
    for _ in range(requests // 100):
        writer.write(request * 100)
        while answered < 100:
            answered += (await asyncio.wait_for(reader.readuntil(b"/problems/not-found"), LONGEST)).count(
                b"/problems/not-found"
            )
        answered = 0
    writer.close()


async def dropped(client: httpx.AsyncClient) -> int:
    found = re.search(
        r"^connection_gateway_log_lines_dropped_total (\S+)$", (await client.get("/metrics")).text, re.MULTILINE
    )
    assert found is not None
    return int(float(found[1]))


async def test_a_log_that_nobody_reads_holds_up_nothing(port: int, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        async with served(port, tmp_path, writing) as (process, client, _):
            await flood(port, REQUESTS)
            assert await dropped(client) > 0
            assert (await client.get(ASKED)).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), LONGEST) == 0
    finally:
        os.close(writing)
        os.close(reading)


async def test_what_was_dropped_is_said_once_there_is_room(port: int, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    async with served(port, tmp_path, writing) as (process, client, _):
        os.close(writing)
        await flood(port, REQUESTS)
        missing = await dropped(client)
        lines: list[dict[str, Any]] = []

        def read() -> None:
            with os.fdopen(reading, "rb") as log:
                lines.extend(msgspec.json.decode(line) for line in log)

        task = asyncio.create_task(asyncio.to_thread(read))
        async with asyncio.timeout(LONGEST):
            while not any(line["event"] == "log-lines-dropped" for line in lines):  # noqa: ASYNC110  another thread
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), LONGEST)
        await task
    said = [line["lines"] for line in lines if line["event"] == "log-lines-dropped"]
    assert sum(said) >= missing
    requests = [line for line in lines if line.get("problem") == "not-found"]
    assert len(requests) + sum(said) >= REQUESTS
    assert lines[-1]["event"] == "stopped"


@pytest.mark.parametrize("closed", ["2>&-", "1>&-", "0<&- 1>&- 2>&-"])
async def test_without_standard_streams_it_runs(port: int, tmp_path: Path, closed: str) -> None:
    shell = ("sh", "-c", f'exec "$@" {closed}', "sh")
    async with served(port, tmp_path, subprocess.DEVNULL, shell) as (process, client, _):
        assert (await client.get(ASKED)).json()["status"] == "none"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), LONGEST) == 0


@pytest.mark.parametrize("words", [["openapi"], ["hash-key", "x"], ["demo", "--check"], ["lookup", "--help"]])
def test_no_command_needs_standard_error(words: list[str]) -> None:
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, *words]
    assert subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout  # noqa: S603  ours


async def test_lines_are_whole_on_a_descriptor_that_somebody_set_to_non_blocking(port: int, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    async with served(port, tmp_path, writing) as (process, _, _):
        os.close(writing)
        await flood(port, 3000)
        with os.fdopen(reading, "rb") as log:
            task = asyncio.create_task(asyncio.to_thread(log.readlines))
            process.send_signal(signal.SIGTERM)
            lines = await asyncio.wait_for(task, LONGEST)
            await process.wait()
    events = [msgspec.json.decode(line)["event"] for line in lines]
    assert events.count("request") >= 3000


async def test_an_action_stands_in_the_log_before_it_is_sent(port: int, tmp_path: Path) -> None:
    """Killed while the platform has it, the process leaves a line behind that says who did what."""
    with (tmp_path / "log").open("wb") as log:
        async with served(port, tmp_path, log) as (process, client, pod):
            pod.misbehave(Fault(path="/accept", delay=LONGEST, apply=True))
            acting = asyncio.create_task(client.post("/v1/connections/acme/102/accept"))
            while pod.platform.connection(1, 102) != "ACCEPTED":  # noqa: ASYNC110
                await asyncio.sleep(0)
            process.kill()
            await process.wait()
            with contextlib.suppress(httpx.TransportError):
                await acting
    lines = [msgspec.json.decode(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    (audit,) = [line for line in lines if line["event"] == "audit"]
    assert (audit["action"], audit["outcome"], audit["platform"]) == ("accept", "begun", "acme")


async def test_a_log_that_nobody_reads_holds_up_no_action(port: int, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        async with served(port, tmp_path, writing) as (_, client, pod):
            await flood(port, REQUESTS)
            for user in (102, 103):
                assert (await client.post(f"/v1/connections/acme/{user}/accept")).status_code in {200, 409}
            await until(pod, calls=2)
            assert await dropped(client) > 0
    finally:
        os.close(writing)
        os.close(reading)

"""Workers and parents that end without being asked to."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from pathlib import Path

import pytest

from adapters.simulation import serving, simulator
from adapters.simulation.faults import Fault
from tests.gateways import KEY
from tests.serving.test_process import COMMAND, LONGEST, until
from tests.workers.group import CALLERS, asking, configuration, workers


async def test_a_worker_that_is_killed_costs_what_it_had_in_work(port: int, tmp_path: Path) -> None:
    """And if none can be started any more, that is the end of the parent too."""
    answers: list[str] = []
    async with serving(simulator("symphony")) as pod_url:
        configured = configuration(port, pod_url)
        async with workers(tmp_path, configured, port) as group:
            counted = await group.counted()
            for _ in range(10):
                await group.get()
            assert {await group.counted() - number for number in range(1, 6)} == {counted + 10}
            async with asking(group, answers):
                before, counted = group.pids(), await group.counted()
                group.signal_to(before[0], signal.SIGKILL)
                await group.until_logged("listening", 3)
                assert await group.counted() > counted
            lost = answers.count("lost")
            assert lost <= CALLERS
            assert set(answers) - {"lost"} == {"connected"}
            (ended,) = group.logged("worker-ended")
            assert (ended["worker"], ended["exit_code"]) == (1, -signal.SIGKILL)
            assert before[1] in group.pids()
            group.file.write_text("[server")
            for pid in group.pids():
                group.signal_to(pid, signal.SIGKILL)
            assert await group.ended() == 1


async def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """However it ends; what they have in work is answered. The socket that is left behind is no obstacle."""
    path = tmp_path / "gateway.sock"
    pod = simulator("symphony")
    async with serving(pod) as pod_url:
        configured = configuration(1, pod_url, more=f'socket = "{path}"')
        async with workers(tmp_path, configured, str(path)) as group:
            pids = group.pids()
            pod.misbehave(Fault(path="/info", delay=1.0))
            asked = asyncio.create_task(group.get("/v1/connections/acme/103"))
            await until(pod, calls=1)
            group.process.send_signal(signal.SIGKILL)
            assert (await asked).kind == "pending_outgoing"
            await group.until(lambda: group.alive(pids) == [])
            assert path.is_socket()
        async with workers(tmp_path, configured, str(path), listening=4) as group:
            assert (await group.get()).kind == "connected"
            group.process.send_signal(signal.SIGTERM)
            assert await group.ended() == 0
            assert not path.exists()


@pytest.mark.parametrize(
    ("configured", "code", "said"),
    [
        ("[server", 2, "configuration: "),
        (configuration(1, "http://127.0.0.1:9", more="max_concurrency = 1"), 2, "server.max_concurrency: 1 can't"),
        (configuration(1, "http://127.0.0.1:9", more='socket = "/nowhere/s"'), 1, "server: can't listen on /nowhere"),
    ],
)
async def test_what_the_first_worker_cannot_start_with_ends_the_parent(
    configured: str, code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "acme.pem").write_text(KEY)
    (tmp_path / "gateway.toml").write_text(configured)
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "serve", "--config", str(tmp_path / "gateway.toml"), "--workers", "2"), stderr=subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), LONGEST)
    assert process.returncode == code
    assert errors.decode().count(said) == 1

"""SIGTERM while callers make a connection for each request: whoever was accepted is answered, the others are refused."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from adapters.simulation import serving, simulator
from tests.faults.live.callers import Caller
from tests.gateways import key_of
from tests.serving.test_process import LONGEST
from tests.workers.group import ASKED, configuration, workers

CALLERS = 32


@pytest.mark.parametrize("attempt", range(3))
async def test_no_connection_is_lost_when_the_listener_closes(port: int, tmp_path: Path, attempt: int) -> None:
    """The fault that this is for shows in one attempt of three."""
    answers: list[str] = []

    async def ask() -> None:
        while answers.count("refused") < CALLERS:
            caller = Caller(port)
            answers.append((await caller.get(ASKED, f"X-API-Key: {key_of('web')}")).kind)
            caller.close()
            if answers[-1] == "refused":
                return

    async with (
        serving(simulator("symphony")) as pod_url,
        workers(tmp_path, configuration(port, pod_url), port, count=1, listening=1) as gateway,
    ):
        callers = [asyncio.create_task(ask()) for _ in range(CALLERS)]
        async with asyncio.timeout(LONGEST):
            while len(answers) < 200:  # noqa: ASYNC110  they add to it
                await asyncio.sleep(0.01)
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*callers), LONGEST)
        assert await gateway.ended() == 0
    assert set(answers) == {"connected", "refused"}, attempt

"""One process after another on the same Unix socket."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx

from adapters.simulation import serving, simulator
from adapters.simulation.faults import Fault
from tests.serving.test_process import ASKED, started, until


async def test_a_process_that_drains_leaves_the_socket_of_the_next_alone(port: int, tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    pod = simulator("symphony")
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    async with serving(pod) as pod_url:
        async with started(port, pod_url, tmp_path / "old", server={"socket": str(path)}) as old:
            pod.misbehave(Fault(path="/info", delay=1.0))
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as client:
                asking = asyncio.create_task(client.get(f"http://localhost{ASKED}", timeout=30))
                await until(pod, calls=1)
                old.signal(signal.SIGTERM)
                while path.exists():  # noqa: ASYNC110  another process has no event
                    await asyncio.sleep(0.001)
                async with started(port, pod_url, tmp_path / "new", server={"socket": str(path)}) as new:
                    assert (await asking).status_code == 200
                    assert await old.ended() == 0
                    assert path.is_socket()
                    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as another:
                        assert (await another.get(f"http://localhost{ASKED}")).status_code == 200
                    new.signal(signal.SIGTERM)
                    assert await new.ended() == 0
        assert not path.exists()

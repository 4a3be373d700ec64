"""The corpus at a gateway that is a process of its own, on the event loop that it has there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from gateway.auth.callers import key_digest
from tests.faults.live.processes import gateway, simulated
from tests.gateways import key_of
from tests.protocol.pipelined import alone
from tests.protocol.served import LOOKUP
from tests.protocol.test_segments import send
from tests.protocol.verdict import Verdict

WEB = f"""
[[callers]]
name = "web"
key_sha256 = "{key_digest(key_of("web"))}"
may = ["read", "act"]
[cache]
fresh_for = 600
"""
BYTEWISE = 4
"""Every so many of the corpus are also sent byte by byte."""


@pytest.mark.no_cover  # another process
async def test_a_process_answers_each_of_the_corpus(port: int, tmp_path: Path, tell: Callable[[str], None]) -> None:
    objections: list[str] = []
    variants = 0
    key = {"X-API-Key": key_of("web")}
    async with simulated("symphony") as pod, gateway(tmp_path, port, {"acme": pod.url}, more=WEB) as running:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=key) as client:
            assert (await client.get(LOOKUP)).status_code == 200
            asked = await pod.calls()
            for number, case in enumerate(alone()):
                verdict = Verdict(case)
                verdict.judge("whole", await send(("127.0.0.1", port), [case.sent]))
                if number % BYTEWISE == 0 and len(case.sent) < 500:
                    pieces = [case.sent[at : at + 1] for at in range(len(case.sent))]
                    verdict.judge("byte by byte", await send(("127.0.0.1", port), pieces))
                    variants += 1
                variants += 1
                objections += verdict.objections
            assert await pod.calls() == asked
            assert (await client.get("/v1/connections/acme/102")).json()["status"] == "pending_incoming"
        assert running.process.returncode is None
        assert await asyncio.wait_for(running.stop(), 60) == 0
    assert not objections, "\n".join(objections[:20])
    tell(f"a process: {variants:,} requests, nothing done that was hidden")

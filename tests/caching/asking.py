"""A gateway whose platforms can fail and whose answers are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.faults.upstreams import Faulty, faulty
from tests.gateways import THOUSAND

KEPT = {"fresh_for": 5.0, "stale_for": 60.0}
STALE = "connection-gateway; fwd=stale; detail="


@asynccontextmanager
async def keeping(**each: Any) -> AsyncIterator[Faulty]:
    async with faulty(each={**THOUSAND, **KEPT, **each}) as gateway:
        yield gateway


async def ask(
    gateway: Faulty, user: int = 101, platform: str = "acme", token: str = "demo", **headers: str
) -> httpx.Response:
    """A lookup; an underscore in a header's name is a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/v1/connections/{platform}/{user}"
    return await gateway.client.get(path, headers={"X-Platform-Token": f"{platform}={token}", **named})


def origin(answer: httpx.Response) -> str:
    """Where it came from, in short."""
    return answer.headers["cache-status"].removeprefix("connection-gateway; ")


def another_viewer(gateway: Faulty, platform: str = "acme") -> str:
    """A token of somebody else."""
    gateway.upstreams[platform].simulator.platform.tokens.accept("token-of-another", 102)
    return "token-of-another"

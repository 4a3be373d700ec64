"""What the tests of traces share: a gateway that traces, and the trace that a caller brings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.gateways import Gateway, running

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
LOOKUP = "GET /v1/connections/{platform}/{user_id}"
PATH = "/v1/connections/acme/101"


@asynccontextmanager
async def tracing(**named: Any) -> AsyncIterator[Gateway]:
    """A gateway that has handed on all its spans once this ends, and that notes what it tells platforms."""
    async with running(**named, traces=True) as gateway:
        yield gateway

"""Many streams and many viewers: no request waits for all of them, because each has its turn."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

from gateway.platforms.watch.wake_queue import AT_ONCE
from tests.clock import virtual
from tests.gateways import NAMED, caller, key_of, running
from tests.watching.watcher import watching

STREAMS = 4 * AT_ONCE + 1
VIEWERS = 50
INTERVAL = 10.0


@virtual
async def test_no_turn_of_the_event_loop_is_for_more_than_a_few_streams() -> None:
    async with running() as gateway, contextlib.AsyncExitStack() as opened:
        watchers = [await opened.enter_async_context(watching(gateway.app, "acme:102")) for _ in range(STREAMS)]
        await asyncio.sleep(1)
        gateway.acme.platform.set_connection(1, 102, "ACCEPTED")
        asked = asyncio.create_task(gateway.client.get("/v1/connections/acme/102"))
        told = [0]
        while told[-1] < STREAMS:
            await asyncio.sleep(0)
            told.append(sum(each.parts == 3 for each in watchers))  # the head, the first state, and this
        assert (await asked).json()["status"] == "connected"
        turns = [after - before for before, after in itertools.pairwise(told)]
        assert max(turns) <= AT_ONCE
        assert {each.statuses["acme:102"] for each in watchers} == {"connected"}


@virtual
async def test_viewers_who_begin_together_are_read_evenly_over_the_interval() -> None:
    async with running(NAMED, [caller("web", on_behalf_of=["*"])]) as gateway, contextlib.AsyncExitStack() as opened:
        for viewer in range(1000, 1000 + VIEWERS):
            headers = {"X-API-Key": key_of("web"), "X-On-Behalf-Of": f"acme={viewer}"}
            await opened.enter_async_context(watching(gateway.app, "acme:1", headers=headers))
        await asyncio.sleep(2 * INTERVAL)
        reads = []
        for _ in range(10):
            before = gateway.acme.calls.calls
            await asyncio.sleep(INTERVAL / 10)
            reads.append(gateway.acme.calls.calls - before)
        assert sum(reads) == VIEWERS
        assert max(reads) <= VIEWERS / 10 + 2
        assert min(reads) >= VIEWERS / 10 - 2

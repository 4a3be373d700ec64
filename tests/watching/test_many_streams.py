"""A change that many streams watch: they are sent it a few at a time, so that no request waits for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

from gateway.platforms.watch.wake_queue import AT_ONCE
from tests.clock import virtual
from tests.gateways import running
from tests.watching.watcher import watching

STREAMS = 4 * AT_ONCE + 1


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

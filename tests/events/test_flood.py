"""Many events with invalid signatures: what they may cost, and that they keep no valid one out."""

from __future__ import annotations

import asyncio

from gateway.api.middleware.request_guard import MAX_EVENT
from gateway.platforms.watch.signature_failures import BURST, PER_SECOND
from tests.clock import virtual
from tests.events.sending import EVENTS, SECRET, event, post, signed
from tests.events.test_webhooks import outcomes
from tests.gateways import running


@virtual
async def test_a_flood_of_forged_events_is_hashed_in_part_and_keeps_no_event_out() -> None:
    async with running(events=EVENTS) as gateway:

        async def send(body: bytes, times: int = 1, secret: str = SECRET) -> list[int]:
            signature = signed(body, secret=secret)
            return [(await post(gateway.app, body, signature))[0] for _ in range(times)]

        short = event(1, 1, 102)
        long = short + b" " * (MAX_EVENT - len(short))
        forger = "x" * 32
        assert await send(long, 100, forger) == [401] * BURST + [503] * (100 - BURST)
        assert await send(short, 100, forger) == [401] * 100
        assert await send(short) == [204]
        assert await send(long) == [503]
        assert await outcomes(gateway) == {"invalid": BURST + 100, "unverified": 101 - BURST, "taken": 1}
        await asyncio.sleep(1)
        assert await send(long, 20, forger) == [401] * PER_SECOND + [503] * (20 - PER_SECOND)
        await asyncio.sleep(1)
        assert await send(long) == [204]

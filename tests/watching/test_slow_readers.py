"""A reader that has stopped reading: what waits for it is bounded, however much changes meanwhile."""

from __future__ import annotations

import asyncio

from gateway.api.event_stream import PART
from tests.clock import virtual
from tests.gateways import Gateway, running
from tests.watching.watcher import watching

USERS = range(1000, 1200)
TIMES = 20


@virtual
async def test_what_waits_for_it_is_one_part_and_one_state_of_each_user() -> None:
    users = [f"acme:{user}" for user in USERS]
    async with running() as gateway, watching(gateway.app, *users) as slow, watching(gateway.app, *users) as quick:
        await asyncio.sleep(1)
        before = len(slow.events)
        slow.reads.clear()
        for number in range(TIMES):
            await change_all(gateway, "REJECTED" if number % 2 else "PENDING_INCOMING")
        assert len(quick.events) == before + TIMES * len(USERS)
        slow.reads.set()
        await asyncio.sleep(0.1)
        assert len(slow.events) <= before + PART + len(USERS)
        assert slow.statuses == quick.statuses == dict.fromkeys(users, "rejected")


async def change_all(gateway: Gateway, status: str) -> None:
    """And have all read by another caller, so that all streams are sent it."""
    for user in USERS:
        gateway.acme.platform.set_connection(1, user, status)
    asked = {"users": [{"platform": "acme", "user_id": str(user)} for user in USERS]}
    await gateway.client.post("/v1/lookup", json=asked, headers={"Cache-Control": "no-cache"})
    await asyncio.sleep(0.01)

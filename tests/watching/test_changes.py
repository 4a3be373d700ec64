"""Ten thousand changes with random cuts: what was sent last is what is so, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

from adapters.simulation.faults import Fault
from tests.clock import virtual
from tests.gateways import Gateway, running
from tests.watching.watcher import Watcher

CHANGES = 10_000
SEED = 20261128
INTERVAL = 10.0
USERS = [f"acme:{each}" for each in range(101, 107)] + [f"club:{each}" for each in range(101, 105)]
OF_A_POD = (None, "PENDING_INCOMING", "PENDING_OUTGOING", "ACCEPTED", "REJECTED")
OF_A_COMMUNITY = (None, "connected", "sent_connection_request", "received_connection_request")
ACTIONS = ("request", "accept", "reject", "remove")


@virtual
async def test_the_last_state_that_was_sent_is_the_true_one() -> None:
    chance = random.Random(SEED)  # noqa: S311  it makes a test
    changes = cuts = sent = 0
    async with running(cache={"fresh_for": 2.0, "stale_for": 60.0}, watch={"interval": INTERVAL}) as gateway:
        watchers = [await begin(gateway) for _ in range(3)]
        while changes < CHANGES:
            for _ in range(chance.randint(1, 200)):
                await change(gateway, chance)
                changes += 1
            if chance.random() < 0.5:
                cuts += 1
                watcher = watchers.pop(chance.randrange(3))
                watcher.reads.set()
                await watcher.leave()
                sent += check_nothing_is_sent_twice(watcher)
                watchers.append(await begin(gateway))
            chance.choice(watchers).reads.set()
            if chance.random() < 0.2:
                chance.choice(watchers).reads.clear()
            if chance.random() < 0.2:
                failing = gateway.simulators[chance.choice(["acme", "club"])]
                failing.misbehave(Fault(path="connection", status=chance.choice([429, 500, 503]), times=20))
            if chance.random() < 0.2:
                await check_they_are_right(gateway, watchers)
        await check_they_are_right(gateway, watchers)
        for watcher in watchers:
            await watcher.leave()
            sent += check_nothing_is_sent_twice(watcher)
    assert cuts > 20
    assert sent > CHANGES / 10


async def begin(gateway: Gateway) -> Watcher:
    """A caller that watches all users until it leaves."""
    watcher = Watcher()
    watcher.watch(gateway.app, *USERS)
    await asyncio.sleep(0)
    return watcher


async def change(gateway: Gateway, chance: random.Random) -> None:
    """By somebody else, by an action through the gateway, or nothing but a lookup; then a while passes, or none."""
    platform, _, user = chance.choice(USERS).partition(":")
    client = gateway.client
    match chance.randrange(10):
        case 0:
            await client.post(f"/v1/connections/{platform}/{user}/{chance.choice(ACTIONS)}")
        case 1:
            await client.get(f"/v1/connections/{platform}/{user}", headers=no_cache(chance))
        case _:
            word = chance.choice(OF_A_POD if platform == "acme" else OF_A_COMMUNITY)
            gateway.simulators[platform].platform.set_connection(1, int(user), word)
    await asyncio.sleep(chance.choice([0, 0, 0, 0.01, 0.3]))


def no_cache(chance: random.Random) -> dict[str, str]:
    return {"Cache-Control": "no-cache"} if chance.random() < 0.5 else {}


async def check_they_are_right(gateway: Gateway, watchers: Iterable[Watcher]) -> None:
    """Once the platforms answer again and all have read what they were sent."""
    for simulator in gateway.simulators.values():
        simulator.misbehave()
    for watcher in watchers:
        watcher.reads.set()
    await asyncio.sleep(8 * INTERVAL)
    answer = await gateway.client.post(
        "/v1/lookup",
        json={"users": [{"platform": each[:4], "user_id": each[5:]} for each in USERS]},
        headers={"Cache-Control": "no-cache"},
    )
    true = {
        user: result["connection"]["status"] for user, result in zip(USERS, answer.json()["results"], strict=True)
    }
    for watcher in watchers:
        assert watcher.statuses == true


def check_nothing_is_sent_twice(watcher: Watcher) -> int:
    """The number of events."""
    last: dict[tuple[str, str], object] = {}
    for name, data in watcher.events:
        user = data["platform"], data["user_id"]
        told = {**data, "as_of": None} if name == "connection" else data["type"]
        assert last.get(user) != told
        last[user] = told
    return len(watcher.events)

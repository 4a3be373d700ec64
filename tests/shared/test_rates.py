"""A caller's rate counts over all replicas; without the store each counts by itself."""

from __future__ import annotations

import asyncio

from tests.gateways import OWN, caller
from tests.shared.replicas import Replicas, replicas
from tests.shared.valkey import Valkey

CALLERS = [caller("web", rate="10/h", burst=6), caller("app", rate="10/h", burst=6), caller("free")]


async def allowed(gateways: Replicas, times: int, name: str = "web") -> list[int]:
    """How many of so many requests each replica answers."""
    found = []
    for each in gateways.each:
        answers = await asyncio.gather(*(each.status(101, caller=name) for _ in range(times)))
        assert set(answers) <= {"connected", "rate-limited"}
        found.append(answers.count("connected"))
    return found


async def test_replicas_count_together(valkey: Valkey) -> None:
    async with replicas(valkey, 3, OWN, callers=CALLERS) as gateways:
        assert await allowed(gateways, 4) == [4, 2, 0]
        assert await allowed(gateways, 4, "app") == [4, 2, 0]
        assert await allowed(gateways, 9, "free") == [9, 9, 9]
        answer = await gateways[2].client.get("/v1/platforms", headers={"X-API-Key": "key-of-web-2f6c9d41"})
        assert answer.headers["ratelimit-policy"] == '"caller";q=10;w=3600'
        assert answer.headers["ratelimit"].startswith('"caller";r=0;t=3')
        assert 300 < int(answer.headers["retry-after"]) <= 360
    assert not [name for name in valkey.client.scan_iter(match="*:rate:*") if valkey.client.pttl(name) <= 0]
    assert b"web" not in valkey.dump()


async def test_what_was_used_is_given_back_by_the_clock_of_the_store(valkey: Valkey) -> None:
    async with replicas(valkey, 2, OWN, callers=[caller("web", rate="20/s", burst=2)]) as gateways:
        told = []
        for _ in range(100):
            told += [await each.status(101, caller="web") for each in gateways.each]
            if told.count("connected") > 4:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("nothing was given back")


async def test_without_the_store_each_counts_by_itself(own_valkey: Valkey) -> None:
    async with replicas(own_valkey, 2, OWN, callers=CALLERS) as gateways:
        own_valkey.kill()
        for each in gateways.each:
            await each.until("up", 0)
        assert await allowed(gateways, 9) == [6, 6]


async def test_requests_that_arrive_together_share_a_round_trip(valkey: Valkey) -> None:
    async with replicas(valkey, 1, OWN, callers=[caller("web", rate="999999/s")]) as gateways:
        await gateways[0].status(101, caller="web")
        before = valkey.reads()
        await asyncio.gather(*(gateways[0].status(101, caller="web") for _ in range(200)))
        assert valkey.reads() - before < 50


async def test_a_value_of_somebody_else_is_no_server_error(valkey: Valkey) -> None:
    async with replicas(valkey, 1, OWN, callers=CALLERS) as gateways:
        await gateways[0].status(101, caller="web")
        (name,) = valkey.client.scan_iter(match="*:rate:*")
        valkey.client.set(name, "nonsense")
        assert await gateways[0].status(101, caller="web") == "connected"
        assert gateways[0].events() == ["shared-store-up"]


async def test_a_key_that_is_revoked_while_its_rate_is_asked_for_is_refused(valkey: Valkey) -> None:
    async with replicas(valkey, 1, OWN, callers=CALLERS) as gateways:
        valkey.pause()
        try:
            asking = asyncio.create_task(gateways[0].status(101, caller="web"))
            for _ in range(50):  # until it waits for the store
                await asyncio.sleep(0)
            assert not asking.done()
            gateways[0].reload(callers=CALLERS[1:])
        finally:
            valkey.resume()
        assert await asking == "invalid-api-key"

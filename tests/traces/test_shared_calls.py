"""Calls that several share: one span, linked to all who waited."""

from __future__ import annotations

import asyncio

import httpx

from adapters.simulation.faults import Fault
from tests.gateways import CALLERS, Gateway
from tests.traces.asking import LOOKUP, PATH, SAMPLED, tracing
from tests.traces.collector import Collector


async def test_a_shared_call_is_linked_to_all_who_waited(collector: Collector) -> None:
    async with tracing(credentials=CALLERS) as gateway:
        gateway.acme.misbehave(Fault(delay=2))
        viewer = {"sessionToken": "demo"}
        asking = [asyncio.create_task(gateway.client.get(PATH, headers=viewer)) for _ in range(150)]
        await asyncio.sleep(0.05)
        asking += [asyncio.create_task(gateway.client.get(PATH, headers=viewer)) for _ in range(50)]
        await asyncio.gather(*asking)
    batch = collector.one("batch")
    requests = {span.span_id for span in collector.named(LOOKUP)}
    assert len(requests) == 200
    assert batch.links == requests
    assert batch.parent in requests
    waits = [span.attributes["connection_gateway.outcome"] for span in collector.named("wait")]
    assert (waits.count("joined"), waits.count("none")) == (199, 1)


async def test_the_parent_of_a_shared_call_is_one_whose_trace_is_kept(collector: Collector) -> None:
    async with tracing() as gateway:
        gateway.acme.misbehave(Fault(delay=0.5))
        first = asyncio.create_task(gateway.client.get(PATH, headers={"traceparent": SAMPLED[:-1] + "0"}))
        second = asyncio.create_task(gateway.client.get(PATH))
        await asyncio.gather(first, second)
    assert collector.one("batch").parent == collector.one(LOOKUP).span_id
    assert len(collector.one("batch").links) == 2


async def test_those_who_gather_are_in_one_call(collector: Collector) -> None:
    async with tracing() as gateway:
        gateway.acme.misbehave(Fault(delay=0.1))
        users = [f"/v1/connections/acme/{user}" for user in range(1000, 1006)]
        await asyncio.gather(*(gateway.client.get(path) for path in users))
    batch = collector.one("batch")
    assert batch.attributes["connection_gateway.users"] == 6
    assert batch.links == {span.span_id for span in collector.named(LOOKUP)}


async def test_many_users_of_one_caller_are_one_link(collector: Collector) -> None:
    async with tracing() as gateway:
        users = [{"platform": name, "user_id": str(user)} for name in ("acme", "club") for user in range(1000, 1050)]
        await gateway.client.post("/v1/lookup", json={"users": users})
    request = collector.one("POST /v1/lookup")
    batches = collector.named("batch")
    assert {span.attributes["connection_gateway.platform"] for span in batches} == {"acme", "club"}
    assert {span.links for span in batches} == {frozenset({request.span_id})}
    assert [span.attributes["connection_gateway.outcome"] for span in collector.named("cache")] == ["0 of 50"] * 2


async def test_a_hit_has_no_call(collector: Collector) -> None:
    async with tracing(cache={"fresh_for": 600}) as gateway:
        await gateway.client.get(PATH)
        before = len(gateway.lines)
        await gateway.client.get(PATH)
        assert len(gateway.lines) == before + 1
    assert len(collector.named("batch")) == 1
    assert [span.attributes["connection_gateway.outcome"] for span in collector.named("cache")] == ["miss", "hit"]


async def test_who_gave_up_before_a_call_left_is_in_none(collector: Collector) -> None:
    async with tracing(credentials=CALLERS) as gateway:
        gateway.acme.misbehave(Fault(delay=0.3))
        users = [asyncio.create_task(hasty(gateway, user)) for user in (1001, 1002)]
        await asyncio.sleep(0.05)
        late = await hasty(gateway, 1003)
        assert late.status_code == 504
        await asyncio.gather(*users)
        await asyncio.sleep(0.5)
    (batch,) = collector.named("batch")
    assert len(batch.links) == 2
    waits = {span.attributes["connection_gateway.outcome"]: span for span in collector.named("wait")}
    assert waits["gathered"].ended - waits["gathered"].begun > 50_000_000


async def hasty(gateway: Gateway, user: int) -> httpx.Response:
    headers = {"sessionToken": "demo", "X-Request-Timeout-Ms": "100"}
    return await gateway.client.get(f"/v1/connections/acme/{user}", headers=headers)

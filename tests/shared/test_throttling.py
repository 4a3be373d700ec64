"""A throttle window that one replica hears of is kept by all."""

from __future__ import annotations

from adapters.simulation.faults import Fault
from tests.gateways import CALLERS
from tests.shared.replicas import replicas
from tests.shared.valkey import Valkey

THROTTLED = 'received_total{kind="throttled"}'


async def test_no_replica_calls_inside_a_window_that_one_has_heard_of(valkey: Valkey) -> None:
    async with replicas(valkey, 3) as gateways:
        for each in gateways.each:
            await each.status(101)
        gateways.acme.misbehave(Fault(path="/connection", retry_after=30, times=1))
        assert await gateways[0].status(103) == "platform-throttled"
        for each in gateways.each[1:]:
            await each.until(THROTTLED, 1)
        calls = gateways.acme.calls.calls
        for each in gateways.each:
            answer = await each.client.get("/v1/connections/acme/103")
            assert (answer.status_code, answer.json()["type"]) == (429, "/problems/platform-throttled")
            assert 0 < int(answer.headers["retry-after"]) <= 30
        assert gateways.acme.calls.calls == calls
        assert await gateways[1].status(101, platform="club") == "connected"


async def test_a_replica_that_starts_later_keeps_it_too(valkey: Valkey) -> None:
    async with replicas(valkey, 1) as first:
        first.acme.misbehave(Fault(path="/connection", retry_after=30, times=1))
        assert await first[0].status(103) == "platform-throttled"
    async with replicas(valkey, 1) as later:
        await later[0].until(THROTTLED, 1)
        assert await later[0].status(103) == "platform-throttled"
        assert later.acme.calls.calls == 0


async def test_a_community_throttles_one_viewer(valkey: Valkey) -> None:
    async with replicas(valkey, 2, CALLERS) as gateways:
        gateways.club.platform.tokens.accept("another", 101)
        first, second = {"Authorization": "Bearer demo"}, {"Authorization": "Bearer another"}
        gateways.club.misbehave(Fault(path="/connection", retry_after=30, times=1))
        assert await gateways[0].status(103, "club", **first) == "platform-throttled"
        await gateways[1].until(THROTTLED, 1)
        assert await gateways[1].status(103, "club", **first) == "platform-throttled"
        assert await gateways[1].status(1, "club", **second) == "connected"

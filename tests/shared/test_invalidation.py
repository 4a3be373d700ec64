"""What happens at one replica evicts what the others keep."""

from __future__ import annotations

import asyncio

import pytest

from adapters.simulation.faults import Fault
from tests.gateways import CALLERS, OWN
from tests.shared.proxy import proxied
from tests.shared.replicas import KEY, OTHER_KEY, Replicas, replicas, until
from tests.shared.valkey import Valkey

EVICTED = 'received_total{kind="evict"}'
REFUSED = 'received_total{kind="refused"}'


async def is_kept(gateways: Replicas, user: int) -> bool:
    """Whether the last one still answers from its cache."""
    answer = await gateways.each[-1].client.get(f"/v1/connections/acme/{user}")
    return answer.headers["cache-status"].endswith("; hit")


@pytest.mark.parametrize("credentials", [OWN, CALLERS])
async def test_an_action_at_one_is_seen_at_the_others(valkey: Valkey, credentials: dict[str, dict[str, str]]) -> None:
    headers = {"sessionToken": "demo"} if credentials is CALLERS else {}
    async with replicas(valkey, 3, credentials) as gateways:
        for each in gateways.each:
            assert await each.status(102, **headers) == "pending_incoming"
        calls = gateways.acme.calls.calls
        assert [await each.status(102, **headers) for each in gateways.each] == ["pending_incoming"] * 3
        assert gateways.acme.calls.calls == calls
        assert await gateways[0].act(102, "accept", **headers) == "connected"
        for each in gateways.each:
            await each.until_status(102, "connected", **headers)


async def test_a_call_in_flight_elsewhere_is_not_kept(valkey: Valkey) -> None:
    async with replicas(valkey, 2) as gateways:
        gateways.acme.misbehave(Fault(path="/connection", delay=0.5, times=1, apply=True))
        asking = asyncio.create_task(gateways[1].status(101))
        while not gateways.acme.calls.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await gateways[0].act(101, "remove")
        await gateways[1].until(EVICTED, 3)
        assert await asking == "connected"
        assert await gateways[1].status(101) == "none"


async def test_a_refused_token_evicts_elsewhere(valkey: Valkey) -> None:
    async with replicas(valkey, 2, CALLERS) as gateways:
        for each in gateways.each:
            assert await each.status(101, sessionToken="demo") == "connected"
        gateways.acme.misbehave(Fault(path="/103", status=401, times=1))
        assert await gateways[0].status(103, sessionToken="demo") == "credential-refused"
        await gateways[1].until(REFUSED, 1)
        calls = gateways.acme.calls.calls
        assert await gateways[1].status(101, sessionToken="demo") == "connected"
        assert gateways.acme.calls.calls == calls + 1


async def test_other_users_and_viewers_keep_theirs(valkey: Valkey) -> None:
    async with replicas(valkey, 2) as gateways:
        for user in (101, 102, 103):
            await gateways[1].status(user)
        await gateways[0].act(102, "accept")
        await gateways[1].until(EVICTED, 3)
        assert [await is_kept(gateways, user) for user in (101, 102, 103)] == [True, False, True]


async def test_messages_that_were_missed_empty_the_cache(own_valkey: Valkey) -> None:
    async with replicas(own_valkey, 1) as gateways:
        await gateways[0].act(101, "remove")
        await gateways[0].status(103)
        assert await is_kept(gateways, 103)
        own_valkey.flush()
        await gateways[0].until("gaps_total", 1)
        assert not await is_kept(gateways, 103)
        assert await is_kept(gateways, 103)


async def test_messages_that_could_not_be_sent_empty_the_caches_elsewhere(own_valkey: Valkey) -> None:
    async with replicas(own_valkey, 2) as gateways:
        await gateways[1].status(103)
        await gateways[1].status(102)
        own_valkey.kill()
        await gateways[0].until("up", 0)
        assert await gateways[0].act(102, "accept") == "connected"
        assert await gateways[1].status(102) == "pending_incoming"
        own_valkey.start()
        await gateways.until_connected()
        await gateways[1].until_status(102, "connected")
        assert not await is_kept(gateways, 103)


async def test_a_store_that_is_found_late_empties_what_was_cached_until_then(valkey: Valkey) -> None:
    async with proxied(valkey) as proxy:
        proxy.cut()
        async with replicas(valkey, 2, tables_of=[{}, {"url": proxy.url}], connected=False) as gateways:
            await gateways[0].until("following", 1)
            assert await gateways[1].status(102) == "pending_incoming"
            await gateways[0].act(102, "accept")
            assert await gateways[1].status(102) == "pending_incoming"
            await until(lambda: _messages(valkey), 4)  # a login, and three of the action
            valkey.client.xtrim("connection-gateway:messages", maxlen=0, approximate=False)
            proxy.heal()
            await gateways[1].until("following", 1)
            assert await gateways[1].status(102) == "connected"


async def test_a_stream_that_was_trimmed_empties_the_cache(valkey: Valkey) -> None:
    async with replicas(valkey, 1) as gateways:
        await gateways[0].act(101, "remove")
        await gateways[0].status(103)
        with valkey.client.pipeline() as together:
            for _ in range(3):
                together.xadd("connection-gateway:messages", {"m": b"x"})
            together.xtrim("connection-gateway:messages", maxlen=0, approximate=False)
            together.execute()
        await gateways[0].until("gaps_total", 1)
        assert not await is_kept(gateways, 103)


@pytest.mark.parametrize("change", ["truncated", "tampered", "other-version", "empty", "no-field"])
async def test_a_message_that_can_not_be_read_empties_the_cache(valkey: Valkey, change: str) -> None:
    name = "connection-gateway:messages"
    async with replicas(valkey, 2) as gateways:
        await gateways[0].act(101, "remove")
        sealed = valkey.messages(name)[0]
        await gateways[1].until(EVICTED, 3)
        await gateways[1].status(103)
        changed = {
            "truncated": sealed[:-1],
            "tampered": sealed[:-1] + bytes([sealed[-1] ^ 1]),
            "other-version": b"\x02" + sealed[1:],
            "empty": b"",
            "no-field": sealed,
        }[change]
        valkey.client.xadd(name, {"n" if change == "no-field" else "m": changed})
        await gateways[1].until("gaps_total", 1)
        assert not await is_kept(gateways, 103)


async def test_a_call_in_flight_while_messages_are_missed_is_not_kept(valkey: Valkey) -> None:
    async with replicas(valkey, 1) as gateways:
        calls = gateways.acme.calls.calls
        gateways.acme.misbehave(Fault(path="/connection", delay=1.0, times=1, apply=True))
        asking = asyncio.create_task(gateways[0].status(103))
        while gateways.acme.calls.calls == calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        valkey.client.xadd("connection-gateway:messages", {"m": b"unreadable"})
        await gateways[0].until("gaps_total", 1)
        assert not asking.done()
        assert await asking == await gateways[0].status(103) == "pending_outgoing"
        assert gateways.acme.calls.calls == calls + 2


async def test_replicas_under_different_keys_trust_each_other_in_nothing(valkey: Valkey) -> None:
    async with replicas(valkey, 2, tables_of=[{"key": KEY}, {"key": OTHER_KEY}]) as gateways:
        await gateways[1].status(102)
        await gateways[0].act(102, "accept")
        await gateways[1].until_status(102, "connected")
        assert await gateways[1].metric(EVICTED) == 0


async def test_replicas_of_another_prefix_hear_nothing(valkey: Valkey) -> None:
    async with replicas(valkey, 3, tables_of=[{}, {"prefix": "other"}, {}]) as gateways:
        await gateways[1].status(102)
        await gateways[0].act(102, "accept")
        await gateways[2].until(EVICTED, 3)
        assert await gateways[1].status(102) == "pending_incoming"


async def test_nothing_stands_there_in_the_clear(valkey: Valkey) -> None:
    async with replicas(valkey, 2, CALLERS) as gateways:
        await gateways[0].act(104, "request", sessionToken="demo")
        await gateways[1].until(EVICTED, 3)
    dumped = valkey.dump()
    assert b"connection-gateway:messages" in dumped
    assert not [word for word in (b"demo", b"acme", b"104", b"user") if word in dumped]
    assert all(valkey.client.ttl(name) > 0 or name.endswith(b":probe") for name in valkey.client.scan_iter())
    await until(lambda: _gone(valkey), True)


async def _gone(valkey: Valkey) -> bool:
    return valkey.client.get("connection-gateway:probe") is None


async def _messages(valkey: Valkey) -> int:
    return len(valkey.messages("connection-gateway:messages"))

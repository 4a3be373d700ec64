"""`cache = true`: what one replica has read from a platform, the others need not read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.simulation.faults import Fault
from tests.gateways import CALLERS, OWN
from tests.shared.replicas import Replica, Replicas, named, replicas, until
from tests.shared.valkey import Valkey

SHARED = "connection-gateway; hit; detail=shared"
CLAIM = 16


@contextlib.asynccontextmanager
async def caching(store: Valkey, count: int = 2, *arguments: Any, **keys: Any) -> AsyncIterator[Replicas]:
    async with replicas(store, count, *arguments, tables_of=[{"cache": True}] * 3, **keys) as gateways:
        yield gateways


async def ask(replica: Replica, user: int, **headers: str) -> httpx.Response:
    return await replica.client.get(f"/v1/connections/acme/{user}", headers=named(headers))


def entries(valkey: Valkey) -> list[bytes]:
    """The names under which an answer stands, and no claim."""
    names = sorted(valkey.client.scan_iter("*:connection:*"))
    return [name for name in names if len(valkey.client.get(name) or b"") > CLAIM]


async def until_kept(valkey: Valkey, count: int) -> None:
    async def kept() -> int:
        return len(entries(valkey))

    await until(kept, count)


async def is_read_live(gateways: Replicas, replica: int, user: int, **headers: str) -> bool:
    calls = gateways.acme.calls.calls
    answer = await ask(gateways[replica], user, **headers)
    assert (answer.headers["cache-status"] == SHARED) == (gateways.acme.calls.calls == calls)
    return gateways.acme.calls.calls > calls


@pytest.mark.parametrize("credentials", [OWN, CALLERS])
async def test_what_one_has_read_the_others_do_not_read(
    valkey: Valkey, credentials: dict[str, dict[str, str]]
) -> None:
    headers = {"sessionToken": "demo"} if credentials is CALLERS else {}
    async with caching(valkey, 2, credentials) as gateways:
        first = await ask(gateways[0], 102, **headers)
        await until_kept(valkey, 1)
        calls = gateways.acme.calls.calls
        second = await ask(gateways[1], 102, **headers)
        third = await ask(gateways[1], 102, **headers)
        assert gateways.acme.calls.calls == calls
        assert first.content == second.content == third.content
        assert [each.headers["cache-status"] for each in (second, third)] == [SHARED, "connection-gateway; hit"]
        assert await gateways[1].metric("cache_hits_total") == 1
        assert await gateways[0].metric("cache_misses_total") == 1


async def test_of_many_users_only_the_others_are_read(valkey: Valkey) -> None:
    async with caching(valkey) as gateways:
        await ask(gateways[0], 102)
        await until_kept(valkey, 1)
        users = [{"platform": "acme", "user_id": str(user)} for user in (101, 102, 103)]
        answer = await gateways[1].client.post("/v1/lookup", json={"users": users})
        statuses = [each["connection"]["status"] for each in answer.json()["results"]]
        assert statuses == ["connected", "pending_incoming", "pending_outgoing"]
        assert await gateways[1].metric("cache_hits_total") == 1
        assert await gateways[1].metric("cache_misses_total") == 2
        await until_kept(valkey, 3)


async def test_explain_shows_where_it_came_from(valkey: Valkey) -> None:
    async with caching(valkey) as gateways:
        await ask(gateways[0], 102)
        await until_kept(valkey, 1)
        answer = await gateways[1].client.get("/v1/connections/acme/102?explain=true")
        explained = answer.json()["explain"]
        assert (explained["source"], explained["calls"]) == ("cache", 0)
        assert [(each["step"], each["outcome"]) for each in explained["steps"]] == [
            ("cache", "miss"),
            ("wait", "none"),
            ("cache", "1 of 1 shared"),
        ]
        assert all(each["took_ms"] is not None for each in explained["steps"])


async def test_who_wants_it_live_gets_it_live(valkey: Valkey) -> None:
    async with caching(valkey) as gateways:
        await ask(gateways[0], 102)
        await until_kept(valkey, 1)
        assert await is_read_live(gateways, 1, 102, Cache_Control="no-cache")


async def test_another_token_finds_nothing(valkey: Valkey) -> None:
    async with caching(valkey, 2, CALLERS) as gateways:
        await ask(gateways[0], 102, sessionToken="demo")
        await until_kept(valkey, 1)
        answer = await ask(gateways[1], 102, sessionToken="nobody")
        assert answer.status_code == 401


async def test_an_action_removes_it(valkey: Valkey) -> None:
    async with caching(valkey, 3) as gateways:
        await ask(gateways[0], 102)
        await until_kept(valkey, 1)
        assert await gateways[1].act(102, "accept") == "connected"
        await until_kept(valkey, 0)
        assert await gateways[2].status(102) == "connected"


async def test_an_answer_that_was_on_its_way_does_not_come_back(valkey: Valkey) -> None:
    async with caching(valkey, 3) as gateways:
        gateways.acme.misbehave(Fault(path="/connection", delay=0.5, times=1, apply=True))
        asking = asyncio.create_task(gateways[1].status(101))
        while not gateways.acme.calls.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await gateways[0].act(101, "remove")
        assert await asking == "connected"
        await gateways[1].status(103)
        await until_kept(valkey, 1)  # what was written before that has arrived
        assert await gateways[2].status(101) == "none"


async def test_an_answer_is_not_written_where_its_claim_is_gone(valkey: Valkey) -> None:
    """As when another replica acts, and nobody has told this one yet."""
    async with caching(valkey) as gateways:
        gateways.acme.misbehave(Fault(path="/connection", delay=0.3, times=1, apply=True))
        asking = asyncio.create_task(gateways[0].status(101))
        while not gateways.acme.calls.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert valkey.client.delete(*valkey.client.scan_iter("*:connection:*")) == 1
        assert await asking == "connected"
        await gateways[0].status(103)
        await until_kept(valkey, 1)
        assert await is_read_live(gateways, 1, 101)


async def test_what_was_being_read_as_an_action_ended_is_not_used(valkey: Valkey) -> None:
    async with caching(valkey) as gateways:
        await ask(gateways[0], 102)
        await ask(gateways[1], 103)
        await until_kept(valkey, 2)
        valkey.pause()
        try:
            asking = asyncio.create_task(gateways[1].status(102))
            await asyncio.sleep(0.05)
            assert await gateways[1].act(102, "accept") == "connected"
        finally:
            valkey.resume()
        assert await asking == "connected"
        assert await gateways[1].status(102) == "connected"


async def test_a_refused_token_finds_nothing_more(valkey: Valkey) -> None:
    async with caching(valkey, 3, CALLERS) as gateways:
        for user in (101, 102):
            await ask(gateways[0], user, sessionToken="demo")
        await until_kept(valkey, 2)
        assert not await is_read_live(gateways, 2, 102, sessionToken="demo")
        gateways.acme.misbehave(Fault(path="/103", status=401, times=1))
        assert await gateways[0].status(103, sessionToken="demo") == "credential-refused"
        await gateways[1].until('received_total{kind="refused"}', 1)
        assert await is_read_live(gateways, 1, 101, sessionToken="demo")


async def test_a_deletion_that_was_lost_empties_it(own_valkey: Valkey) -> None:
    async with caching(own_valkey, 1) as gateways:
        await ask(gateways[0], 102)
        await until_kept(own_valkey, 1)
        own_valkey.client.acl_setuser("default", enabled=True, nopass=True, commands=["-del", "-set"])
        assert await gateways[0].act(102, "accept") == "connected"
        await gateways[0].until("up", 0)
        own_valkey.client.acl_setuser("default", enabled=True, nopass=True, commands=["+del", "+set"])
        await gateways[0].until("up", 1)
        assert entries(own_valkey)
        assert await gateways[0].status(102) == "connected"


@pytest.mark.parametrize("change", ["truncated", "tampered", "other-version", "empty", "text", "swapped", "evicted"])
async def test_what_can_not_be_read_is_not_there(valkey: Valkey, change: str) -> None:
    async with caching(valkey) as gateways:
        await ask(gateways[0], 102)
        await ask(gateways[0], 103)
        await until_kept(valkey, 2)
        names = entries(valkey)
        values: list[Any] = [valkey.client.get(name) for name in names]
        for name, value, other in zip(names, values, reversed(values), strict=True):
            changed = {
                "truncated": value[:-1],
                "tampered": value[:-1] + bytes([value[-1] ^ 1]),
                "other-version": b"\x02" + value[1:],
                "empty": b"",
                "text": b'{"status":"connected"}',
                "swapped": other,
                "evicted": value,
            }[change]
            valkey.client.set(name, changed)
        if change == "evicted":  # the marks, not the entries
            valkey.client.delete(*valkey.client.scan_iter("*:viewer:*"))
        assert await is_read_live(gateways, 1, 102)
        assert await gateways[1].status(103) == "pending_outgoing"


async def test_an_old_one_stands_in_while_the_platform_fails(valkey: Valkey) -> None:
    async with caching(valkey, each={"fresh_for": 0.001, "stale_for": 7200.0}) as gateways:
        await ask(gateways[0], 102)
        await until_kept(valkey, 1)
        gateways.acme.misbehave(Fault(path="/connection", status=500))
        answer = await ask(gateways[1], 102)
        assert (answer.json()["status"], answer.json()["stale"]) == ("pending_incoming", True)
        assert (await ask(gateways[1], 103)).status_code == 502


async def test_without_the_store_each_goes_on(own_valkey: Valkey) -> None:
    async with caching(own_valkey) as gateways:
        await ask(gateways[0], 102)
        own_valkey.kill()
        assert await gateways[1].status(102) == "pending_incoming"
        assert await gateways[1].status(103) == "pending_outgoing"
        own_valkey.start()
        await gateways.until_connected()
        await ask(gateways[0], 104)
        await until_kept(own_valkey, 1)


async def test_nothing_of_it_stands_there_in_the_clear_or_for_ever(valkey: Valkey) -> None:
    async with caching(valkey, 2, CALLERS) as gateways:
        for user in (101, 102):
            await ask(gateways[0], user, sessionToken="demo")
        await until_kept(valkey, 2)
        dumped = valkey.dump()
        assert not [word for word in (b"demo", b"acme", b"102", b"user", b"pending", b"connected") if word in dumped]
        assert all(valkey.client.pttl(name) != -1 for name in valkey.client.scan_iter())


async def test_without_the_key_nothing_is_kept(valkey: Valkey) -> None:
    async with replicas(valkey, 2) as gateways:
        await gateways[0].status(102)
        assert await is_read_live(gateways, 1, 102)
        assert not list(valkey.client.scan_iter("*:connection:*"))

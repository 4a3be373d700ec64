"""A refresh token that all replicas have is used once by one of them, whatever happens to the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from adapters.selfcommunity.simulator import SECRET
from adapters.simulation import Simulator, simulator
from adapters.simulation.faults import Fault
from tests.credentials.oauth import CLIENT
from tests.shared.replicas import KEY, OTHER_KEY, Replicas, replicas, until
from tests.shared.valkey import Valkey
from tests.wire import InProcess

REFUSED = "platform-credential-refused"


@asynccontextmanager
async def sharing(
    store: Valkey, count: int = 2, tokens: list[str] | None = None, **options: Any
) -> AsyncIterator[Replicas]:
    """Replicas that have all been given the same refresh token, in front of one community."""
    community = options.pop("community", None) or simulator("selfcommunity")
    first = await new_token(community)
    given = [first] * count if tokens is None else tokens
    credentials = {"mode": "oauth2", "client_id": "demo", "client_secret": SECRET}
    each = [{"club": credentials | {"refresh_token": token}} for token in given]
    async with replicas(
        store, count, each[0], platforms={"club": community}, credentials_of=each, **options
    ) as found:
        yield found


async def new_token(community: Simulator) -> str:
    request = httpx.Request("POST", "http://club.example/oauth/token/", data=CLIENT)
    answer = await InProcess(community).handle_async_request(request)
    await answer.aread()
    return str(answer.json()["refresh_token"])


async def statuses(gateways: Replicas, users: range = range(1000, 1005)) -> set[str]:
    """What all of them answer, asked at once after every session has expired."""
    gateways.club.misbehave(Fault(expire_sessions=True))
    asked = (each.status(user, "club") for each in gateways.each for user in users)
    return set(await asyncio.gather(*asked))


async def test_each_is_used_once(valkey: Valkey) -> None:
    async with sharing(valkey, 3) as gateways:
        before = gateways.club.calls.logins
        for number in range(1, 6):
            start = 1000 + 10 * number
            assert await statuses(gateways, range(start, start + 5)) == {"connected"}
            assert gateways.club.calls.logins == before + number


async def test_without_the_store_nobody_uses_it_and_afterwards_all_can(own_valkey: Valkey) -> None:
    async with sharing(own_valkey, server={"request_timeout": 4.0}) as gateways:
        assert await statuses(gateways) == {"connected"}
        own_valkey.pause()
        logins = gateways.club.calls.logins
        gateways.club.misbehave(Fault(expire_sessions=True))
        answer = await gateways[0].client.get("/v1/connections/club/1100")
        assert (answer.status_code, answer.json()["type"]) == (502, f"/problems/{REFUSED}")
        assert int(answer.headers["retry-after"]) == 5
        assert gateways.club.calls.logins == logins
        own_valkey.resume()
        for each in gateways.each:
            await until(lambda each=each: each.status(1101, "club"), "connected")


async def test_a_token_that_could_not_be_put_back_is_put_back_later(own_valkey: Valkey) -> None:
    async with sharing(own_valkey, server={"request_timeout": 4.0}) as gateways:
        gateways.club.misbehave(Fault(path="/oauth/token/", delay=0.5, times=1))
        logins = gateways.club.calls.logins
        asking = asyncio.create_task(gateways[0].status(1000, "club"))
        while gateways.club.calls.logins == logins:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        own_valkey.client.config_set("maxmemory", 1)
        assert await asking == "connected"
        await gateways[0].until("up", 0)
        own_valkey.client.config_set("maxmemory", 0)
        await gateways.until_connected()
        for user in range(1001, 1004):
            gateways.club.misbehave(Fault(expire_sessions=True))
            for each in (gateways[1], gateways[0]):
                await until(lambda each=each, user=user: each.status(user, "club"), "connected")


async def test_a_login_that_outlasts_its_lease_still_has_the_token_to_itself(valkey: Valkey) -> None:
    async with sharing(valkey, server={"request_timeout": 6.0}) as gateways:
        gateways.club.misbehave(Fault(path="/oauth/token/", delay=3.5, times=1, apply=True))
        asked = [asyncio.create_task(each.status(1000, "club")) for each in gateways.each]
        assert await asyncio.gather(*asked) == ["connected"] * 2


async def test_the_store_loses_it(own_valkey: Valkey) -> None:
    async with sharing(own_valkey) as gateways:
        gateways.club.misbehave(Fault(expire_sessions=True))
        assert await gateways[0].status(1000, "club") == "connected"
        gateways.club.misbehave(Fault(expire_sessions=True))
        assert await gateways[1].status(1000, "club") == "connected"
        await gateways[0].until('received_total{kind="logged_in"}', 1)
        own_valkey.flush()
        gateways.club.misbehave(Fault(expire_sessions=True))
        logins = gateways.club.calls.logins
        assert await gateways[0].status(1001, "club") == REFUSED
        assert gateways.club.calls.logins == logins
        assert await gateways[1].status(1001, "club") == "connected"
        assert await gateways[0].status(1002, "club") == "connected"


async def test_a_restart_with_an_old_token_takes_the_new_one(valkey: Valkey) -> None:
    community = simulator("selfcommunity")
    old = await new_token(community)
    for _ in range(3):
        async with sharing(valkey, 2, [old, old], community=community) as gateways:
            assert await statuses(gateways) == {"connected"}


async def test_a_token_that_the_operator_puts_in_its_place_is_used(valkey: Valkey) -> None:
    community = simulator("selfcommunity")
    old, new = await new_token(community), await new_token(community)
    async with sharing(valkey, 1, [old], community=community) as gateways:
        assert await statuses(gateways) == {"connected"}
    async with sharing(valkey, 2, [new, old], community=community) as gateways:
        gateways.club.misbehave(Fault(expire_sessions=True))
        assert await gateways[0].status(1000, "club") == "connected"
        assert await statuses(gateways) == {"connected"}


async def test_a_shared_token_survives_a_rotation_of_the_key(valkey: Valkey) -> None:
    community = simulator("selfcommunity")
    old = await new_token(community)
    keys = [{"key": KEY}, {"key": OTHER_KEY, "previous_key": KEY}]
    for first, second in ((0, 0), (0, 1), (1, 1)):
        tables = [keys[first], keys[second]]
        async with sharing(valkey, 2, [old, old], community=community, tables_of=tables) as gateways:
            gateways.club.misbehave(Fault(expire_sessions=True))
            assert await gateways[0].status(1000, "club") == "connected"
            gateways.club.misbehave(Fault(expire_sessions=True))
            assert await gateways[1].status(1001, "club") == "connected"


async def test_one_that_was_tampered_with_is_not_used(valkey: Valkey) -> None:
    async with sharing(valkey) as gateways:
        assert await statuses(gateways) == {"connected"}
        (name,) = valkey.client.scan_iter(match="*:refresh:*")
        valkey.client.hset(name, "token", b"\x01" + bytes(60))
        logins = gateways.club.calls.logins
        assert await statuses(gateways, range(1100, 1105)) == {REFUSED}
        assert gateways.club.calls.logins == logins

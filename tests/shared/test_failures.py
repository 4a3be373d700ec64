"""The store fails: every replica goes on by itself, and waits no longer than `shared.timeout`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError
from tests.gateways import CALLERS, OWN, tables
from tests.shared.replicas import KEY, Replica, Replicas, replicas, shared, until
from tests.shared.valkey import Valkey

QUICK = [{"timeout": 0.05}] * 3


async def acts_alone(gateways: Replicas) -> None:
    """Everything is answered as without a store."""
    for each in gateways.each:
        assert await each.status(101) == "connected"
        assert await each.act(104, "request") == "pending_outgoing"
        assert await each.status(104) == "pending_outgoing"
        assert (await each.client.get("/readyz")).status_code == 200


BREAKS: list[Callable[[Valkey], None]] = [Valkey.kill, Valkey.pause]


@pytest.mark.parametrize("break_it", BREAKS)
async def test_killed_or_paused(own_valkey: Valkey, break_it: Callable[[Valkey], None]) -> None:
    async with replicas(own_valkey, 2, tables_of=QUICK) as gateways:
        break_it(own_valkey)
        await acts_alone(gateways)
        for each in gateways.each:
            await each.until("up", 0)
        assert [each.events() for each in gateways.each] == [["shared-store-up", "shared-store-down"]] * 2
        gateways.acme.misbehave()
        calls = gateways.acme.calls.logins
        await asyncio.gather(*(each.status(user) for each in gateways.each for user in range(1000, 1050)))
        assert gateways.acme.calls.logins == calls
        if break_it is Valkey.kill:
            own_valkey.start()
        else:
            own_valkey.resume()
        await gateways.until_connected()
        assert [each.events()[2:] for each in gateways.each] == [["shared-store-up"]] * 2
        await gateways[1].status(102)
        await gateways[0].act(102, "accept")
        await gateways[1].until_status(102, "connected")


async def test_a_store_is_not_there_at_the_start(own_valkey: Valkey) -> None:
    own_valkey.kill()
    async with replicas(own_valkey, 2, connected=False) as gateways:
        await acts_alone(gateways)
        for each in gateways.each:
            await until(lambda each=each: _events(each), ["shared-store-down"])
        own_valkey.start()
        await gateways.until_connected()
        await gateways[1].status(102)
        await gateways[0].act(102, "accept")
        await gateways[1].until_status(102, "connected")


async def test_full_and_evicting_nothing(own_valkey: Valkey) -> None:
    async with replicas(own_valkey, 1) as gateways:
        own_valkey.client.config_set("maxmemory", 1)
        await acts_alone(gateways)
        await gateways[0].until("up", 0)
        own_valkey.client.config_set("maxmemory", 0)
        await gateways.until_connected()


@pytest.mark.parametrize("password", ["wrong", None])
async def test_a_wrong_password(own_valkey: Valkey, password: str | None) -> None:
    own_valkey.client.config_set("requirepass", "right")
    keys = {} if password is None else {"password": password}
    async with replicas(own_valkey, 1, tables_of=[keys], connected=False) as gateways:
        await acts_alone(gateways)
        await until(lambda: _events(gateways[0]), ["shared-store-down"])
        (line,) = [each for each in gateways[0].lines if "shared-store-down" in each]
        assert "Authentication" in line
        assert not [each for each in gateways[0].lines if "right" in each or "wrong" in each]


async def test_a_password(own_valkey: Valkey) -> None:
    own_valkey.client.config_set("requirepass", "right")
    async with replicas(own_valkey, 2, tables_of=[{"password": "right"}] * 2) as gateways:
        await gateways[1].status(102)
        await gateways[0].act(102, "accept")
        await gateways[1].until_status(102, "connected")


async def test_flushed_in_the_middle(own_valkey: Valkey) -> None:
    async with replicas(own_valkey, 2) as gateways:
        await gateways[1].status(102)
        await gateways[0].status(101)
        own_valkey.flush()
        await acts_alone(gateways)
        await gateways[0].act(102, "accept")
        await gateways[1].until_status(102, "connected")
        for each in gateways.each:
            assert each.events() == ["shared-store-up"]


async def test_another_user_s_values_of_the_wrong_type(valkey: Valkey) -> None:
    valkey.client.set("connection-gateway:messages", "a string")
    async with replicas(valkey, 1, connected=False) as gateways:
        await acts_alone(gateways)
        await until(lambda: _has_lost_it(gateways[0]), expected=True)


async def test_a_paused_store_delays_a_login_once(own_valkey: Valkey) -> None:
    """Who waits in vain counts, however long it takes: the store is left alone after a few of them."""
    async with replicas(own_valkey, 1, tables_of=QUICK) as gateways:
        own_valkey.pause()
        gateways.acme.platform.tokens.expire()
        for user in range(1000, 1030):
            assert await gateways[0].status(user) == "connected"
            gateways.acme.platform.tokens.expire()
        assert await gateways[0].metric("timeouts_total") <= 3
        assert gateways.acme.calls.logins == 30


def test_without_the_extra_the_start_stops_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gateway.shared.client", "gateway.shared.store", "gateway.shared.stream", "gateway.shared.replicas"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)
    monkeypatch.setitem(__import__("sys").modules, "redis.asyncio", None)
    configuration: dict[str, Any] = tables(OWN)
    configuration["shared"] = {"url": "valkey://localhost", "key": KEY}
    with pytest.raises(
        ConfigurationError, match=r"^shared: redis\.asyncio is missing: install connection-gateway\[sh"
    ):
        Replica(configuration, {})


async def _has_lost_it(replica: Replica) -> bool:
    """Whether its store was down, though it may be up again."""
    return "shared-store-down" in replica.events()


async def _events(replica: Replica) -> list[str]:
    return replica.events()


def test_the_key_is_never_shown(valkey: Valkey) -> None:
    configuration = tables(CALLERS)
    configuration["shared"] = shared(valkey, password="hidden")
    assert not [word for word in (KEY, "hidden") if word in repr(from_tables(configuration))]

"""The network to the store is slow, cut or broken: requests are answered as without a store, and few of them wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.shared.store import TIMEOUTS
from tests.gateways import OWN, caller
from tests.shared.proxy import Proxy, proxied
from tests.shared.replicas import replicas
from tests.shared.test_failures import acts_alone
from tests.shared.valkey import Valkey

TIMEOUT = 0.05
CALLERS = [caller("web", may=["read", "act"], rate="999999/s")]
"""A caller with a rate: each of its requests asks the store."""


def slow(proxy: Proxy) -> None:
    proxy.delay = 0.2


def reset_at_once(proxy: Proxy) -> None:
    proxy.reset_after = 0


def reset_in_the_middle(proxy: Proxy) -> None:
    proxy.reset_after = 700  # INFO, the first reply of a connection, is longer


BREAKS: list[Callable[[Proxy], None]] = [slow, Proxy.cut, reset_at_once, reset_in_the_middle]


@pytest.mark.parametrize("break_it", BREAKS)
async def test_a_network_that_fails(valkey: Valkey, break_it: Callable[[Proxy], None]) -> None:
    async with proxied(valkey) as proxy:
        keys = {"url": proxy.url, "timeout": TIMEOUT}
        async with replicas(valkey, 2, OWN, tables_of=[keys] * 2) as gateways:
            break_it(proxy)
            await acts_alone(gateways)
            for user in range(1000, 1030):
                gateways.acme.platform.tokens.expire()
                assert [await each.status(user) for each in gateways.each] == ["connected"] * 2
            for each in gateways.each:
                await each.until("up", 0)
                assert await each.metric("timeouts_total") <= TIMEOUTS
            proxy.heal()
            await gateways.until_connected()
            await gateways[1].status(102)
            await gateways[0].act(102, "accept")
            await gateways[1].until_status(102, "connected")


async def test_few_requests_of_a_caller_with_a_rate_wait(valkey: Valkey) -> None:
    async with proxied(valkey) as proxy:
        keys = {"url": proxy.url, "timeout": TIMEOUT}
        async with replicas(valkey, 1, OWN, callers=CALLERS, tables_of=[keys]) as gateways:
            proxy.cut()
            found = [await gateways[0].status(101, caller="web") for _ in range(50)]
            assert found == ["connected"] * 50
            assert await gateways[0].metric("timeouts_total") == TIMEOUTS


async def test_a_message_that_is_lost_while_the_store_stays_up_is_made_up_for(valkey: Valkey) -> None:
    async with proxied(valkey) as proxy:
        keys = [{"url": proxy.url, "timeout": TIMEOUT}, {}]
        async with replicas(valkey, 2, OWN, tables_of=keys) as gateways:
            assert [await each.status(102) for each in gateways.each] == ["pending_incoming"] * 2
            proxy.cut()
            assert await gateways[0].act(102, "accept") == "connected"
            await gateways[0].until("timeouts_total", 2)
            valkey.client.client_kill_filter(_type="normal")  # what was under way does not arrive later
            proxy.heal()
            assert await gateways[1].status(102) == "pending_incoming"
            await gateways[1].until_status(102, "connected")


async def test_the_server_sleeps() -> None:
    server = Valkey("--enable-debug-command", "yes")
    try:
        async with replicas(server, 2, tables_of=[{"timeout": TIMEOUT}] * 2) as gateways:
            sleeping = asyncio.create_task(asyncio.to_thread(server.client.execute_command, "DEBUG", "SLEEP", "0.7"))
            await acts_alone(gateways)
            await sleeping
            await gateways.until_connected()
            await gateways[1].status(102)
            await gateways[0].act(102, "accept")
            await gateways[1].until_status(102, "connected")
    finally:
        server.close()

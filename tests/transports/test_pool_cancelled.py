"""The pool: a call that is cancelled, wherever it is, leaves its place to the next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.transports.pool import Pool
from tests import wire
from tests.transports.sockets import GOOD, HUGE, call, descriptors, full, keeping, silent, turns


async def cancelled(running: asyncio.Task[Any]) -> None:
    await turns()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def serves(network: Pool) -> None:
    """A pool of one connection has it for the next call."""
    async with keeping(GOOD) as server:
        assert (await call(network, server.url)).status_code == 200


async def test_while_it_connects() -> None:
    with full() as where:
        async with wire.pool(limit=1) as network:
            await cancelled(asyncio.create_task(call(network, f"http://{where}/")))
            await serves(network)


@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        pytest.param("https", b"", id="while TLS is agreed on"),
        pytest.param("http", b"", id="while it waits for an answer"),
        pytest.param("http", b"HTTP/1.1 200 OK\r\nContent-", id="in the head"),
        pytest.param("http", GOOD[:-1], id="in the body"),
    ],
)
async def test_after_it_was_heard(scheme: str, said: bytes) -> None:
    with silent() as server:
        async with wire.pool(limit=1) as network:
            running = asyncio.create_task(call(network, f"{scheme}://{server.where}/"))
            with await server.heard() as peer:
                peer.send(said)
                await asyncio.sleep(0.01)
                await cancelled(running)
                await serves(network)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_while_its_body_is_sent() -> None:
    with silent() as server:
        async with wire.pool(limit=1) as network:
            before = descriptors()
            running = asyncio.create_task(call(network, f"http://{server.where}/", content=HUGE))
            with await server.heard():
                await cancelled(running)
                await turns()
                assert descriptors() == before + 1, "more than the other end is open"
                await serves(network)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["asked for it", "in it"])
async def test_while_a_proxy_opens_a_tunnel(said: bytes) -> None:
    with silent() as proxy:
        async with wire.pool(limit=1, proxy=f"http://{proxy.where}") as network:
            running = asyncio.create_task(call(network, "https://acme.example/"))
            with await proxy.heard() as peer:
                peer.send(said)
                await asyncio.sleep(0.01)
                await cancelled(running)
            following = asyncio.create_task(call(network, "http://acme.example/"))
            with await proxy.heard() as peer:
                peer.send(GOOD)
                assert (await following).status_code == 200


async def test_while_it_waits_for_a_connection() -> None:
    with silent() as server:
        async with wire.pool(limit=1) as network:
            first = asyncio.create_task(call(network, f"http://{server.where}/"))
            with await server.heard() as peer:
                await cancelled(asyncio.create_task(call(network, f"http://{server.where}/")))
                peer.send(GOOD)
                await first
                await serves(network)


@pytest.mark.parametrize("after", range(40))
async def test_while_a_connection_becomes_free_for_it(after: int) -> None:
    """At any turn of the loop: what it had or was about to get goes to who waits behind it."""
    async with keeping(GOOD, GOOD, GOOD) as server, wire.pool(limit=1) as network:
        first, second, third = (asyncio.create_task(call(network, server.url)) for _ in range(3))
        for _ in range(after):
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert [(await each).status_code for each in (first, third)] == [200, 200]

"""`max_concurrency`: who comes beyond it is told so at once, and nobody else hears of it."""

from __future__ import annotations

import asyncio

import pytest

from adapters.simulation.faults import Fault
from tests.gateways import Gateway, caller, running
from tests.protocol.lines import GET, line, open_line

MOST = 5


async def full(gateway: Gateway) -> list[asyncio.Task[int]]:
    """All places taken, by lookups that take a while."""
    gateway.acme.misbehave(Fault(path="/connection", delay=0.3))

    async def ask(user: int) -> int:
        return (await gateway.client.get(f"/v1/connections/acme/{user}")).status_code

    asking = [asyncio.create_task(ask(1000 + number)) for number in range(MOST)]
    while "connection_gateway_requests_in_work 5.0" not in (await gateway.client.get("/metrics")).text:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return asking


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/connections/club/103"),
        ("GET", "/v1/connections"),
        ("GET", "/v1/platforms"),
        ("POST", "/v1/lookup"),
        ("POST", "/v1/connections/club/101/accept"),
    ],
)
async def test_more_are_overloaded_and_told_when_to_come_back(method: str, path: str) -> None:
    async with running(max_concurrency=MOST, each={"max_waiting": MOST}) as gateway:
        asking = await full(gateway)
        calls = gateway.calls
        answer = await gateway.client.request(method, path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["type"] == "/problems/overloaded"
        assert gateway.calls == calls
        assert await asyncio.gather(*asking) == [200] * MOST
        assert (await gateway.client.get("/v1/connections/club/103")).status_code == 200


async def test_a_body_is_not_waited_for_where_there_is_no_place() -> None:
    async with line(max_concurrency=1) as it:
        it.gateway.acme.misbehave(Fault(path="/connection", delay=0.5))
        it.writer.write(GET % 103)
        async with open_line(it) as other:
            while "connection_gateway_requests_in_work 1.0" not in (await it.gateway.client.get("/metrics")).text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            other.writer.write(b"POST /v1/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
            head, body = await other.answer()
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"/problems/overloaded" in body
        assert b'"103"' in (await it.answer())[1]


async def test_probes_and_metrics_take_no_place() -> None:
    async with running(max_concurrency=MOST, each={"max_waiting": MOST}) as gateway:
        asking = await full(gateway)
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await gateway.client.get(path)).status_code == 200
        await asyncio.gather(*asking)
        assert "connection_gateway_requests_in_work 0.0" in (await gateway.client.get("/metrics")).text


async def test_a_place_is_free_again_whatever_came_of_it() -> None:
    async with running(max_concurrency=1) as gateway:
        for path in ("/v1/connections/nobody/1", "/v1/connections/acme/x", "/v1/nothing", "/v1/connections/acme/103"):
            assert (await gateway.client.get(path)).status_code != 503
        assert "connection_gateway_requests_in_work 0.0" in (await gateway.client.get("/metrics")).text


async def test_who_has_no_key_hears_that_first() -> None:
    async with running(max_concurrency=MOST, callers=[caller("web")]) as gateway:
        assert (await gateway.client.get("/v1/connections/acme/103")).status_code == 401


async def test_half_of_them_may_wait_for_one_platform() -> None:
    async with running(max_concurrency=4) as gateway:
        gateway.acme.misbehave(Fault(path="/connection", delay=0.3))
        answers = await asyncio.gather(
            *(gateway.client.get(f"/v1/connections/acme/{user}") for user in (1001, 1002, 1003)),
            gateway.client.get("/v1/connections/club/103"),
        )
        assert sorted(each.status_code for each in answers[:3]) == [200, 200, 503]
        assert answers[3].status_code == 200

"""A POST is received whole before anything happens, and within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from adapters.simulation.faults import Fault
from gateway.server.extensions import MAX_BODY
from tests.clock import virtual
from tests.gateways import OWN, Gateway, running


@pytest.mark.parametrize("size", [0, 1, MAX_BODY])
async def test_a_body_within_bounds_is_received(gateway: Gateway, size: int) -> None:
    answer = await gateway.client.post("/v1/platforms", content=b"x" * size)
    assert answer.status_code == 405


async def test_a_body_over_the_cap_is_refused(gateway: Gateway) -> None:
    answer = await gateway.client.post("/v1/platforms", content=b"x" * (MAX_BODY + 1))
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/payload-too-large")
    assert answer.headers["connection"] == "close"


async def test_an_endless_body_is_not_read_to_its_end(gateway: Gateway) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1000:
            sent += 1
            yield b"x" * 65536

    answer = await gateway.client.post("/v1/platforms", content=endless())
    assert answer.status_code == 413
    assert sent <= MAX_BODY // 65536 + 2


async def test_a_caller_who_leaves_in_the_middle_gets_nothing(gateway: Gateway) -> None:
    messages: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/platforms",
        "raw_path": b"/v1/platforms",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await gateway.app(scope, receive, send)
    assert sent == []
    assert gateway.logged()[-1]["method"] == "POST"
    assert "status" not in gateway.logged()[-1]


@virtual
async def test_deadlines_count_from_when_the_request_was_complete() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for part in (b'{"users":[{"platform":"acme",', b'"user_id":"101"}]}'):
            await asyncio.sleep(3)
            yield part

    async with running(OWN) as gateway:
        gateway.acme.misbehave(Fault(delay=100))
        loop = asyncio.get_running_loop()
        before = loop.time()
        answer = await gateway.client.post(
            "/v1/lookup", content=slowly(), headers={"X-Request-Timeout-Ms": "1000"}, timeout=None
        )
        assert answer.json()["results"][0]["error"]["type"] == "/problems/platform-timeout"
        assert loop.time() - before == pytest.approx(7.0)

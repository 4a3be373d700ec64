"""A POST is received whole before anything happens, and within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.receipt import MAX_BODY, Receipt
from gateway.telemetry.access import Access, AccessLog
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics
from tests import clock
from tests.gateways import Gateway


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


def test_deadlines_count_from_when_the_request_was_complete() -> None:
    received: list[float] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        received.append(Access.of(scope).received_at)
        assert (await receive())["body"] == b"12"
        await Response()(scope, receive, send)

    async def slowly() -> AsyncIterator[bytes]:
        for part in (b"1", b"2"):
            await asyncio.sleep(3)
            yield part

    async def main() -> None:
        whole = AccessLog(Receipt(app), Log(lambda _line: None), Metrics())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(whole), base_url="http://localhost") as client:
            await client.post("/", content=slowly())

    clock.run(main())
    assert received == [pytest.approx(6.0)]

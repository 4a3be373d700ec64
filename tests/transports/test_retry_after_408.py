"""A server that ends an idle connection with 408 just as a call leaves over it (RFC 9110, 15.5.9)."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from gateway.transports.retry import Retry
from tests import wire
from tests.transports.scripted import least
from tests.transports.sockets import GOOD, keeping
from tests.wire import pool


async def call(network: httpx.AsyncBaseTransport, url: str, *, safe: bool, **request: Any) -> httpx.Response:
    extensions = {"deadline": asyncio.get_running_loop().time() + 30.0, "safe": safe}
    return await network.handle_async_request(httpx.Request("POST", url, extensions=extensions, **request))


CLOSED = [
    pytest.param(wire.answer(b"", "Connection: close", status="408 Request Timeout"), id="with a header"),
    pytest.param(wire.answer(b"<html>", "Connection: close", status="408 Request Time-out"), id="with a page"),
    pytest.param(wire.answer(b"", status="408 Request Timeout"), id="without a header"),
]


@pytest.mark.parametrize("closed", CLOSED)
async def test_a_read_is_asked_once_more_over_another_connection(closed: bytes) -> None:
    async with keeping(GOOD, closed) as server, pool() as network:
        again = Retry(network, spread=least)
        answers = [await call(network, server.url, safe=True), await call(again, server.url, safe=True)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (len(server.requests), server.ever) == (3, 2)


@pytest.mark.parametrize("closed", CLOSED)
async def test_an_action_is_not(closed: bytes) -> None:
    async with keeping(GOOD, closed) as server, pool() as network:
        again = Retry(network, spread=least)
        answers = [await call(network, server.url, safe=True), await call(again, server.url, safe=False)]
    assert [answer.status_code for answer in answers] == [200, 408]
    assert len(server.requests) == 2

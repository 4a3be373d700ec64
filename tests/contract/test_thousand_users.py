"""A lookup of a thousand users on a platform that reads one user per call."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest import mock

import httpx

from adapters.settings import PlatformSettings
from adapters.simulation import Simulator
from adapters.simulation.faults import Fault
from gateway.app import create_app
from gateway.config.converter import from_tables
from gateway.telemetry.log import Log
from tests.clock import virtual
from tests.contract import minimal
from tests.contract.minimal import handle
from tests.contract.test_in_a_gateway import BOOK, LISTED
from tests.wire import Bounded, InProcess

USERS = [handle(number) for number in range(1000, 2000)]
MAX_CALLS = 40
TIMEOUT = 2.0


class Counted(httpx.AsyncBaseTransport):
    """Knows the most calls that were under way at once."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._now = self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await self._inner.handle_async_request(request)
        finally:
            self._now -= 1


async def looked_up(seconds: float) -> tuple[list[Any], int]:
    """The results in the order of `USERS`, where each call takes so long, and the most calls at once."""
    book = Simulator(minimal.AddressBook())
    book.misbehave(Fault(delay=seconds))
    wire = Counted(Bounded(InProcess(book)))

    def wire_of(_settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        return wire

    with mock.patch.dict(LISTED, {minimal.Settings: minimal.MinimalAdapter}):
        platform = BOOK | {"max_calls": MAX_CALLS}
        settings = from_tables({"server": {"request_timeout": TIMEOUT}, "platforms": {"book": platform}})
        app = create_app(settings, log=Log(lambda _line: None), wire=wire_of)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8080")
        async with app.router.lifespan_context(app), client:
            users = [{"platform": "book", "user_id": user} for user in USERS]
            answer = await client.post("/v1/lookup", json={"users": users})
    assert answer.status_code == 200
    return answer.json()["results"], wire.most


@virtual
async def test_all_are_answered_where_the_platform_is_fast_enough() -> None:
    results, most = await looked_up(seconds=TIMEOUT / (len(USERS) / MAX_CALLS) / 2)
    assert [each["connection"]["user_id"] for each in results] == USERS
    assert most == MAX_CALLS


@virtual
async def test_elsewhere_each_late_one_alone_has_timed_out() -> None:
    rounds = 4.5
    results, most = await looked_up(seconds=TIMEOUT / rounds)
    outcomes = Counter(each["error"]["type"] if "error" in each else "answered" for each in results)
    answered = int(rounds) * MAX_CALLS
    assert outcomes == {"answered": answered, "/problems/platform-timeout": len(USERS) - answered}
    assert [each.get("connection", each.get("error"))["user_id"] for each in results] == USERS
    assert most == MAX_CALLS

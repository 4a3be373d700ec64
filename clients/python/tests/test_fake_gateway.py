from __future__ import annotations

import asyncio
import inspect

import pytest
from connection_gateway import AsyncGateway, IncompleteList, Status
from connection_gateway.problems import ActionNotPossible, Details, PlatformError
from connection_gateway.testing import FakeGateway

FAILURE = PlatformError(Details("/problems/platform-error", "The platform failed", 502, platform="club"))


async def test_what_was_set_is_told_and_acted_on() -> None:
    gateway = FakeGateway()
    gateway.set("acme", 1, Status.PENDING_INCOMING)
    async for pending in gateway.connections():
        assert (await gateway.act(pending, "accept")).status is Status.CONNECTED
    assert (await gateway.lookup("acme", 1)).status is Status.CONNECTED
    assert gateway.asked == [("connections", "acme", "1"), ("act accept", "acme", "1"), ("lookup", "acme", "1")]
    with pytest.raises(ActionNotPossible):
        await gateway.act(("acme", 2), "accept")


async def test_a_platform_that_fails() -> None:
    gateway = FakeGateway()
    gateway.set("acme", 1, Status.PENDING_INCOMING)
    gateway.fail("club", FAILURE)
    assert (await gateway.lookup_many([("club", 1), ("acme", 1)]))[0] is FAILURE
    with pytest.raises(IncompleteList):
        [each async for each in gateway.connections()]


async def test_what_is_set_while_it_is_watched() -> None:
    gateway = FakeGateway()
    gateway.set("acme", 1, Status.PENDING_INCOMING)
    watched = gateway.watch([("acme", 1), ("club", 2)])
    begins = [await anext(watched), await anext(watched)]
    assert [each.status for each in begins] == [Status.PENDING_INCOMING, Status.NONE]
    await gateway.act(("acme", 1), "accept")
    assert (await anext(watched)).status is Status.CONNECTED
    waiting = asyncio.create_task(anext(watched))
    await asyncio.sleep(0)
    gateway.fail("club", FAILURE)
    assert await waiting is FAILURE
    await watched.aclose()


@pytest.mark.parametrize("name", [each for each in vars(AsyncGateway) if not each.startswith("_")])
def test_the_fake_has_the_parameters_of_the_real_gateway(name: str) -> None:
    assert inspect.signature(getattr(FakeGateway, name)) == inspect.signature(getattr(AsyncGateway, name))

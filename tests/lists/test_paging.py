"""A list in pages: everybody once, in few calls."""

from __future__ import annotations

import asyncio

import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import Gateway, running
from tests.lists.asking import PENDING, listed, names, pages


@pytest.mark.parametrize("limit", [100, 499, 500])
async def test_pages_of_any_size_hold_everybody_once(gateway: Gateway, limit: int) -> None:
    found = await pages(gateway, ("status", "connected"), ("limit", limit))
    assert all(len(page["connections"]) <= limit for page in found)
    assert names(*found) == [f"{name}/{user}" for name in ("acme", "club") for user in (101, *range(1000, 2000))]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_the_smallest_pages_hold_everybody_once(gateway: Gateway, limit: int) -> None:
    found = await pages(gateway, ("limit", limit))
    assert all(len(page["connections"]) <= limit for page in found)
    assert names(*found) == PENDING


async def test_the_limit_may_change_from_page_to_page(gateway: Gateway) -> None:
    first = await listed(gateway, ("limit", 1))
    rest = await listed(gateway, ("limit", 500), ("cursor", first["next_cursor"]))
    assert names(first, rest) == PENDING


async def test_a_hundred_is_the_usual_limit(gateway: Gateway) -> None:
    page = await listed(gateway, ("status", "connected"))
    assert len(page["connections"]) == 100


async def test_a_further_page_of_a_pod_is_one_read(gateway: Gateway) -> None:
    first = await listed(gateway, ("status", "connected"))
    gateway.acme.calls.reset()
    second = await listed(gateway, ("status", "connected"), ("cursor", first["next_cursor"]))
    assert len(second["connections"]) == 100
    assert (gateway.acme.calls.calls, gateway.club.calls.calls) == (1, 0)


async def test_a_platform_that_the_page_has_no_room_for_is_not_asked(gateway: Gateway) -> None:
    await listed(gateway, ("status", "connected"), ("limit", 500))
    assert gateway.club.calls.calls == 0


async def test_a_page_that_is_just_full_asks_no_other_platform(gateway: Gateway) -> None:
    first = await listed(gateway, ("limit", 2))
    assert names(first) == PENDING[:2]
    assert gateway.club.calls.calls == 0
    assert names(await listed(gateway, ("limit", 2), ("cursor", first["next_cursor"]))) == PENDING[2:]


def test_a_platform_that_was_asked_in_vain_is_asked_no_more() -> None:
    """The first takes longer than its head start and then fills the page while another is being read."""

    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            await gateway.client.get("/v1/connections/acme/101")
            gateway.acme.misbehave(Fault(delay=0.6))
            gateway.club.misbehave(Fault(delay=0.3))
            assert names(await listed(gateway, ("limit", 2))) == PENDING[:2]
            await asyncio.sleep(10)
            assert gateway.club.calls.calls == 1

    clock.run(main())


async def test_a_page_may_be_empty_while_there_is_more(gateway: Gateway) -> None:
    """Hundreds of requests were declined before the one that is pending."""
    for user in range(5000, 7000):
        gateway.club.platform.set_connection(1, user, "received_connection_request")
    for user in range(5000, 6999):
        await gateway.client.post(f"/v1/connections/club/{user}/reject")
    gateway.club.platform.set_connection(1, 102, None)
    found = await pages(gateway, ("platform", "club"), ("status", "pending_incoming"))
    assert names(*found) == ["club/6999"]
    assert (len(found), names(found[0])) == (2, [])


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
async def test_named_users_come_in_pages_as_well(gateway: Gateway, limit: int) -> None:
    query = [("user_id", str(user)) for user in (1002, 1001, 101, 105, 1000, 106)]
    found = await pages(gateway, ("platform", "acme"), ("status", "all"), ("limit", limit), *query)
    assert all(len(page["connections"]) <= limit for page in found)
    assert names(*found) == ["acme/101", "acme/106", "acme/1000", "acme/1001", "acme/1002"]


async def test_named_users_of_whom_nobody_counts_cost_few_pages(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in range(5000, 5250)]
    found = await pages(gateway, ("platform", "acme"), ("limit", 1), *query)
    assert (len(found), names(*found)) == (3, [])
    assert gateway.acme.calls.calls == 6


async def test_one_pending_behind_many_declined_costs_few_calls(gateway: Gateway) -> None:
    for user in range(5000, 5500):
        gateway.club.platform.set_connection(1, user, "received_connection_request")
        await gateway.client.post(f"/v1/connections/club/{user}/reject")
    gateway.club.platform.set_connection(1, 6000, "received_connection_request")
    gateway.club.calls.reset()
    query = (("platform", "club"), ("status", "pending_incoming"), ("limit", 1))
    assert names(*await pages(gateway, *query)) == ["club/102", "club/6000"]
    assert gateway.club.calls.calls <= 8


async def test_a_list_in_sync_with_actions_is_asked_for_from_its_start(gateway: Gateway) -> None:
    """Offsets move under who acts while listing: the first page again has everybody who is left."""
    for user in range(5000, 5007):
        gateway.club.platform.set_connection(1, user, "received_connection_request")
    done: list[str] = []
    query = (("platform", "club"), ("status", "pending_incoming"), ("limit", 3))
    while found := names(await listed(gateway, *query)):
        for each in found:
            await gateway.client.post(f"/v1/connections/{each}/accept")
            done.append(each)
    assert done == ["club/102", *(f"club/{user}" for user in range(5000, 5007))]

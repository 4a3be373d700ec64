"""A list over platforms that fail, or are slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import Gateway, running
from tests.lists.asking import PENDING, get, listed, names, pages, slugs


async def test_an_answer_that_redirects_says_where_to_look(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(status=301))
    (error,) = (await listed(gateway, ("platform", "club")))["errors"]
    assert error["detail"] == "the platform redirects (301): is base_url right?"


FAILURES = [
    ({"status": 500}, "platform-error"),
    ({"status": 403}, "platform-forbidden"),
    ({"status": 401}, "platform-credential-refused"),
    ({"drop": True}, "platform-unreachable"),
    ({"body": "<html>"}, "platform-invalid-answer"),
    ({"delay": 30}, "platform-timeout"),
]


@pytest.mark.parametrize(("fault", "slug"), FAILURES, ids=str)
@pytest.mark.parametrize("down", ["acme", "club"])
@pytest.mark.parametrize("named", [(), (("user_id", "102"), ("user_id", "103"))], ids=["all", "named"])
def test_a_platform_that_fails_leaves_the_others_alone(
    down: str, fault: dict[str, Any], slug: str, named: tuple[tuple[str, str], ...]
) -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.simulators[down].misbehave(Fault(path="connection", **fault))
            page = await listed(gateway, *named)
            assert asyncio.get_running_loop().time() <= 2.05
            assert names(page) == [each for each in PENDING if not each.startswith(down)]
            assert slugs(page) == {down: slug}
            assert len(page["errors"]) == 1
            assert page["next_cursor"] is None

    clock.run(main())


async def test_the_only_platform_that_fails_is_still_an_answer(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(status=500))
    page = await listed(gateway, ("platform", "club"))
    assert (page["connections"], slugs(page)) == ([], {"club": "platform-error"})


async def test_what_came_before_a_failure_is_kept(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(path="requests_sent", status=500))
    page = await listed(gateway)
    assert names(page) == PENDING[:3]
    assert slugs(page) == {"club": "platform-error"}


async def test_a_failure_behind_the_page_is_told_on_the_page_that_meets_it(gateway: Gateway) -> None:
    gateway.club.platform.set_connection(1, 5000, "received_connection_request")
    gateway.club.misbehave(Fault(path="requests_sent", status=500))
    first = await listed(gateway, ("limit", 3))
    assert (names(first), first["errors"]) == (PENDING[:3], [])
    second = await listed(gateway, ("limit", 3), ("cursor", first["next_cursor"]))
    assert (names(second), slugs(second)) == (["club/5000"], {"club": "platform-error"})


async def test_a_named_user_who_fails_is_one_error(gateway: Gateway) -> None:
    gateway.club.misbehave(
        Fault(path="statuses", body={"connection_statuses": {"101": "connected", "102": "blocked"}})
    )
    page = await listed(gateway, ("platform", "club"), ("status", "all"), ("user_id", 101), ("user_id", 102))
    assert names(page) == ["club/101"]
    (error,) = page["errors"]
    assert (error["platform"], error["user_id"]) == ("club", "102")
    assert error["type"] == "/problems/platform-invalid-answer"


async def test_a_platform_that_fails_in_several_calls_is_one_error(gateway: Gateway) -> None:
    gateway.acme.misbehave(Fault(path="/connection/list", status=500))
    query = [("user_id", str(user)) for user in range(1000, 1450)]
    page = await listed(gateway, ("platform", "acme"), ("status", "all"), ("limit", 500), *query)
    assert [(each["type"], each.get("user_id")) for each in page["errors"]] == [("/problems/platform-error", None)]


async def test_the_log_says_that_a_platform_failed(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(status=500))
    await listed(gateway)
    (line,) = gateway.logged()
    assert (line["status"], line["problems"]) == (200, {"platform-error": 1})


async def test_a_failure_says_which_request_it_was(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(retry_after=7))
    answer = await get(gateway)
    (error,) = answer.json()["errors"]
    assert (error["instance"], error["retry_after"]) == (answer.headers["x-request-id"], 7)


def test_a_platform_that_hangs_in_the_middle_delays_nobody() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            first = await listed(gateway, ("limit", 1))
            gateway.acme.misbehave(Fault(delay=30))
            page = await listed(gateway, ("cursor", first["next_cursor"]))
            assert names(page) == PENDING[2:]
            assert slugs(page) == {"acme": "platform-timeout"}
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)

    clock.run(main())


def test_a_platform_that_is_too_slow_for_the_page_gives_what_it_has() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=0.24))
            query = (("platform", "club"), ("status", "connected"), ("limit", 500))
            found = await pages(gateway, *query)
            assert len(set(names(*found))) == len(names(*found)) == 1001
            assert len(names(found[0])) == 400
            assert [page["errors"] for page in found] == [[]] * len(found)

    clock.run(main())


def test_a_platform_that_hangs_after_a_part_of_its_page_is_asked_again_for_the_rest() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="requests_sent", times=1, delay=30))
            first = await listed(gateway, ("platform", "club"))
            assert (names(first), first["errors"]) == (["club/102"], [])
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)
            assert names(await listed(gateway, ("platform", "club"), ("cursor", first["next_cursor"]))) == [
                "club/103"
            ]

    clock.run(main())


def test_a_call_that_could_not_end_in_time_is_not_begun() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=1.2))
            first = await listed(gateway, ("platform", "club"))
            assert (names(first), gateway.club.calls.calls) == (["club/102"], 1)
            assert asyncio.get_running_loop().time() == pytest.approx(1.2, abs=0.05)

    clock.run(main())


def test_a_platform_that_is_slow_waits_for_nobody() -> None:
    """The first takes longer than its head start, the others answer meanwhile."""

    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            for each in gateway.simulators.values():
                each.misbehave(Fault(path="connection", delay=0.6))
            assert names(await listed(gateway)) == PENDING
            assert asyncio.get_running_loop().time() == pytest.approx(1.7, abs=0.01)

    clock.run(main())


def test_a_page_is_answered_at_the_callers_deadline() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            for each in gateway.simulators.values():
                each.misbehave(Fault(delay=30))
            page = await listed(gateway, **{"X-Request-Timeout-Ms": "300"})
            assert slugs(page) == {"acme": "platform-timeout", "club": "platform-timeout"}
            assert asyncio.get_running_loop().time() == pytest.approx(0.3, abs=0.05)
            await asyncio.sleep(30)
            assert len(asyncio.all_tasks()) == 1

    clock.run(main())

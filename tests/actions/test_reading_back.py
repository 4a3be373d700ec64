"""What an action that failed is known to have done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.actions.asking import act, slug
from tests.gateways import Gateway, running

ACCEPTED = {"acme": "ACCEPTED", "club": "connected"}


PATHS = {"acme": ("/accept", "/info"), "club": ("/accept/", "/connection_status/")}


def sent(gateway: Gateway, name: str) -> int:
    """How often the action reached the platform."""
    return sum(times for call, times in gateway.simulators[name].calls.by_path.items() if PATHS[name][0] in call)


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"body": "<html>"}, {"status": 400}], ids=str)
@pytest.mark.parametrize("name", PATHS)
async def test_what_was_done_all_the_same_is_success(gateway: Gateway, name: str, fault: dict[str, Any]) -> None:
    gateway.simulators[name].misbehave(Fault(path=PATHS[name][0], apply=True, **fault))
    answer = await act(gateway, name, 102, "accept")
    assert (answer.status_code, answer.json()["status"]) == (200, "connected")
    assert gateway.simulators[name].calls.calls == 3


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"status": 500}, "platform-error"),
        ({"status": 408}, "platform-unreachable"),
        ({"status": 403, "body": "<html>"}, "platform-invalid-answer"),
        ({"status": 422, "body": "<html>"}, "platform-invalid-answer"),
        ({"drop": True}, "platform-unreachable"),
        ({"body": "<html>"}, "platform-invalid-answer"),
        ({"status": 400}, "action-not-possible"),
        ({"status": 409}, "action-not-possible"),
        ({"status": 410}, "action-not-possible"),
        ({"status": 422}, "action-not-possible"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", PATHS)
async def test_what_was_not_done_is_the_failure(
    gateway: Gateway, name: str, fault: dict[str, Any], problem: str
) -> None:
    gateway.simulators[name].misbehave(Fault(path=PATHS[name][0], **fault))
    answer = await act(gateway, name, 102, "accept")
    assert slug(answer) == problem
    assert sent(gateway, name) == 1
    assert gateway.simulators[name].calls.calls == 3
    assert gateway.simulators[name].platform.connection(1, 102) != ACCEPTED[name]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"status": 500}, "action-not-possible"),
        ({"status": 422}, "action-not-possible"),
        ({"status": 409}, "action-not-possible"),
        ({"status": 500, "body": "<html>"}, "platform-error"),
        ({"status": 502}, "platform-error"),
        ({"status": 422, "body": "<html>"}, "platform-invalid-answer"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", PATHS)
def test_what_is_not_possible_any_more_is_told_as_the_platform_refuses_it(
    name: str, fault: dict[str, Any], problem: str
) -> None:
    """The request that is to be accepted is taken back between the first read and the action."""

    async def main() -> None:
        async with running() as gateway:
            simulator = gateway.simulators[name]
            simulator.misbehave(Fault(path=PATHS[name][0], delay=1.0, **fault))
            acting = asyncio.create_task(act(gateway, name, 102, "accept"))
            await asyncio.sleep(0.5)
            simulator.platform.set_connection(1, 102, None)
            answer = await acting
            assert slug(answer) == problem
            if problem == "action-not-possible":
                assert answer.json()["connection"]["status"] == "none"
            assert sent(gateway, name) == 1

    clock.run(main())


@pytest.mark.parametrize(("status", "problem"), [(403, "platform-forbidden"), (429, "platform-throttled")])
@pytest.mark.parametrize("name", PATHS)
async def test_what_was_certainly_not_done_is_not_read_back(
    gateway: Gateway, name: str, status: int, problem: str
) -> None:
    gateway.simulators[name].misbehave(Fault(path=PATHS[name][0], status=status))
    assert slug(await act(gateway, name, 102, "accept")) == problem
    assert gateway.simulators[name].calls.calls == 2


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"status": 400}], ids=str)
@pytest.mark.parametrize("name", PATHS)
async def test_what_nobody_can_read_back_is_unknown(gateway: Gateway, name: str, fault: dict[str, Any]) -> None:
    acting, reading = PATHS[name]
    gateway.simulators[name].misbehave(
        Fault(path=acting, **fault), Fault(path=reading, times=1, delay=0.001), Fault(path=reading, status=500)
    )
    answer = await act(gateway, name, 102, "accept")
    assert (answer.status_code, slug(answer)) == (504, "outcome-unknown")
    assert (answer.json()["platform"], answer.json()["user_id"]) == (name, "102")


async def test_a_user_who_vanishes_meanwhile_is_not_found(gateway: Gateway) -> None:
    gateway.club.misbehave(
        Fault(path="/connection_status/", times=1, delay=0.001), Fault(path="/user/102/", status=404)
    )
    assert slug(await act(gateway, "club", 102, "accept")) == "user-not-found"


async def test_a_first_read_that_fails_sends_nothing(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(path="/connection_status/", status=500))
    assert slug(await act(gateway, "club", 102, "accept")) == "platform-error"
    assert gateway.club.calls.calls == 1

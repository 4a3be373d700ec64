"""What an action that failed is known to have done."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.simulation.faults import Fault
from tests.actions.asking import act, slug
from tests.gateways import Gateway

ACCEPTED = {"acme": "ACCEPTED", "club": "connected"}


PATHS = {"acme": ("/accept", "/info"), "club": ("/accept/", "/connection_status/")}


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
        ({"drop": True}, "platform-unreachable"),
        ({"body": "<html>"}, "platform-invalid-answer"),
        ({"status": 400}, "action-not-possible"),
        ({"status": 409}, "action-not-possible"),
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
    assert gateway.simulators[name].calls.calls == 3
    assert gateway.simulators[name].platform.connection(1, 102) != ACCEPTED[name]


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

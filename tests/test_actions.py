"""`POST /v1/connections/{platform}/{user_id}/{action}`, as a caller sees it."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import httpx
import pytest

from adapters.contract import Action, Status
from adapters.simulation.faults import Fault
from gateway.actions import GOALS, kept_for_reading_back
from tests import clock
from tests.gateways import Gateway, running

ACCEPTED = {"acme": "ACCEPTED", "club": "connected"}
PATHS = {"acme": ("/accept", "/info"), "club": ("/accept/", "/connection_status/")}


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def act(gateway: Gateway, name: str, user: int, action: str, **headers: str) -> httpx.Response:
    return await gateway.client.post(f"/v1/connections/{name}/{user}/{action}", headers=headers)


@pytest.mark.parametrize(
    ("name", "user", "action", "status"),
    [
        ("acme", 105, "request", "pending_outgoing"),
        ("acme", 104, "request", "pending_outgoing"),
        ("acme", 102, "accept", "connected"),
        ("acme", 102, "reject", "rejected"),
        ("acme", 101, "remove", "none"),
        ("club", 105, "request", "pending_outgoing"),
        ("club", 102, "accept", "connected"),
        ("club", 102, "reject", "none"),
        ("club", 103, "cancel", "none"),
        ("club", 101, "remove", "none"),
    ],
)
async def test_the_answer_is_the_connection_after_the_action(
    gateway: Gateway, name: str, user: int, action: str, status: str
) -> None:
    answer = await act(gateway, name, user, action)
    after = answer.json()
    assert (answer.status_code, after["status"], after["stale"]) == (200, status, False)
    lookup = (await gateway.client.get(f"/v1/connections/{name}/{user}")).json()
    assert after | {"as_of": ""} == lookup | {"as_of": ""}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "user", "action"),
    [
        ("acme", 101, "request"),
        ("acme", 101, "accept"),
        ("acme", 106, "accept"),
        ("acme", 103, "request"),
        ("acme", 104, "reject"),
        ("acme", 105, "reject"),
        ("acme", 105, "remove"),
        ("club", 103, "request"),
        ("club", 101, "accept"),
        ("club", 105, "reject"),
        ("club", 105, "cancel"),
        ("club", 104, "remove"),
    ],
)
async def test_a_state_that_meets_the_goal_is_success_and_nothing_is_sent(
    gateway: Gateway, name: str, user: int, action: str
) -> None:
    answer = await act(gateway, name, user, action)
    assert answer.status_code == 200
    assert Status(answer.json()["status"]) in GOALS[Action(action)]
    assert gateway.simulators[name].calls.calls == 1


@pytest.mark.parametrize(
    ("name", "user", "action", "status"),
    [
        ("acme", 102, "request", "pending_incoming"),
        ("acme", 103, "accept", "pending_outgoing"),
        ("acme", 103, "remove", "pending_outgoing"),
        ("acme", 104, "remove", "rejected"),
        ("acme", 105, "accept", "none"),
        ("acme", 101, "reject", "connected"),
        ("club", 102, "cancel", "pending_incoming"),
        ("club", 103, "reject", "pending_outgoing"),
        ("club", 101, "cancel", "connected"),
    ],
)
async def test_what_is_not_possible_says_what_is(
    gateway: Gateway, name: str, user: int, action: str, status: str
) -> None:
    answer = await act(gateway, name, user, action)
    problem = answer.json()
    assert (answer.status_code, slug(answer)) == (409, "action-not-possible")
    assert (problem["platform"], problem["user_id"]) == (name, str(user))
    assert problem["connection"]["status"] == status
    assert all(action in problem["detail"] for action in problem["connection"]["actions"])
    assert gateway.simulators[name].calls.calls == 1


async def test_an_implicit_connection_cannot_be_removed(gateway: Gateway) -> None:
    answer = await act(gateway, "acme", 106, "remove")
    assert (answer.status_code, slug(answer)) == (409, "action-not-possible")
    assert answer.json()["connection"]["status"] == "connected"
    assert "refuses" in answer.json()["detail"]
    assert gateway.acme.calls.by_path["POST /pod/v1/connection/user/{id}/remove"] == 1


async def test_a_user_who_does_not_exist(gateway: Gateway) -> None:
    answer = await act(gateway, "club", 404404, "request")
    assert (answer.status_code, slug(answer)) == (404, "user-not-found")


async def test_an_action_that_the_platform_lacks(gateway: Gateway) -> None:
    answer = await act(gateway, "acme", 103, "cancel")
    assert (answer.status_code, slug(answer)) == (422, "action-not-offered")
    assert answer.json()["detail"] == "this platform offers request, accept, reject, remove"
    assert gateway.calls == 0


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("nowhere/0/dance", 404, "unknown-platform"),
        ("acme/0/dance", 400, "invalid-request"),
        ("acme/1/dance", 404, "not-found"),
        ("acme/1/Accept", 404, "not-found"),
        ("acme/1/list", 404, "not-found"),
        ("acme/1/accept/", 404, "not-found"),
        ("acme/1/cancel", 422, "action-not-offered"),
        ("acme/1/accept?x=1", 400, "invalid-request"),
    ],
)
async def test_what_is_wrong_is_said_in_its_order_before_anybody_is_asked(
    gateway: Gateway, path: str, status: int, problem: str
) -> None:
    answer = await gateway.client.post(f"/v1/connections/{path}")
    assert (answer.status_code, slug(answer)) == (status, problem)
    assert gateway.calls == 0


async def test_what_is_offered_is_checked_before_the_credential(passing: Gateway) -> None:
    assert slug(await act(passing, "acme", 1, "cancel")) == "action-not-offered"
    assert slug(await act(passing, "acme", 1, "accept")) == "missing-credential"
    assert passing.calls == 0


async def test_an_unknown_action_says_which_there_are(gateway: Gateway) -> None:
    answer = await act(gateway, "acme", 1, "dance")
    assert answer.json()["detail"] == "no such action: expected one of request, accept, reject, cancel, remove"


@pytest.mark.parametrize("body", [b"{}", b" ", b"x" * 1000])
async def test_an_action_takes_no_body(gateway: Gateway, body: bytes) -> None:
    answer = await gateway.client.post("/v1/connections/acme/102/accept", content=body)
    assert (answer.status_code, slug(answer)) == (400, "invalid-request")
    assert answer.json()["detail"] == "body: expected none"
    assert gateway.calls == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_an_action_is_a_post(gateway: Gateway, method: str) -> None:
    answer = await gateway.client.request(method, "/v1/connections/acme/102/accept")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert gateway.calls == 0


async def test_the_callers_token_acts(passing: Gateway) -> None:
    passing.acme.platform.tokens.accept("token-of-103", 103)
    answer = await act(passing, "acme", 1, "accept", sessionToken="token-of-103")
    assert answer.json()["status"] == "connected"
    assert passing.acme.platform.connection(1, 103) == "ACCEPTED"


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


@pytest.mark.parametrize(("timeout", "kept"), [(0.2, 0.1), (0.6, 0.3), (1.0, 0.3), (2.0, 0.5), (60.0, 15.0)])
def test_time_is_kept_for_reading_back(timeout: float, kept: float) -> None:
    assert kept_for_reading_back(timeout) == pytest.approx(kept)


def test_an_action_without_an_answer_is_read_back_in_time() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=30, apply=True))
            answer = await act(gateway, "club", 102, "accept")
            assert answer.json()["status"] == "connected"
            assert asyncio.get_running_loop().time() == pytest.approx(1.5, abs=0.01)

    clock.run(main())


def test_an_action_without_an_answer_that_was_not_done_is_a_timeout() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=30))
            answer = await act(gateway, "club", 102, "accept")
            assert slug(answer) == "platform-timeout"
            assert "read back" in answer.json()["detail"]
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)

    clock.run(main())


def test_an_answer_that_comes_while_reading_back_counts() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=1.8))
            answer = await act(gateway, "club", 102, "accept")
            assert answer.json()["status"] == "connected"
            assert asyncio.get_running_loop().time() == pytest.approx(1.8, abs=0.01)

    clock.run(main())


def test_a_failure_that_comes_while_reading_back_leaves_it_unknown() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=1.8, status=500))
            assert slug(await act(gateway, "club", 102, "accept")) == "outcome-unknown"

    clock.run(main())


def test_a_certain_refusal_that_comes_while_reading_back_is_told() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(
                Fault(path="/accept/", delay=1.7, status=403),
                Fault(path="/connection_status/", times=1, delay=0.1),
                Fault(path="/connection_status/", status=500),
            )
            assert slug(await act(gateway, "club", 102, "accept")) == "platform-forbidden"

    clock.run(main())


def test_an_action_whose_first_read_hangs_sends_nothing() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.acme.misbehave(Fault(path="/login/", delay=1.5), Fault(delay=30))
            answer = await act(gateway, "acme", 102, "accept")
            assert slug(answer) == "platform-timeout"
            assert "nothing was sent" in answer.json()["detail"]
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)

    clock.run(main())


def test_a_platform_that_hangs_after_the_action_leaves_it_unknown() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/connection_status/", times=1, delay=0.1), Fault(delay=30))
            answer = await act(gateway, "club", 102, "accept")
            assert slug(answer) == "outcome-unknown"
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)

    clock.run(main())


def test_a_read_that_leaves_no_time_to_act_sends_nothing() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/connection_status/", delay=1.6))
            assert slug(await act(gateway, "club", 102, "accept")) == "platform-timeout"
            await asyncio.sleep(10)
            assert gateway.club.calls.calls == 1

    clock.run(main())


@pytest.mark.parametrize(
    ("patience", "problem"), [("100", "platform-timeout"), ("700", "outcome-unknown")], ids=["unsent", "sent"]
)
def test_an_impatient_caller_hears_what_is_known_and_the_action_runs_on(patience: str, problem: str) -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=0.4))
            answer = await act(gateway, "club", 102, "accept", **{"X-Request-Timeout-Ms": patience})
            assert slug(answer) == problem
            assert asyncio.get_running_loop().time() == pytest.approx(int(patience) / 1000, abs=0.05)
            assert gateway.club.platform.connection(1, 102) == "received_connection_request"
            await asyncio.sleep(10)
            assert gateway.club.platform.connection(1, 102) == "connected"
            assert gateway.club.calls.calls == 2

    clock.run(main())


def test_an_action_under_way_ends_before_the_gateway_does() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=0.4))
            await act(gateway, "club", 102, "accept", **{"X-Request-Timeout-Ms": "100"})
        assert gateway.club.platform.connection(1, 102) == "connected"
        assert len(asyncio.all_tasks()) == 1

    clock.run(main())


def test_a_reading_that_fails_as_the_action_succeeds_is_nobodys_news() -> None:
    """Both come back at the same moment."""

    async def main() -> None:
        unseen: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(
                Fault(path="/accept/", delay=1.75),
                Fault(path="/connection_status/", times=1, delay=0.25),
                Fault(path="/connection_status/", delay=0.5, status=500),
            )
            answer = await act(gateway, "club", 102, "accept")
            assert answer.json()["status"] == "connected"
            assert asyncio.get_running_loop().time() == 2.0
        gc.collect()
        assert unseen == []

    clock.run(main())


def test_an_action_that_outlives_its_attempt_ends_before_the_gateway_does() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=1.8), Fault(delay=0.8))
            await act(gateway, "club", 102, "accept", **{"X-Request-Timeout-Ms": "100"})
        assert gateway.club.platform.connection(1, 102) == "connected"
        assert len(asyncio.all_tasks()) == 1

    clock.run(main())


def test_an_action_that_turns_out_impossible_when_nobody_waits_is_nobodys_news() -> None:
    async def main() -> None:
        unseen: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=0.4))
            await act(gateway, "club", 103, "accept", **{"X-Request-Timeout-Ms": "100"})
            await asyncio.sleep(10)
        gc.collect()
        assert unseen == []

    clock.run(main())

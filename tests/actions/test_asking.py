"""`POST /v1/connections/{platform}/{user_id}/{action}`, as a caller sees it."""

from __future__ import annotations

import pytest

from adapters.contract import Action, Status
from adapters.simulation.faults import Fault
from gateway.platforms.actions import GOALS
from tests.actions.asking import act, slug
from tests.gateways import Gateway


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
    """Nor is that offered: it has none of the fields that tell of a request."""
    found = (await gateway.client.get("/v1/connections/acme/106")).json()
    assert (found["status"], found["actions"], found["request_count"]) == ("connected", [], None)
    many = await gateway.client.get("/v1/connections?platform=acme&status=all&user_id=106&user_id=101")
    assert [each["actions"] for each in many.json()["connections"]] == [["remove"], []]
    answer = await act(gateway, "acme", 106, "remove")
    assert (answer.status_code, slug(answer)) == (409, "action-not-possible")
    assert (answer.json()["connection"]["status"], answer.json()["connection"]["actions"]) == ("connected", [])
    assert "POST /pod/v1/connection/user/{id}/remove" not in gateway.acme.calls.by_path


async def test_what_was_just_refused_is_not_offered(gateway: Gateway) -> None:
    gateway.acme.misbehave(Fault(path="/remove", status=400, body='{"code": 400, "message": "no"}'))
    answer = await act(gateway, "acme", 101, "remove")
    assert (answer.status_code, slug(answer)) == (409, "action-not-possible")
    assert "refuses" in answer.json()["detail"]
    assert answer.json()["connection"]["actions"] == []
    assert (await gateway.client.get("/v1/connections/acme/101")).json()["actions"] == ["remove"]


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

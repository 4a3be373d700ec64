"""What a viewer can do on the simulated pod, over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.simulation.clients import STATUS, both_sides

ACTIONS = ("create", "accept", "reject", "remove")


async def act(pod: httpx.AsyncClient, action: str, user: int | str, **headers: str) -> httpx.Response:
    if action == "remove":
        return await pod.post(f"/pod/v1/connection/user/{user}/remove", headers=headers)
    return await pod.post(f"/pod/v1/connection/{action}", json={"userId": user}, headers=headers)


@pytest.mark.parametrize(
    ("action", "user", "ours", "theirs"),
    [
        ("create", 105, "PENDING_OUTGOING", "PENDING_INCOMING"),
        ("create", 104, "PENDING_OUTGOING", "PENDING_INCOMING"),
        ("accept", 102, "ACCEPTED", "ACCEPTED"),
        ("accept", 106, "ACCEPTED", "ACCEPTED"),
        ("reject", 102, "REJECTED", "REJECTED"),
        ("remove", 101, None, None),
        ("remove", 1000, None, None),
    ],
)
async def test_an_action_changes_both_sides(
    pod: httpx.AsyncClient, action: str, user: int, ours: str | None, theirs: str | None
) -> None:
    assert (await act(pod, action, user)).status_code == 200
    assert await both_sides(pod, "symphony", user) == (ours, theirs)


@pytest.mark.parametrize(("action", "user"), [("create", 104), ("create", 105), ("accept", 102), ("reject", 102)])
async def test_an_action_answers_as_info_does_afterwards(pod: httpx.AsyncClient, action: str, user: int) -> None:
    answer = await act(pod, action, user)
    assert answer.content == (await pod.get(STATUS["symphony"].format(user))).content


async def test_a_removal_is_answered_with_a_sentence(pod: httpx.AsyncClient) -> None:
    assert (await act(pod, "remove", 101)).text == '{"format":"TEXT","message":"Connection Removed."}'


async def test_a_first_request_is_counted_once(pod: httpx.AsyncClient) -> None:
    created = (await act(pod, "create", 105)).json()
    assert list(created) == ["userId", "status", "firstRequestedAt", "updatedAt", "requestCounter"]
    assert created["firstRequestedAt"] == created["updatedAt"]
    assert created["requestCounter"] == 1


async def test_another_request_keeps_the_time_of_the_first(pod: httpx.AsyncClient) -> None:
    created = (await act(pod, "create", 104)).json()
    assert (created["firstRequestedAt"], created["requestCounter"]) == (1470018073812, 2)
    assert created["updatedAt"] > 1471018076255


@pytest.mark.parametrize("action", ["accept", "reject"])
async def test_an_answer_to_a_request_is_no_request(pod: httpx.AsyncClient, action: str) -> None:
    settled = (await act(pod, action, 102)).json()
    assert (settled["firstRequestedAt"], settled["requestCounter"]) == (1470018073812, 1)
    assert settled["updatedAt"] > 1471018076255


async def test_accepting_an_implicit_connection_leaves_it_implicit(pod: httpx.AsyncClient) -> None:
    assert (await act(pod, "accept", 106)).text == '{"userId":106,"status":"ACCEPTED"}'
    accepted = (await pod.get("/pod/v1/connection/list", params={"status": "ACCEPTED"})).json()
    assert 106 not in [each["userId"] for each in accepted]


@pytest.mark.parametrize(
    ("action", "user", "status"),
    [
        *[("create", user, 400) for user in (1, 101, 102, 103, 106)],
        *[("accept", user, 400) for user in (101, 103, 104)],
        *[("reject", user, 400) for user in (101, 103, 104, 106)],
        *[("remove", user, 400) for user in (102, 103, 104, 106)],
        *[(action, 105, 404) for action in ("accept", "reject", "remove")],
        *[(action, 404404, 404) for action in ACTIONS],
    ],
)
async def test_an_action_that_is_refused_changes_nothing(
    pod: httpx.AsyncClient, action: str, user: int, status: int
) -> None:
    before = await pod.get(STATUS["symphony"].format(user))
    assert (await act(pod, action, user)).status_code == status
    after = await pod.get(STATUS["symphony"].format(user))
    assert (after.status_code, after.content) == (before.status_code, before.content)


@pytest.mark.parametrize(
    ("action", "user", "status"),
    [("create", 105, 400), ("accept", 102, 400), ("reject", 102, 400), ("remove", 101, 404)],
)
async def test_an_action_is_done_once(pod: httpx.AsyncClient, action: str, user: int, status: int) -> None:
    codes = [(await act(pod, action, user)).status_code for _ in range(2)]
    assert codes == [200, status]


@pytest.mark.parametrize("action", ["create", "accept", "reject"])
@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"userId": "102"}', '{"userId": 0}', '{"userId": 9223372036854775808}', "[" * 100_000, b"\xff"],
    ids=lambda body: str(body[:20]),
)  # fmt: skip
async def test_an_action_on_what_is_no_user_is_refused(
    pod: httpx.AsyncClient, action: str, body: str | bytes
) -> None:
    assert (await pod.post(f"/pod/v1/connection/{action}", content=body)).status_code == 400


@pytest.mark.parametrize("user", ["abc", "0", "9223372036854775808"])
async def test_a_removal_of_what_is_no_user_is_refused(pod: httpx.AsyncClient, user: str) -> None:
    assert (await act(pod, "remove", user)).status_code == 400


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_action_is_a_sessions(pod: httpx.AsyncClient, action: str) -> None:
    assert (await act(pod, action, 101, sessionToken="x")).status_code == 401

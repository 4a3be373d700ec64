"""What a viewer can do in the simulated community, over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.simulation.clients import both_sides, status, token_of

ACTIONS = ("request", "accept", "reject", "cancel_request", "remove")


async def act(community: httpx.AsyncClient, action: str, user: int | str, **headers: str) -> httpx.Response:
    return await community.post(f"/api/v2/user/{user}/connection/{action}/", headers=headers)


@pytest.mark.parametrize(
    ("action", "user", "ours", "theirs"),
    [
        ("request", 105, "sent_connection_request", "received_connection_request"),
        ("request", 104, "sent_connection_request", "received_connection_request"),
        ("accept", 102, "connected", "connected"),
        ("reject", 102, None, None),
        ("cancel_request", 103, None, None),
        ("remove", 101, None, None),
    ],
)
async def test_an_action_answers_the_status_and_changes_both_sides(
    community: httpx.AsyncClient, action: str, user: int, ours: str | None, theirs: str | None
) -> None:
    assert (await act(community, action, user)).json() == {"connection_status": ours}
    assert await both_sides(community, "selfcommunity", user) == (ours, theirs)


@pytest.mark.parametrize(
    ("action", "user", "status_code"),
    [
        *[("request", user, 400) for user in (1, 101, 102, 103)],
        *[("accept", user, 400) for user in (1, 101, 103, 104, 105)],
        *[("reject", user, 400) for user in (1, 101, 103, 104, 105)],
        *[("cancel_request", user, 400) for user in (1, 101, 102, 104, 105)],
        *[("remove", user, 400) for user in (1, 102, 103, 104, 105)],
        *[(action, user, 404) for action in ACTIONS for user in (404404, "abc")],
    ],
)
async def test_an_action_that_is_refused_changes_nothing(
    community: httpx.AsyncClient, action: str, user: int, status_code: int
) -> None:
    before = await status(community, "selfcommunity", user)
    assert (await act(community, action, user)).status_code == status_code
    assert await status(community, "selfcommunity", user) == before


@pytest.mark.parametrize(
    ("action", "user"), [("request", 105), ("accept", 102), ("reject", 102), ("cancel_request", 103), ("remove", 101)]
)
async def test_an_action_is_done_once(community: httpx.AsyncClient, action: str, user: int) -> None:
    codes = [(await act(community, action, user)).status_code for _ in range(2)]
    assert codes == [200, 400]


@pytest.mark.parametrize(
    ("path", "whose", "viewer"), [("requests", "from_user", 1), ("requests_sent", "to_user", 102)]
)
async def test_a_rejected_request_stays_in_both_lists(
    community: httpx.AsyncClient, path: str, whose: str, viewer: int
) -> None:
    await act(community, "reject", 102)
    headers = await token_of(community, "selfcommunity", viewer)
    found = (await community.get(f"/api/v2/user/connection/{path}/", headers=headers)).json()["results"]
    assert [each[whose]["id"] for each in found] == [102 if viewer == 1 else 1]
    assert [(each["created"], each["rejected"] is None) for each in found] == [("2026-01-05T09:30:00.123456Z", False)]


@pytest.mark.parametrize(
    ("action", "user", "path"), [("accept", 102, "requests"), ("cancel_request", 103, "requests_sent")]
)
async def test_a_settled_request_leaves_its_list(
    community: httpx.AsyncClient, action: str, user: int, path: str
) -> None:
    await act(community, action, user)
    found = (await community.get(f"/api/v2/user/connection/{path}/")).text
    assert f'"id":{user}' not in found


async def test_a_new_request_takes_the_place_of_a_declined_one(community: httpx.AsyncClient) -> None:
    await act(community, "request", 104)
    found = (await community.get("/api/v2/user/connection/requests_sent/")).json()["results"]
    assert [(each["to_user"]["id"], each["rejected"]) for each in found] == [(103, None), (104, None)]


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_action_is_a_viewers(community: httpx.AsyncClient, action: str) -> None:
    assert (await act(community, action, 101, Authorization="Bearer x")).status_code == 401

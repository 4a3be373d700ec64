"""`GET /v1/connections`: what is listed, for whom, and what can't be asked."""

from __future__ import annotations

import pytest

from tests.gateways import CALLERS, OWN, Gateway, running
from tests.lists.asking import PENDING, Query, get, listed, names, pages, slugs


async def test_the_inbox_is_what_is_pending_on_every_platform(gateway: Gateway) -> None:
    page = await listed(gateway)
    assert names(page) == PENDING
    assert list(page) == ["connections", "errors", "next_cursor", "complete"]
    assert (page["errors"], page["next_cursor"], page["complete"]) == ([], None, True)


async def test_an_entry_has_the_common_schema(gateway: Gateway) -> None:
    page = await listed(gateway, ("platform", "club"), ("status", "pending_incoming"))
    assert page["connections"][0] | {"as_of": ""} == {
        "platform": "club",
        "user_id": "102",
        "status": "pending_incoming",
        "native_status": "received_connection_request",
        "actions": ["accept", "reject"],
        "first_requested_at": "2026-01-05T09:30:00.123Z",
        "updated_at": None,
        "request_count": None,
        "as_of": "",
        "stale": False,
    }


async def test_a_declined_request_is_rejected_in_a_communitys_list(gateway: Gateway) -> None:
    page = await listed(gateway, ("platform", "club"), ("status", "rejected"))
    assert page["connections"][0] | {"as_of": ""} == {
        "platform": "club",
        "user_id": "104",
        "status": "rejected",
        "native_status": None,
        "actions": [],
        "first_requested_at": "2026-01-05T09:30:00.123Z",
        "updated_at": "2026-01-06T18:00:00.000Z",
        "request_count": None,
        "as_of": "",
        "stale": False,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([("platform", "club")], PENDING[2:]),
        ([("platform", "club"), ("platform", "acme")], PENDING),
        ([("platform", "club"), ("platform", "club")], PENDING[2:]),
        ([("status", "pending_outgoing")], ["acme/103", "club/103"]),
        ([("status", "rejected")], ["acme/104", "club/104"]),
        ([("status", "rejected"), ("status", "pending_incoming")], ["acme/102", "acme/104", "club/102", "club/104"]),
    ],
)
async def test_filters_repeat(gateway: Gateway, query: Query, expected: list[str]) -> None:
    assert sorted(names(await listed(gateway, *query))) == expected


async def test_all_is_every_status_but_none(gateway: Gateway) -> None:
    found = names(*await pages(gateway, ("status", "all"), ("limit", 500)))
    everybody = [101, 102, 103, 104, *range(1000, 2000)]
    assert sorted(found) == sorted(f"{name}/{user}" for name in ("acme", "club") for user in everybody)


async def test_named_users_are_looked_up(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in (404404, 106, 105, 104, 102, 101)]
    page = await listed(gateway, ("status", "all"), *query)
    assert names(page) == ["acme/101", "acme/102", "acme/104", "acme/106", "club/101", "club/102"]
    assert page["errors"] == []


async def test_named_users_are_filtered_by_their_status(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in (101, 102, 103, 104)]
    assert names(await listed(gateway, *query)) == PENDING
    assert names(await listed(gateway, *query, ("status", "rejected"))) == ["acme/104"]


async def test_a_thousand_may_be_named(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in range(1000, 2000)]
    found = await pages(gateway, ("platform", "acme"), ("status", "all"), ("limit", 500), *query)
    assert len(names(*found)) == 1000
    answer = await get(gateway, *query, ("user_id", "2000"))
    assert answer.json()["detail"] == "user_id: expected at most 1000 users"


@pytest.mark.parametrize(
    ("query", "status", "problem", "detail"),
    [
        ([("platform", "nowhere")], 404, "unknown-platform", "no platform of this name"),
        ([("platform", "acme"), ("platform", "nowhere")], 404, "unknown-platform", "no platform of this name"),
        ([("platform", "")], 404, "unknown-platform", "no platform of this name"),
        ([("platform", "nowhere"), ("x", "1")], 404, "unknown-platform", "no platform of this name"),
        ([("x", "1")], 400, "invalid-request", "query: unknown parameter 'x', expected some of platform, status"),
        ([("Status", "all")], 400, "invalid-request", "query: unknown parameter 'Status'"),
        ([("769658112378", "")], 400, "invalid-request", "query: unknown parameter, expected some of platform, status"),
        ([("status", "none")], 400, "invalid-request", "status: expected some of connected, pending_incoming"),
        ([("status", "")], 400, "invalid-request", "status: expected some of"),
        ([("status", "ALL")], 400, "invalid-request", "status: expected some of"),
        ([("status", "all"), ("status", "x")], 400, "invalid-request", "status: expected some of"),
        ([("user_id", "0")], 400, "invalid-request", "user_id: expected a user id"),
        ([("user_id", "1,2")], 400, "invalid-request", "user_id: expected a user id"),
        ([("user_id", "1"), ("user_id", "x")], 400, "invalid-request", "user_id: expected a user id"),
        *[([("limit", text)], 400, "invalid-request", "limit: expected a number from 1 to 500") for text in ("0", "501", "-1", "1.5", "01", "", "ten", "9" * 5000, "\u0661")],
        ([("limit", "1"), ("limit", "1")], 400, "invalid-request", "limit: expected once"),
        ([("cursor", "x"), ("cursor", "x")], 400, "invalid-request", "cursor: expected once"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_before_anybody_is_asked(
    gateway: Gateway, query: Query, status: int, problem: str, detail: str
) -> None:
    answer = await get(gateway, *query)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    assert answer.json()["detail"].startswith(detail)
    assert gateway.calls == 0


async def test_a_missing_credential_is_its_platforms_alone(passing: Gateway) -> None:
    page = await listed(passing, sessionToken="demo")
    assert names(page) == PENDING[:2]
    assert slugs(page) == {"club": "missing-credential"}


async def test_everybody_has_a_list_of_their_own(passing: Gateway) -> None:
    passing.acme.platform.tokens.accept("token-of-103", 103)
    page = await listed(passing, ("platform", "acme"), sessionToken="token-of-103")
    assert names(page) == ["acme/1"]


@pytest.mark.parametrize("credentials", [OWN, CALLERS])
async def test_connected_users_of_a_community_are_the_viewers(credentials: dict[str, dict[str, str]]) -> None:
    async with running(credentials) as gateway:
        gateway.club.platform.set_connection(102, 5000, "connected")
        gateway.club.platform.tokens.accept("token-of-102", 102)
        token = {"Authorization": "Bearer token-of-102"}
        page = await listed(gateway, ("platform", "club"), ("status", "connected"), ("limit", 3), **token)
        assert names(page) == (["club/101", "club/1000", "club/1001"] if credentials is OWN else ["club/5000"])


async def test_the_headers_are_those_of_a_read(gateway: Gateway) -> None:
    headers = (await get(gateway)).headers
    assert headers["cache-control"] == "private, no-cache"
    assert headers["vary"] == "X-API-Key, sessionToken, Authorization, X-Platform-Token, X-On-Behalf-Of, Accept"


async def test_a_list_is_logged_without_its_filters(gateway: Gateway) -> None:
    await get(gateway, ("user_id", "769658112378"))
    (line,) = gateway.logged()
    assert line["route"] == "/v1/connections"
    assert "769658112378" not in "".join(gateway.lines)

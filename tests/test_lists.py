"""`GET /v1/connections`: one list over any platforms, in pages."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import msgspec
import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import CALLERS, OWN, Gateway, running

Query = list[tuple[str, str]]


async def get(gateway: Gateway, *query: tuple[str, str | int], **headers: str) -> httpx.Response:
    return await gateway.client.get("/v1/connections", params=list(query), headers=headers)


async def listed(gateway: Gateway, *query: tuple[str, str | int], **headers: str) -> dict[str, Any]:
    answer = await get(gateway, *query, **headers)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def pages(gateway: Gateway, *query: tuple[str, str | int]) -> list[dict[str, Any]]:
    """All of them, to the end."""
    found = [await listed(gateway, *query)]
    while cursor := found[-1]["next_cursor"]:
        found.append(await listed(gateway, *query, ("cursor", cursor)))
    return found


def names(*found: dict[str, Any]) -> list[str]:
    """`acme/102`, …"""
    return [f"{each['platform']}/{each['user_id']}" for page in found for each in page["connections"]]


def slugs(page: dict[str, Any]) -> dict[str, str]:
    return {each["platform"]: each["type"].removeprefix("/problems/") for each in page["errors"]}


PENDING = ["acme/102", "acme/103", "club/102", "club/103"]


async def test_the_inbox_is_what_is_pending_on_every_platform(gateway: Gateway) -> None:
    page = await listed(gateway)
    assert names(page) == PENDING
    assert list(page) == ["connections", "errors", "next_cursor"]
    assert (page["errors"], page["next_cursor"]) == ([], None)


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


async def test_an_answer_that_redirects_says_where_to_look(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(status=301))
    (error,) = (await listed(gateway, ("platform", "club")))["errors"]
    assert error["detail"] == "the platform redirects (301): is base_url right?"


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


async def test_named_users_are_looked_up(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in (404404, 106, 105, 104, 102, 101)]
    page = await listed(gateway, ("status", "all"), *query)
    assert names(page) == ["acme/101", "acme/102", "acme/104", "acme/106", "club/101", "club/102"]
    assert page["errors"] == []


async def test_named_users_are_filtered_by_their_status(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in (101, 102, 103, 104)]
    assert names(await listed(gateway, *query)) == PENDING
    assert names(await listed(gateway, *query, ("status", "rejected"))) == ["acme/104"]


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
async def test_named_users_come_in_pages_as_well(gateway: Gateway, limit: int) -> None:
    query = [("user_id", str(user)) for user in (1002, 1001, 101, 105, 1000, 106)]
    found = await pages(gateway, ("platform", "acme"), ("status", "all"), ("limit", limit), *query)
    assert all(len(page["connections"]) <= limit for page in found)
    assert names(*found) == ["acme/101", "acme/106", "acme/1000", "acme/1001", "acme/1002"]


async def test_a_thousand_may_be_named(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in range(1000, 2000)]
    found = await pages(gateway, ("platform", "acme"), ("status", "all"), ("limit", 500), *query)
    assert len(names(*found)) == 1000
    answer = await get(gateway, *query, ("user_id", "2000"))
    assert answer.json()["detail"] == "user_id: expected at most 1000 users"


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


async def test_named_users_of_whom_nobody_counts_cost_few_pages(gateway: Gateway) -> None:
    query = [("user_id", str(user)) for user in range(5000, 5250)]
    found = await pages(gateway, ("platform", "acme"), ("limit", 1), *query)
    assert (len(found), names(*found)) == (3, [])
    assert gateway.acme.calls.calls == 6


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


async def test_one_pending_behind_many_declined_costs_few_calls(gateway: Gateway) -> None:
    for user in range(5000, 5500):
        gateway.club.platform.set_connection(1, user, "received_connection_request")
        await gateway.client.post(f"/v1/connections/club/{user}/reject")
    gateway.club.platform.set_connection(1, 6000, "received_connection_request")
    gateway.club.calls.reset()
    query = (("platform", "club"), ("status", "pending_incoming"), ("limit", 1))
    assert names(*await pages(gateway, *query)) == ["club/102", "club/6000"]
    assert gateway.club.calls.calls <= 8


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


async def cursor(gateway: Gateway, *query: tuple[str, str | int]) -> list[Any]:
    """A good one, taken apart."""
    text = (await listed(gateway, ("limit", 1), *query))["next_cursor"]
    parts: list[Any] = msgspec.msgpack.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return parts


def made_up(parts: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(parts)).rstrip(b"=").decode()


async def refused(gateway: Gateway, text: str, *query: tuple[str, str | int]) -> str:
    gateway.acme.calls.reset()
    answer = await get(gateway, *query, ("cursor", text))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
    detail = str(answer.json()["detail"])
    assert detail.startswith("cursor: expected the next_cursor of an answer")
    assert gateway.calls == 0
    return detail


@pytest.mark.parametrize("text", ["", "x", "====", "a b", "\u00e9", "lA==", "A" * 5000, "_-_-", "null", "gA", "kA"])
async def test_what_is_no_cursor_is_refused(gateway: Gateway, text: str) -> None:
    await refused(gateway, text)


@pytest.mark.parametrize(
    "query", [[("status", "all")], [("platform", "acme")], [("user_id", "102")], [("status", "pending_incoming")]]
)
async def test_a_cursor_of_other_filters_is_refused(gateway: Gateway, query: Query) -> None:
    detail = await refused(gateway, made_up(await cursor(gateway)), *query)
    assert detail.endswith("to the same filters")


async def test_filters_may_be_written_in_another_order(gateway: Gateway) -> None:
    first = await listed(gateway, ("status", "rejected"), ("status", "pending_incoming"), ("limit", 1))
    again = [("status", "pending_incoming"), ("status", "rejected"), ("status", "rejected")]
    assert names(await listed(gateway, *again, ("cursor", first["next_cursor"])))


@pytest.mark.parametrize(
    "change",
    [
        {0: 2},
        {0: "1"},
        {1: b"\x00" * 8},
        {1: b""},
        {2: "nowhere"},
        {2: ""},
        {3: [1, 102]},
        {3: [0, 0]},
        {3: [0, -1]},
        {3: [0, 2**63]},
        {3: [256, 1]},
        {3: [0]},
        {3: [0, 1, 2]},
        {3: 102},
        {3: [0.5, 1]},
        {2: "club", 3: [2, 0]},
        {2: "club", 3: [0, 2**31]},
        {2: "club", 3: [9, 0]},
    ],
    ids=str,
)
async def test_a_forged_cursor_is_refused(gateway: Gateway, change: dict[int, Any]) -> None:
    parts = await cursor(gateway)
    for place, value in change.items():
        parts[place] = value
    await refused(gateway, made_up(parts))


async def test_a_cursor_with_more_in_it_is_refused(gateway: Gateway) -> None:
    parts = await cursor(gateway)
    await refused(gateway, made_up([*parts, 1]))
    await refused(gateway, made_up(parts) + "A")


@pytest.mark.parametrize("position", [[1, 101], [0, 103], [0, 102]])
async def test_a_forged_position_among_named_users_is_refused(gateway: Gateway, position: list[int]) -> None:
    query = (("user_id", 102), ("user_id", 101), ("status", "all"))
    parts = await cursor(gateway, *query)
    parts[3] = position
    await refused(gateway, made_up(parts), *query)


async def test_a_cursor_grants_nothing(passing: Gateway) -> None:
    page = await listed(passing, ("limit", 1), ("platform", "acme"), sessionToken="demo")
    query = (("platform", "acme"), ("cursor", page["next_cursor"]))
    assert slugs(await listed(passing, *query)) == {"acme": "missing-credential"}
    passing.acme.platform.tokens.accept("token-of-102", 102)
    assert names(await listed(passing, *query, sessionToken="token-of-102")) == []


async def test_a_cursor_needs_no_escaping(gateway: Gateway) -> None:
    page = await listed(gateway, ("limit", 1))
    answer = await gateway.client.get(f"/v1/connections?cursor={page['next_cursor']}")
    assert names(page, answer.json()) == PENDING


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
    assert headers["vary"] == "sessionToken, Authorization, X-Platform-Token, X-On-Behalf-Of"


async def test_it_is_logged_without_its_filters(gateway: Gateway) -> None:
    await get(gateway, ("user_id", "769658112378"))
    (line,) = gateway.logged()
    assert line["route"] == "/v1/connections"
    assert "769658112378" not in "".join(gateway.lines)

"""`list` of the simulated pod, over HTTP."""

from __future__ import annotations

import httpx
import pytest

LIST = "/pod/v1/connection/list"
SEEDED = "101,102,103,104,105,106,404404"


async def listed(pod: httpx.AsyncClient, **query: str) -> dict[int, str]:
    answer = (await pod.get(LIST, params=query)).json()
    return {each["userId"]: each["status"] for each in answer}


async def test_a_list_without_a_status_is_of_both_pending_ones(pod: httpx.AsyncClient) -> None:
    assert await listed(pod) == {102: "PENDING_INCOMING", 103: "PENDING_OUTGOING"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PENDING_INCOMING", {102}),
        ("PENDING_OUTGOING", {103}),
        ("ACCEPTED", {101, *range(1000, 2000)}),
        ("REJECTED", {104}),
        ("ALL", {101, 102, 103, 104, *range(1000, 2000)}),
    ],
)
async def test_a_list_is_of_one_status_or_all(pod: httpx.AsyncClient, status: str, expected: set[int]) -> None:
    assert set(await listed(pod, status=status)) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("", {102: "PENDING_INCOMING", 103: "PENDING_OUTGOING"}),
        ("PENDING_INCOMING", {102: "PENDING_INCOMING"}),
        ("PENDING_OUTGOING", {103: "PENDING_OUTGOING"}),
        ("ACCEPTED", {101: "ACCEPTED", 106: "ACCEPTED"}),
        ("REJECTED", {104: "REJECTED"}),
        ("ALL", {101: "ACCEPTED", 102: "PENDING_INCOMING", 103: "PENDING_OUTGOING", 104: "REJECTED"}),
    ],
)
async def test_a_list_of_named_users_leaves_out_who_has_another_status_or_none(
    pod: httpx.AsyncClient, status: str, expected: dict[int, str]
) -> None:
    assert await listed(pod, status=status, userIds=SEEDED) == expected


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "ALL", "userIds": "106"}, True),
        ({"status": "ACCEPTED", "userIds": "106"}, True),
        ({"status": "REJECTED", "userIds": "106"}, False),
        ({"status": "ALL"}, False),
        ({}, False),
    ],
)
async def test_all_has_implicit_connections_where_it_is_switched_so(
    pod: httpx.AsyncClient, query: dict[str, str], found: bool
) -> None:
    await pod.put("/_simulator/switches", json={"all_has_implicit": True})
    assert (106 in await listed(pod, **query)) is found


async def test_an_entrys_fields_come_in_their_order_or_not_at_all(pod: httpx.AsyncClient) -> None:
    answer = await pod.get(LIST, params={"status": "ACCEPTED", "userIds": "101,1000,106"})
    assert answer.text == (
        '[{"userId":101,"status":"ACCEPTED","firstRequestedAt":1470018073812,'
        '"updatedAt":1471018076255,"requestCounter":1},'
        '{"userId":1000,"status":"ACCEPTED"},{"userId":106,"status":"ACCEPTED"}]'
    )


@pytest.mark.parametrize(
    "query",
    [
        {"status": "FRIENDS"},
        {"status": "all"},
        {"userIds": "abc"},
        {"userIds": "101,,102"},
        {"userIds": "101, 102"},
        {"userIds": "0"},
        {"userIds": "-1"},
        {"userIds": "9223372036854775808"},
    ],
    ids=str,
)
async def test_a_list_of_what_is_none_is_refused(pod: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert (await pod.get(LIST, params=query)).status_code == 400


async def test_a_list_is_a_sessions(pod: httpx.AsyncClient) -> None:
    assert (await pod.get(LIST, headers={"sessionToken": "x"})).status_code == 401

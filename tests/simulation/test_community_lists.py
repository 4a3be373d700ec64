"""Many connections at once in the simulated community, over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.simulation.clients import token_of

STATUSES = "/api/v2/user/connection/statuses/"
RECEIVED = "/api/v2/user/connection/requests/"
SENT = "/api/v2/user/connection/requests_sent/"
CONNECTIONS = "/api/v2/user/{}/connections/"


async def page(community: httpx.AsyncClient, path: str, viewer: int = 1, **query: str) -> Any:
    headers = await token_of(community, "selfcommunity", viewer)
    return (await community.get(path, params=query, headers=headers)).json()


async def test_the_statuses_of_many_leave_out_who_does_not_exist(community: httpx.AsyncClient) -> None:
    answer = await community.post(STATUSES, json={"users": [101, 102, 103, 104, 105, 404404]})
    assert answer.text == (
        '{"connection_statuses":{"101":"connected","102":"received_connection_request",'
        '"103":"sent_connection_request","104":null,"105":null}}'
    )


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"users": "1"}', '{"users": ["1"]}', '{"users": [0]}', "[" * 100_000, b"\xff"],
    ids=lambda body: str(body[:20]),
)  # fmt: skip
async def test_the_statuses_of_what_are_no_users_are_refused(community: httpx.AsyncClient, body: str | bytes) -> None:
    assert (await community.post(STATUSES, content=body)).status_code == 400


async def test_a_received_request_is_described(community: httpx.AsyncClient) -> None:
    assert (await community.get(RECEIVED)).text == (
        '{"count":1,"next":null,"previous":null,"results":[{"from_user":{"id":102,"username":"user-102"},'
        '"created":"2026-01-05T09:30:00.123456Z","rejected":null,"viewed":null}]}'
    )


async def test_a_declined_request_stays_with_who_sent_it(community: httpx.AsyncClient) -> None:
    found = await page(community, SENT)
    assert [(each["to_user"]["id"], each["rejected"]) for each in found["results"]] == [
        (103, None),
        (104, "2026-01-06T18:00:00Z"),
    ]


async def test_a_declined_request_stays_with_who_declined_it(community: httpx.AsyncClient) -> None:
    found = await page(community, RECEIVED, viewer=104)
    assert [(each["from_user"]["id"], each["rejected"]) for each in found["results"]] == [(1, "2026-01-06T18:00:00Z")]


@pytest.mark.parametrize(("viewer", "user", "count"), [(1, 1, 1001), (1, 101, 1), (101, 1, 1001), (1, 102, 0)])
async def test_anyones_connections_are_told(community: httpx.AsyncClient, viewer: int, user: int, count: int) -> None:
    assert (await page(community, CONNECTIONS.format(user), viewer))["count"] == count


async def test_a_connected_user_is_described(community: httpx.AsyncClient) -> None:
    found = await page(community, CONNECTIONS.format(101))
    assert found["results"] == [{"id": 1, "username": "demo"}]


@pytest.mark.parametrize(
    ("query", "results", "following", "previous"),
    [
        ({}, [101, *range(1000, 1019)], {"limit": "20", "offset": "20"}, None),
        ({"limit": "2"}, [101, 1000], {"limit": "2", "offset": "2"}, None),
        ({"limit": "2", "offset": "3"}, [1002, 1003], {"limit": "2", "offset": "5"}, {"limit": "2", "offset": "1"}),
        ({"limit": "2", "offset": "999"}, [1998, 1999], None, {"limit": "2", "offset": "997"}),
        ({"limit": "2", "offset": "1000"}, [1999], None, {"limit": "2", "offset": "998"}),
        ({"limit": "2", "offset": "2000"}, [], None, {"limit": "2", "offset": "1998"}),
        ({"limit": "101"}, [101, *range(1000, 1099)], {"limit": "100", "offset": "100"}, None),
        ({"limit": "x", "offset": "-1"}, [101, *range(1000, 1019)], {"limit": "20", "offset": "20"}, None),
    ],
    ids=str,
)
async def test_a_list_comes_in_pages(
    community: httpx.AsyncClient,
    query: dict[str, str],
    results: list[int],
    following: dict[str, str] | None,
    previous: dict[str, str] | None,
) -> None:
    found = await page(community, CONNECTIONS.format(1), 1, **query)
    assert found["count"] == 1001
    assert [each["id"] for each in found["results"]] == results
    assert [asked(found["next"]), asked(found["previous"])] == [following, previous]


def asked(url: str | None) -> dict[str, str] | None:
    return None if url is None else dict(parse_qsl(urlsplit(url).query))


async def test_the_next_page_has_an_absolute_address(community: httpx.AsyncClient) -> None:
    found = await page(community, SENT, limit="1")
    assert found["next"] == f"{str(community.base_url).rstrip('/')}{SENT}?limit=1&offset=1"
    assert (await community.get(found["next"])).json()["results"][0]["to_user"]["id"] == 104


@pytest.mark.parametrize("path", [RECEIVED, SENT, CONNECTIONS.format(1)])
async def test_a_list_is_a_viewers(community: httpx.AsyncClient, path: str) -> None:
    assert (await community.get(path, headers={"Authorization": "Bearer x"})).status_code == 401


@pytest.mark.parametrize("user", ["404404", "abc"])
async def test_nobody_has_no_connections(community: httpx.AsyncClient, user: str) -> None:
    assert (await community.get(CONNECTIONS.format(user))).status_code == 404

"""`cursor`: where a list goes on, and nothing else."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from tests.gateways import Gateway
from tests.lists.asking import PENDING, Query, get, listed, names


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
        {0: 1},
        {0: "2"},
        {1: b"\x00" * 8},
        {1: b""},
        {2: []},
        {2: [[2, None]]},
        {2: [[-1, None]]},
        {2: [["acme", None]]},
        {2: [[1, None], [0, None]]},
        {2: [[1, None], [1, None]]},
        {2: [[0, None, 1]]},
        {2: [[0, [1, 102]], [1, None]]},
        {2: [[0, [0, 0]], [1, None]]},
        {2: [[0, [0, -1]], [1, None]]},
        {2: [[0, [0, 2**63]], [1, None]]},
        {2: [[0, [256, 1]], [1, None]]},
        {2: [[0, [0]], [1, None]]},
        {2: [[0, [0, 1, 2]], [1, None]]},
        {2: [[0, 102], [1, None]]},
        {2: [[0, [0.5, 1]], [1, None]]},
        {2: [[1, [2, 0]]]},
        {2: [[1, [0, 2**31]]]},
        {2: [[1, [9, 0]]]},
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
    parts[2][0][1] = position
    await refused(gateway, made_up(parts), *query)


async def test_a_cursor_grants_nothing(passing: Gateway) -> None:
    page = await listed(passing, ("limit", 1), ("platform", "acme"), sessionToken="demo")
    query = (("platform", "acme"), ("cursor", page["next_cursor"]))
    assert (await get(passing, *query)).json()["type"] == "/problems/missing-credential"
    passing.acme.platform.tokens.accept("token-of-102", 102)
    assert names(await listed(passing, *query, sessionToken="token-of-102")) == []


async def test_a_cursor_needs_no_escaping(gateway: Gateway) -> None:
    page = await listed(gateway, ("limit", 1))
    answer = await gateway.client.get(f"/v1/connections?cursor={page['next_cursor']}")
    assert names(page, answer.json()) == PENDING

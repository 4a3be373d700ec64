"""How a list is asked for, and what it says."""

from __future__ import annotations

from typing import Any

import httpx

from tests.gateways import Gateway

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

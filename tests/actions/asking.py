"""How an action is asked for, and what is wrong with it."""

from __future__ import annotations

import httpx

from tests.gateways import Gateway


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def act(gateway: Gateway, name: str, user: int, action: str, **headers: str) -> httpx.Response:
    return await gateway.client.post(f"/v1/connections/{name}/{user}/{action}", headers=headers)

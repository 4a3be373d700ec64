"""How tests of tokens ask."""

from __future__ import annotations

import httpx

from tests.gateways import Gateway

LOOKUP = "/v1/connections/acme/101"
ACCEPT = "/v1/connections/acme/102/accept"


def slug(answer: httpx.Response) -> str:
    """The problem's, or nothing."""
    return str(answer.json()["type"].removeprefix("/problems/")) if answer.is_error else ""


async def ask(gateway: Gateway, key: str, path: str = LOOKUP, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    method = "POST" if path.endswith("accept") else "GET"
    return await gateway.client.request(method, path, headers={"X-API-Key": key, **named})

"""`server.log`: which requests have a line."""

from __future__ import annotations

import pytest

from tests.gateways import running

EVERY = ["/v1/connections/acme/103", "/v1/connections/club/404404", "/livez", "/readyz", "/metrics", "/docs"]
LOOKUP = "/v1/connections/{platform}/{user_id}"


@pytest.mark.parametrize(
    ("log", "routes"),
    [
        ("requests", [LOOKUP, LOOKUP, "/docs", "/readyz"]),
        ("problems", [LOOKUP, "/readyz"]),
        ("off", []),
    ],
)
async def test_a_probe_has_a_line_only_where_it_fails(log: str, routes: list[str]) -> None:
    async with running(log=log) as gateway:
        for path in EVERY:
            await gateway.client.get(path)
        await gateway.client.post("/readyz")
        assert [line["route"] for line in gateway.logged() if line["event"] == "request"] == routes


async def test_actions_are_audited_whatever_is_logged() -> None:
    async with running(log="off") as gateway:
        await gateway.client.post("/v1/connections/acme/102/accept")
        assert {line["event"] for line in gateway.logged()} == {"audit"}


async def test_an_answer_about_many_is_a_failure_if_an_entry_is() -> None:
    async with running(log="problems") as gateway:
        for user in ("101", "404404"):
            await gateway.client.post("/v1/lookup", json={"users": [{"platform": "club", "user_id": user}]})
        (line,) = [line for line in gateway.logged() if line["event"] == "request"]
        assert line["problems"] == {"user-not-found": 1}

"""`GET /v1/platforms`, `/livez` and `/readyz`."""

from __future__ import annotations

from adapters.simulation.faults import Fault
from tests.gateways import Gateway


async def test_what_is_configured(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/platforms")
    assert answer.json() == {
        "platforms": [
            {
                "name": "acme",
                "adapter": "symphony",
                "credentials": "bot",
                "actions": ["request", "accept", "reject", "remove"],
                "health": "up",
            },
            {
                "name": "club",
                "adapter": "selfcommunity",
                "credentials": "token",
                "actions": ["request", "accept", "reject", "cancel", "remove"],
                "health": "up",
            },
        ]
    }


async def test_the_list_tells_no_address_and_no_secret(gateway: Gateway) -> None:
    text = (await gateway.client.get("/v1/platforms")).text
    assert "example" not in text
    assert "demo" not in text


async def test_a_query_is_refused(gateway: Gateway) -> None:
    assert (await gateway.client.get("/v1/platforms?all=1")).status_code == 400


async def test_a_platform_that_is_down_does_not_make_the_gateway_unready(gateway: Gateway) -> None:
    gateway.acme.misbehave(Fault(status=500))
    await gateway.client.get("/v1/connections/acme/101")
    answers = [await gateway.client.get(path) for path in ("/livez", "/readyz")]
    assert [(each.status_code, each.json()) for each in answers] == [
        (200, {"status": "live"}),
        (200, {"status": "ready"}),
    ]


async def test_who_drains_is_live_and_not_ready(gateway: Gateway) -> None:
    gateway.app.state.lifecycle.draining = True
    answers = [await gateway.client.get(path) for path in ("/livez", "/readyz")]
    assert [(each.status_code, each.json()["status"]) for each in answers] == [(200, "live"), (503, "draining")]

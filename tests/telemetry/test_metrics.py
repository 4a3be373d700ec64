"""`/metrics`: what is counted, under which names, and that nothing in it grows with users."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.simulation.faults import Fault
from tests.clock import virtual
from tests.faults.upstreams import Faulty, faulty
from tests.gateways import OWN, THOUSAND, Gateway, caller, running

LOOKUPS = "http_server_request_duration_seconds_count"
ROUTE = "/v1/connections/{platform}/{user_id}"
BUCKETS = [
    "0.0005",
    "0.001",
    "0.0025",
    "0.005",
    "0.01",
    "0.025",
    "0.05",
    "0.075",
    "0.1",
    "0.25",
    "0.5",
    "0.75",
    "1.0",
    "2.0",
    "2.5",
    "5.0",
    "7.5",
    "10.0",
    "+Inf",
]


async def scraped(client: httpx.AsyncClient) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Each sample's labels and value, by its name."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def value(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """The one sample that has these labels; 0 if there is none."""
    samples = (await scraped(client)).get(name, [])
    return sum(found for its, found in samples if labels.items() <= its.items())


@virtual
async def test_a_scrape_is_prometheus_text_that_nobody_keeps() -> None:
    async with faulty() as gateway:
        answer = await gateway.client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert answer.headers["cache-control"] == "no-store"


@virtual
async def test_requests_are_counted_by_route_status_and_problem() -> None:
    async with faulty() as gateway:
        await gateway.lookup("acme")
        await gateway.lookup("club", 404404)
        await gateway.client.get("/nowhere/769658112378")
        count = "http_server_request_duration_seconds_count"
        route = "/v1/connections/{platform}/{user_id}"
        good = {"http_request_method": "GET", "http_route": route, "http_response_status_code": "200"}
        assert await value(gateway.client, count, **good, error_type="") == 1
        assert await value(gateway.client, count, http_route=route, error_type="user-not-found") == 1
        assert await value(gateway.client, count, http_route="_OTHER", error_type="not-found") == 1


@virtual
async def test_durations_have_the_buckets_of_the_semantic_conventions_and_some_for_cached_lookups_and_the_deadline() -> (
    None
):
    async with faulty() as gateway:
        await gateway.lookup("acme")
        found = await scraped(gateway.client)
        for name in ("http_server_request_duration_seconds_bucket", "http_client_request_duration_seconds_bucket"):
            first = {key: label for key, label in found[name][0][0].items() if key != "le"}
            assert [its["le"] for its, _ in found[name] if first.items() <= its.items()] == BUCKETS


@virtual
async def test_every_call_that_leaves_is_counted_by_status_or_error() -> None:
    async with faulty() as gateway:
        await gateway.lookup("acme")
        gateway.acme.trouble = "lost"
        await gateway.lookup("acme")
        count = "http_client_request_duration_seconds_count"
        acme = {"platform": "acme", "http_request_method": "GET"}
        assert await value(gateway.client, count, **acme, http_response_status_code="200") == 1
        assert await value(gateway.client, count, **acme, error_type="ReadError") == 2
        assert await value(gateway.client, count, platform="club") == 0
        assert await value(gateway.client, "connection_gateway_retries_total", platform="acme") == 1


@virtual
async def test_the_breaker_shows_its_state_and_what_it_refused() -> None:
    async def state() -> set[str]:
        samples = (await scraped(gateway.client))["connection_gateway_breaker_state"]
        return {its["state"] for its, value in samples if value and its["platform"] == "acme"}

    async with faulty() as gateway:
        assert await state() == {"closed"}
        gateway.acme.trouble = httpx.Response(500)
        for _ in range(8):
            await gateway.lookup_anew("acme")
        assert await state() == {"open"}
        refused = "connection_gateway_refused_total"
        assert await value(gateway.client, refused, platform="acme", by="breaker") == 3
        await asyncio.sleep(1)
        assert await state() == {"half_open"}


@virtual
async def test_a_throttle_shows_and_what_it_turned_away() -> None:
    async with faulty() as gateway:
        assert await value(gateway.client, "connection_gateway_throttled", platform="acme") == 0
        gateway.acme.trouble = httpx.Response(429, headers={"retry-after": "9"})
        for _ in range(3):
            await gateway.lookup("acme")
        assert await value(gateway.client, "connection_gateway_throttled", platform="acme") == 1
        assert await value(gateway.client, "connection_gateway_throttled", platform="club") == 0
        refused = "connection_gateway_refused_total"
        assert await value(gateway.client, refused, platform="acme", by="throttle") == 2


@virtual
async def test_who_waits_who_is_on_the_wire_and_who_found_no_place() -> None:
    async with faulty(each={"max_calls": 3, "max_waiting": 5}) as gateway:
        gateway.acme.trouble = "hanging"
        asking = [asyncio.create_task(gateway.lookup_anew("acme", user)) for user in range(1000, 1007)]
        await asyncio.sleep(0.5)
        shown = {
            name: await value(gateway.client, f"connection_gateway_{name}", platform="acme")
            for name in ("waiting", "calls_active", "calls_queued")
        }
        assert shown == {"waiting": 5, "calls_active": 3, "calls_queued": 2}
        refused = "connection_gateway_refused_total"
        assert await value(gateway.client, refused, platform="acme", by="waiting_room") == 2
        await asyncio.gather(*asking)
        assert await value(gateway.client, "connection_gateway_waiting", platform="acme") == 0


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [("", "ok"), (httpx.Response(401), "refused"), (httpx.Response(500), "failed"), ("dead", "failed")],
    ids=["ok", "refused", "failed", "dead"],
)
def test_logins_are_counted_by_outcome(trouble: Any, outcome: str) -> None:
    @virtual
    async def main() -> None:
        async with faulty({"acme": OWN["acme"]}) as gateway:
            gateway.acme.trouble = trouble
            await gateway.lookup("acme", token=None)
            for each in ("ok", "refused", "failed"):
                shown = await value(gateway.client, "connection_gateway_logins_total", platform="acme", outcome=each)
                assert shown == (each == outcome)

    main()


async def samples(gateway: Faulty | Gateway) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    found = await scraped(gateway.client)
    return {(name, frozenset(its.items())) for name, values in found.items() for its, _ in values}


@virtual
async def test_a_scrape_is_as_large_after_a_thousand_users_as_after_ten() -> None:
    async with faulty() as gateway:
        for user in range(1000, 1010):
            await gateway.lookup("acme", user)
        await samples(gateway)
        before = await samples(gateway)
        for user in range(1000, 2000):
            await gateway.lookup("acme", user)
            gateway.acme.simulator.platform.tokens.accept(f"another-token-{user}", user)
            await gateway.lookup("acme", 1, token=f"another-token-{user}")
        assert await samples(gateway) == before


@virtual
async def test_methods_and_paths_that_nobody_has_are_one() -> None:
    async with faulty() as gateway:
        await gateway.client.request("BREW", "/pot/1")
        await gateway.client.get("/metrics")
        before = await samples(gateway)
        for number in range(50):
            await gateway.client.request(f"BREW{number}", f"/pot/{number}")
        assert await samples(gateway) == before


async def test_a_scrape_needs_no_key_and_answers_any_host() -> None:
    async with running(OWN, [caller("web")]) as closed:
        assert (await closed.client.get("/metrics")).status_code == 200
    async with running() as opened:
        assert (await opened.client_at("http://10.1.2.3:8080").get("/metrics")).status_code == 200


@virtual
async def test_a_platform_that_invents_statuses_makes_no_series() -> None:
    async with running() as gateway:
        for status in range(200, 600):
            gateway.acme.misbehave(Fault(path="/info", status=status))
            await gateway.client.get(f"/v1/connections/acme/{status}")
            await asyncio.sleep(40)
        text = (await gateway.client.get("/metrics")).text
    seen = set(
        re.findall(r'^http_client_request_duration_seconds_count\{.*status_code="([^"]*)"', text, re.MULTILINE)
    )
    assert {"200", "2xx", "3xx", "4xx", "500", "5xx"} <= seen
    assert len(seen) < 30


@virtual
async def test_a_scrape_has_what_every_process_has() -> None:
    async with faulty() as gateway:
        assert await value(gateway.client, "process_resident_memory_bytes") > 0


@pytest.mark.no_cover  # a hundred thousand lookups, traced, would take minutes
async def test_a_scrape_is_as_large_after_100_000_lookups_of_different_users_as_after_ten() -> None:
    async def look_up(users: Iterable[int]) -> None:
        await asyncio.gather(*(asked(gateway, f"/v1/connections/acme/{user}") for user in users))

    async with running(cache={"fresh_for": 600}, each=THOUSAND, max_concurrency=10_000) as gateway:
        await look_up(range(1, 11))
        await gateway.client.get("/metrics")  # which is counted as well
        scraped_before = (await gateway.client.get("/metrics")).text
        before = await samples(gateway)
        for start in range(11, 100_011, 1000):
            await look_up(range(start, start + 1000))
        scraped_after = (await gateway.client.get("/metrics")).text
        assert await value(gateway.client, LOOKUPS, http_route=ROUTE, http_response_status_code="200") == 100_010
        assert await samples(gateway) == before
        assert scraped_after.count("\n") == scraped_before.count("\n")


async def asked(gateway: Gateway, path: str) -> None:
    """A lookup without a client, which would take longer than the gateway does."""
    statuses = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    await gateway.app({**scope, "headers": [(b"host", b"localhost")]}, receive, send)
    assert statuses == [200]

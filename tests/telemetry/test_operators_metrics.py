"""What alerts and panels need: where answers came from, what was shed and refused, and what is in force."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from adapters.simulation.faults import Fault
from gateway import __version__
from gateway.config.settings import ConfigurationError, Settings
from gateway.runtime.reload import Reloader
from tests.clock import virtual
from tests.faults.upstreams import faulty
from tests.gateways import caller, running
from tests.telemetry.test_metrics import ROUTE, scraped, value

REQUESTS = "http_server_request_duration_seconds_count"
CALLS = "http_client_request_duration_seconds_count"
OURS = "connection_gateway_"


async def outcomes(client: httpx.AsyncClient, platform: str = "acme") -> dict[str, int]:
    samples = (await scraped(client))[f"{OURS}cache_lookups_total"]
    return {its["outcome"]: int(count) for its, count in samples if its["platform"] == platform and count}


@virtual
async def test_lookups_are_counted_by_what_the_cache_had() -> None:
    async with running(cache={"fresh_for": 5, "stale_for": 60}) as gateway:
        path = "/v1/connections/acme/103"
        await gateway.client.get(path)
        await gateway.client.get(path)
        await gateway.client.get(path, headers={"Cache-Control": "no-cache"})
        await asyncio.sleep(6)
        await gateway.client.get(path)
        assert await outcomes(gateway.client) == {"miss": 1, "hit": 1, "bypassed": 1, "expired": 1}
        await asyncio.sleep(6)
        gateway.acme.misbehave(Fault(path="/info", status=503))
        assert (await gateway.client.get(path)).json()["stale"]
        assert await value(gateway.client, f"{OURS}stale_answers_total", platform="acme") == 1
        users = [{"platform": "acme", "user_id": user} for user in ("103", "101")]
        await gateway.client.post("/v1/lookup", json={"users": users})
        assert (await outcomes(gateway.client))["miss"] == 2
        assert await value(gateway.client, f"{OURS}cache_entries") == 2
        assert await value(gateway.client, f"{OURS}cache_max_entries") == 100_000


@virtual
async def test_batches_are_counted_by_size_and_lookups_that_joined_one() -> None:
    async with running() as gateway:
        users = [{"platform": "acme", "user_id": str(user)} for user in range(1000, 1150)]
        await gateway.client.post("/v1/lookup", json={"users": users})
        size = f"{OURS}batch_size_bucket"
        assert await value(gateway.client, size, platform="acme", le="100.0") == 0
        assert await value(gateway.client, size, platform="acme", le="200.0") == 1
        assert await value(gateway.client, f"{OURS}batch_size_sum", platform="acme") == 150
        await asyncio.gather(*(gateway.client.get("/v1/connections/acme/101") for _ in range(10)))
        assert await value(gateway.client, f"{OURS}coalesced_lookups_total", platform="acme") == 9


async def test_requests_have_their_platform_and_refused_ones_their_route() -> None:
    async with running(callers=[caller("web")], max_concurrency=1) as gateway:
        web = gateway.as_caller("web")
        await web.get("/v1/connections/acme/103")
        await gateway.client.get("/v1/connections/acme/103")
        await gateway.client.get("/v1/connections/nowhere/103")
        gateway.acme.misbehave(Fault(path="/info", delay=0.3))
        slow = asyncio.create_task(web.get("/v1/connections/acme/1001"))
        while await value(web, f"{OURS}requests_in_work") < 1:  # noqa: ASYNC110  scraped, as an operator would
            await asyncio.sleep(0.01)
        assert (await web.get("/v1/connections/club/103")).status_code == 503
        await slow
        await web.aclose()
        by_route = {"http_route": ROUTE, "http_request_method": "GET"}
        assert await value(gateway.client, REQUESTS, **by_route, platform="acme", error_type="") == 2
        refused = {"http_response_status_code": "401", "error_type": "invalid-api-key"}
        assert await value(gateway.client, REQUESTS, **by_route, **refused, platform="acme") == 1
        assert await value(gateway.client, REQUESTS, **by_route, **refused, platform="") == 1
        assert await value(gateway.client, REQUESTS, **by_route, platform="club", error_type="overloaded") == 1
        shed = [line for line in gateway.logged() if line.get("problem") == "overloaded"]
        assert [line["route"] for line in shed] == [ROUTE]


async def test_calls_are_counted_by_caller_and_class() -> None:
    async with running(callers=[caller("web"), caller("bot")]) as gateway:
        async with gateway.as_caller("web") as web:
            for user in ("103", "x"):
                await web.get(f"/v1/connections/acme/{user}")
        found = {
            (its["caller"], its["status_class"]): count
            for its, count in (await scraped(gateway.client))[f"{OURS}caller_requests_total"]
        }
        assert found == {("web", "2xx"): 1, ("web", "4xx"): 1}


async def test_failures_inside_an_answer_about_many_are_counted() -> None:
    async with running() as gateway:
        users = [{"platform": "club", "user_id": user} for user in ("404404", "101")]
        assert (await gateway.client.post("/v1/lookup", json={"users": users})).status_code == 200
        assert await value(gateway.client, f"{OURS}entry_problems_total", error_type="user-not-found") == 1


async def test_calls_to_platforms_have_a_host_and_a_path_without_users() -> None:
    async with running() as gateway:
        for user in ("101", "102"):
            await gateway.client.get(f"/v1/connections/acme/{user}")
        login = {"platform": "acme", "server_address": "acme.example", "url_template": "/login/pubkey/authenticate"}
        assert await value(gateway.client, CALLS, **login) == 1
        read = {"platform": "acme", "url_template": "/pod/v1/connection/user/{id}/info"}
        assert await value(gateway.client, CALLS, **read, http_response_status_code="200") == 2
        for _ in range(2):
            await gateway.client.get("/v1/connections?platform=acme")
        listed = {"platform": "acme", "url_template": "/pod/v1/connection/list"}
        assert await value(gateway.client, CALLS, **listed, http_response_status_code="200") >= 2


async def test_limits_and_build_are_told() -> None:
    async with running(each={"max_calls": 7, "max_waiting": 9}, max_concurrency=11) as gateway:
        assert await value(gateway.client, f"{OURS}max_concurrency") == 11
        assert await value(gateway.client, f"{OURS}max_calls", platform="acme") == 7
        assert await value(gateway.client, f"{OURS}max_waiting", platform="club") == 9
        assert await value(gateway.client, f"{OURS}build_info", version=__version__) == 1


@pytest.mark.parametrize("is_good", [True, False])
async def test_reloads_are_counted_and_the_last_one_remembered(*, is_good: bool) -> None:
    async with running() as gateway:
        settings: Settings = gateway.app.state.snapshots.current.settings

        def read() -> Settings:
            if is_good:
                return settings
            raise ConfigurationError("server.port: wrong")

        ended = asyncio.Event()
        Reloader(
            read, gateway.app.state.snapshots, gateway.log, on_end=ended.set, metrics=gateway.app.state.metrics
        ).start()
        assert await value(gateway.client, f"{OURS}config_last_reload_successful") == 1
        before = await value(gateway.client, f"{OURS}config_last_reload_success_timestamp_seconds")
        await ended.wait()
        assert await value(gateway.client, f"{OURS}config_last_reload_successful") == is_good
        assert await value(gateway.client, f"{OURS}reloads_total", outcome="ok" if is_good else "failed") == 1
        after = await value(gateway.client, f"{OURS}config_last_reload_success_timestamp_seconds")
        assert (after > before) is is_good


@virtual
async def test_what_an_adapter_warns_of_is_counted() -> None:
    async with faulty() as gateway:
        gateway.app.state.metrics.of("other").warned("refresh-token-not-kept")
        warned = {"platform": "other", "warning": "refresh-token-not-kept"}
        assert await value(gateway.client, f"{OURS}platform_warnings_total", **warned) == 1

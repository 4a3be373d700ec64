"""`POST /v1/events/{platform}`: which events are taken, and what they change."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from adapters.selfcommunity.simulator import Platform
from adapters.selfcommunity.simulator.webhooks import Endpoint, Webhooks
from gateway.api.middleware.request_guard import MAX_EVENT
from gateway.config.converter import from_tables
from gateway.platforms.watch import event_inbox
from tests.clock import virtual
from tests.events.sending import EVENTS, PREVIOUS, SECRET, event, post, signed
from tests.gateways import OWN, Gateway, caller, key_of, running, tables
from tests.watching.watcher import watching

CACHED = {"fresh_for": 60.0}
NEVER = {"interval": 3600.0}


async def outcomes(gateway: Gateway) -> dict[str, int]:
    """By outcome, how many events of the community were counted."""
    text = (await gateway.client.get("/metrics")).text
    found = re.findall(
        r'^connection_gateway_events_total\{outcome="(\w+)",platform="club"\} (\d+)', text, re.MULTILINE
    )
    return {outcome: int(number) for outcome, number in found}


@virtual
async def test_an_event_has_its_users_read_again_for_every_viewer() -> None:
    async with (
        running(events=EVENTS, cache=CACHED, watch=NEVER) as gateway,
        watching(gateway.app, "club:102", "club:101") as watcher,
    ):
        await asyncio.sleep(1)
        assert (await gateway.client.get("/v1/connections/club/103")).json()["status"] == "pending_outgoing"
        for user in (102, 103):
            gateway.club.platform.set_connection(1, user, "connected")
        body = event(7, 102, 103)
        assert await post(gateway.app, body, signed(body)) == (204, None)
        await asyncio.sleep(0.1)
        assert watcher.statuses == {"club:102": "connected", "club:101": "connected"}
        assert len(watcher.events) == 3
        assert (await gateway.client.get("/v1/connections/club/103")).json()["status"] == "connected"
        assert await outcomes(gateway) == {"taken": 1}


@virtual
async def test_what_it_says_is_not_believed() -> None:
    async with (
        running(events=EVENTS, watch=NEVER) as gateway,
        watching(gateway.app, "club:105", "club:102") as watcher,
    ):
        await asyncio.sleep(1)
        before = watcher.statuses
        body = event(8, 1, 102, kind="connection.created")
        assert await post(gateway.app, body, signed(body)) == (204, None)
        await asyncio.sleep(1)
        assert watcher.statuses == before


@virtual
async def test_events_that_come_together_are_read_together() -> None:
    async with running(events=EVENTS, watch=NEVER) as gateway:
        users = [f"club:{each}" for each in range(1000, 1100)]
        async with watching(gateway.app, *users):
            await asyncio.sleep(1)
            calls = gateway.club.calls.calls
            for number in range(1000, 1100):
                body = event(number, 1, number)
                await post(gateway.app, body, signed(body))
            await asyncio.sleep(1)
            assert gateway.club.calls.calls - calls <= 2


@virtual
async def test_any_scheme_and_either_secret_verifies_and_nothing_else() -> None:
    async with running(events=EVENTS) as gateway:
        body = event(1, 1, 102)
        good = signed(body).partition("v1=")[2]
        sent_at = f"t={int(time.time())}"
        for signature, status in [
            (signed(body, scheme="v0"), 204),
            (signed(body, secret=PREVIOUS), 204),
            (f"{sent_at},v0={'0' * 64},v1={good}", 204),
            (f"{sent_at},v1={'0' * 64},v0={good}", 204),
            (f"v1={good},{sent_at}", 204),
            (signed(body, scheme="v2"), 401),
            (signed(body, secret="x" * 32), 401),
            (signed(event(2, 1, 102)), 401),
            (f"{sent_at}1,v1={good}", 401),
            (f"{sent_at},{sent_at},v1={good}", 401),
            (f"v1={good}", 401),
            (sent_at, 401),
            (f"{sent_at},v1=", 401),
            (f"{sent_at},v1={good[:-1]}", 401),
            (f"{sent_at},v1={good.upper()}", 401),
            ("", 401),
            (None, 401),
            (",,,===", 401),
            (f"t=\u0661,v1={good}", 401),
        ]:
            said, problem = await post(gateway.app, body, signature)
            assert said == status, signature
            if said == 401:
                assert problem["type"] == "/problems/invalid-api-key"
                assert problem["detail"] == "expected an event that this platform has signed"


@virtual
async def test_a_key_is_neither_needed_nor_enough() -> None:
    async with running(OWN, [caller("web")], events=EVENTS) as gateway:
        body = event(1, 1, 102)
        assert await post(gateway.app, body, signed(body)) == (204, None)
        key = {"X-API-Key": key_of("web")}
        assert (await gateway.client.post("/v1/events/club", content=body, headers=key)).status_code == 401


@virtual
async def test_what_is_signed_and_no_event_is_malformed_and_other_types_are_ignored() -> None:
    async with running(events=EVENTS) as gateway:
        for body, status in [
            (b"", 400),
            (b"[" * 10_000, 400),
            (b"{}", 400),
            (b'{"event_id": 1, "type": "connection.created"}', 400),
            (event(1, 1), 400),
            (event(1, 0, 1), 400),
            (event(1, 1, 2**63), 400),
            (event(1, kind="post.created"), 204),
        ]:
            assert (await post(gateway.app, body, signed(body)))[0] == status, body
        assert await outcomes(gateway) == {"malformed": 7, "ignored": 1}


@virtual
async def test_only_platforms_that_have_secrets_take_events() -> None:
    async with running(events=EVENTS) as gateway:
        body = event(1, 1, 102)
        for path, slug in [("acme", "not-found"), ("nowhere", "unknown-platform")]:
            status, problem = await post(gateway.app, body, signed(body), f"/v1/events/{path}")
            assert (status, problem["type"]) == (404, f"/problems/{slug}")
        status, problem = await post(gateway.app, b" " * (MAX_EVENT + 1), None)
        assert (status, problem["type"]) == (413, "/problems/payload-too-large")


@virtual
async def test_a_full_queue_has_the_community_repeat_the_event() -> None:
    async with running(events=EVENTS) as gateway:
        number = status = 0
        while status != 503:
            number += 1
            body = event(number, 2 * number, 2 * number + 1)
            status, problem = await post(gateway.app, body, signed(body))
        assert event_inbox.MAX_WAITING / 2 < number < event_inbox.MAX_WAITING / 2 + 10
        assert problem["retry_after"] == 1
        await asyncio.sleep(event_inbox.GAP)
        assert await post(gateway.app, body, signed(body)) == (204, None)
        assert await outcomes(gateway) == {"taken": number}


def at(monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + ahead)


async def test_an_event_counts_once_for_as_long_as_its_signature_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(events=EVENTS) as gateway:
        late = event(1, 1, 102)
        assert (await post(gateway.app, late, signed(late, ago=65 * 60 + 300)))[0] == 204
        assert await outcomes(gateway) == {"taken": 1}
        body = event(2, 1, 102)
        first = signed(body)
        await post(gateway.app, body, first)
        for ahead in (0, 7199, 2, 299, 10_000):
            at(monkeypatch, ahead)
            assert await post(gateway.app, body, first) == (204, None)
        assert (await outcomes(gateway))["taken"] == 2
        for ago in (-301, 7201):
            body = event(3, 1, 102)
            await post(gateway.app, body, signed(body, ago=ago))
        assert (await outcomes(gateway))["taken"] == 2


@virtual
async def test_the_secret_is_exchanged_by_a_reload() -> None:
    def settings(events: Mapping[str, Any]) -> Any:
        changed = tables(OWN)
        changed["platforms"]["club"]["events"] = dict(events)
        return from_tables(changed)

    async with running(events=EVENTS) as gateway:
        snapshots = gateway.app.state.snapshots
        result = snapshots.reload(settings({"secret": "another-secret-of-the-webhook", "previous_secret": SECRET}))
        assert (result.exchanged, result.needs_restart) == (("platforms.club.events",), ())
        body = event(1, 1, 102)
        assert (await post(gateway.app, body, signed(body)))[0] == 204
        snapshots.reload(settings({"secret": "another-secret-of-the-webhook"}))
        assert (await post(gateway.app, body, signed(body)))[0] == 401
        assert (await post(gateway.app, body, signed(body, secret="another-secret-of-the-webhook")))[0] == 204
        assert (await gateway.client.get("/v1/connections/club/101")).status_code == 200


def webhooks_of(gateway: Gateway) -> Webhooks:
    community = gateway.club.platform
    assert isinstance(community, Platform)
    return community.webhooks


@virtual
async def test_the_simulated_community_sends_them() -> None:
    async with (
        running(events=EVENTS, watch=NEVER) as gateway,
        watching(gateway.app, "club:102", "club:105", "club:103", "club:101") as watcher,
    ):
        await asyncio.sleep(1)
        webhooks = webhooks_of(gateway)
        webhooks.transport = httpx.ASGITransport(gateway.app)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.club), base_url="http://club") as club:
            there = {"url": "http://gateway.example.com/v1/events/club", "secret": SECRET}
            put = await club.put("/_simulator/webhook", json=there)
            assert put.status_code == 204
            demo = {"Authorization": "Bearer demo"}
            for user, action in [(102, "accept"), (105, "request"), (103, "cancel_request"), (101, "remove")]:
                await club.post(f"/api/v2/user/{user}/connection/{action}/", headers=demo)
            await asyncio.sleep(0.2)
            wanted = {"club:102": "connected", "club:105": "pending_outgoing", "club:103": "none", "club:101": "none"}
            assert watcher.statuses == wanted
            assert await outcomes(gateway) == {"taken": 4}
            await club.put("/_simulator/webhook", json=there | {"tamper": True})
            gateway.club.platform.set_connection(1, 105, "connected")
            await asyncio.sleep(1)
            assert (await outcomes(gateway))["invalid"] == 1
            assert (await club.put("/_simulator/webhook", json={"url": 1})).status_code == 400
            await club.delete("/_simulator/webhook")
            gateway.club.platform.set_connection(1, 105, None)
            await asyncio.sleep(1)
            assert (await outcomes(gateway))["invalid"] == 1


@virtual
async def test_the_simulated_community_repeats_what_is_not_accepted() -> None:
    async with running(events=EVENTS) as gateway:
        webhooks = webhooks_of(gateway)
        webhooks.transport = httpx.ASGITransport(gateway.app)
        webhooks.endpoint = Endpoint("http://gateway.example.com/v1/events/club", "x" * 32, delay=1.0, copies=2)
        gateway.club.platform.set_connection(1, 105, "received_connection_request")
        await asyncio.sleep(4000)
        assert webhooks.statuses == [401] * 12

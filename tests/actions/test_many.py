"""`POST /v1/act`: many actions, each alone in its outcome."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.faults.live import processes
from tests.gateways import CALLERS, NAMED, OWN, Gateway, caller, running

ACT = "/v1/act"


def actions(*named: str) -> bytes:
    """The body for `acme/102/accept`, …"""
    parts = (name.split("/") for name in named)
    return msgspec.json.encode(
        {"actions": [{"platform": platform, "user_id": user, "action": action} for platform, user, action in parts]}
    )


async def act(client: httpx.AsyncClient, *named: str, **headers: str) -> list[str]:
    """The status or the problem that each ended in."""
    answer = await client.post(ACT, content=actions(*named), headers=headers)
    assert answer.status_code == 200, answer.text
    return [told(each) for each in answer.json()["results"]]


def told(result: dict[str, Any]) -> str:
    if "connection" in result:
        return str(result["connection"]["status"])
    return str(result["error"]["type"]).removeprefix("/problems/")


def audited(gateway: Gateway) -> list[tuple[str, str, str]]:
    lines = [line for line in gateway.logged() if line["event"] == "audit"]
    return sorted((line.get("platform", "-"), line["action"], line["outcome"]) for line in lines)


async def test_each_action_has_its_result_in_order(gateway: Gateway) -> None:
    found = await act(
        gateway.client,
        "club/102/accept",
        "acme/102/reject",
        "acme/105/request",
        "club/103/cancel",
        "acme/101/remove",
        "club/105/request",
    )
    assert found == ["connected", "rejected", "pending_outgoing", "none", "none", "pending_outgoing"]
    assert gateway.acme.platform.connection(1, 102) == "REJECTED"


async def test_each_is_alone_in_its_failure(gateway: Gateway) -> None:
    found = await act(
        gateway.client,
        "acme/102/accept",
        "nowhere/1/accept",
        "acme/103/accept",
        "acme/104/cancel",
        "club/404404/request",
        "club/102/accept",
    )
    assert found == [
        "connected",
        "unknown-platform",
        "action-not-possible",
        "action-not-offered",
        "user-not-found",
        "connected",
    ]
    answer = await gateway.client.post(ACT, content=actions("acme/103/accept"))
    (result,) = answer.json()["results"]
    error = result["error"]
    assert (error["status"], error["platform"], error["user_id"]) == (409, "acme", "103")
    assert error["connection"]["status"] == "pending_outgoing"
    assert error["instance"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"


async def test_an_action_is_sent_once_after_an_ambiguous_failure(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(path="accept", body="<html>"))
    users = range(2000, 2100)
    for user in users:
        gateway.club.platform.set_connection(1, user, "received_connection_request")
    found = await act(gateway.client, *(f"club/{user}/accept" for user in users))
    assert found == ["platform-invalid-answer"] * 100
    sent = {path: count for path, count in gateway.club.calls.by_path.items() if "accept" in path}
    assert list(sent.values()) == [100]


async def test_what_has_reached_its_goal_sends_nothing(gateway: Gateway) -> None:
    assert await act(gateway.client, "acme/101/accept", "club/105/remove") == ["connected", "none"]
    assert [line[2] for line in audited(gateway)] == ["connected", "none"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{}", "body: object missing required field `actions`"),
        (b'{"actions": []}', "actions: expected 1 to 100 entries, not 0"),
        (
            actions(*(f"acme/{user}/remove" for user in range(1000, 1101))),
            "actions: expected 1 to 100 entries, not 101",
        ),
        (actions("acme/102/accept", "club/0/accept"), "actions[1].user_id: "),
        (actions("acme/102/accept", "club/102/poke"), "actions[1].action: expected one of request, accept"),
        (actions("acme/102/accept", "club/102/accept", "acme/102/reject"), "actions[2]: this user is named before"),
        (b'{"actions": [{"platform": "acme", "user_id": "1", "action": 7}]}', "actions[0].action: expected `string`"),
        (
            b'{"actions": [{"platform": "acme", "user_id": "1"}]}',
            "actions[0]: object missing required field `action`",
        ),
        (b'{"actions": [], "x": 1}', "body: unknown field `x`"),
        (b"{", "body: expected JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_malformed_refuses_all_before_anything_is_done(
    gateway: Gateway, body: bytes, detail: str
) -> None:
    answer = await gateway.client.post(ACT, content=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
    assert answer.json()["detail"].startswith(detail)
    assert gateway.calls == 0


async def test_a_body_that_is_too_large_is_refused(gateway: Gateway) -> None:
    answer = await gateway.client.post(ACT, content=b" " * 300_000)
    assert (answer.status_code, gateway.calls) == (413, 0)


async def test_other_methods_are_refused(gateway: Gateway) -> None:
    answer = await gateway.client.get(ACT)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_all_have_one_deadline() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.acme.misbehave(Fault(path="connection", delay=100))
            gateway.club.misbehave(Fault(delay=0.1))
            found = await act(
                gateway.client,
                "acme/102/accept",
                "club/102/accept",
                "acme/103/remove",
                **{"X-Request-Timeout-Ms": "700"},
            )
            assert found == ["platform-timeout", "connected", "platform-timeout"]
            assert asyncio.get_running_loop().time() == pytest.approx(0.7, abs=0.05)

    clock.run(main())


async def test_each_action_takes_a_place_at_its_platform() -> None:
    async with running(each={"max_waiting": 2}) as gateway:
        found = await act(gateway.client, "acme/102/accept", "acme/103/remove", "acme/105/request", "club/102/accept")
        assert sorted(found[:3]).count("overloaded") == 1
        assert found[3] == "connected"


async def test_the_policy_is_each_platforms_own() -> None:
    callers = [caller("reader"), caller("acme-only", platforms=["acme"], may=["read", "act"])]
    async with running(OWN, callers) as gateway:
        async with gateway.as_caller("reader") as client:
            assert await act(client, "acme/102/accept", "club/102/accept") == ["not-allowed"] * 2
        async with gateway.as_caller("acme-only") as client:
            assert await act(client, "acme/102/accept", "club/102/accept") == ["connected", "not-allowed"]
        assert gateway.club.calls.calls == 0


async def test_a_missing_credential_is_each_entrys_error(passing: Gateway) -> None:
    found = await act(passing.client, "acme/102/accept", "club/102/accept", sessionToken="demo")
    assert found == ["connected", "missing-credential"]


async def test_every_action_has_its_lines_in_the_audit_log() -> None:
    async with running(NAMED, [caller("web", may=["read", "act"], on_behalf_of=["*"])]) as gateway:
        async with gateway.as_caller("web", X_On_Behalf_Of="acme=1, club=1") as client:
            found = await act(client, "acme/102/accept", "club/105/remove", "acme/103/accept", "nowhere/1/request")
        assert found == ["connected", "none", "action-not-possible", "unknown-platform"]
        assert audited(gateway) == [
            ("-", "request", "unknown-platform"),
            ("acme", "accept", "action-not-possible"),
            ("acme", "accept", "begun"),
            ("acme", "accept", "connected"),
            ("club", "remove", "none"),
        ]
        line = gateway.logged()[-1]
        assert line["problems"] == {"action-not-possible": 1, "unknown-platform": 1}


def test_an_action_that_ends_later_is_told_in_the_audit_log() -> None:
    async def main() -> None:
        async with running(CALLERS, request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="accept", delay=1.0))
            headers = {"Authorization": "Bearer demo", "X-Request-Timeout-Ms": "500"}
            assert await act(gateway.client, "club/102/accept", **headers) == ["outcome-unknown"]
            await asyncio.sleep(3)
            assert [outcome for _, _, outcome in audited(gateway)] == ["begun", "connected", "outcome-unknown"]

    clock.run(main())


async def test_over_a_real_process(port: int, tmp_path: Path) -> None:
    async with processes.simulated("symphony") as acme, processes.simulated("selfcommunity") as club:
        urls = {"acme": acme.url, "club": club.url}
        async with (
            processes.gateway(tmp_path, port, urls, request_timeout=20.0),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
        ):
            page = (await client.get("/v1/connections?status=pending_incoming")).json()
            inbox = [f"{each['platform']}/{each['user_id']}/accept" for each in page["connections"]]
            assert inbox == ["acme/102/accept", "club/102/accept"]
            assert await act(client, *inbox) == ["connected", "connected"]
            assert (await client.get("/v1/connections?status=pending_incoming")).json()["connections"] == []

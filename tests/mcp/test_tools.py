"""The tools: each tells what its call under `/v1` tells, and fails as that does."""

from __future__ import annotations

import asyncio
from typing import Any

import jsonschema_rs
import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import CALLERS, NAMED, OWN, Gateway, caller, running
from tests.mcp.messages import send, tool_names, use

READING = ["list_platforms", "list_connections", "lookup_connections", "explain_connection"]


def audited(gateway: Gateway) -> list[tuple[str, str, str]]:
    lines = [line for line in gateway.logged() if line["event"] == "audit"]
    return [(line.get("platform", "-"), line["action"], line["outcome"]) for line in lines]


async def listed(gateway: Gateway) -> dict[str, Any]:
    answer = await send(gateway.client, "tools/list")
    result = answer.json()["result"]
    assert (result["ttlMs"], result["cacheScope"]) == (60000, "private")
    return {each["name"]: each for each in result["tools"]}


async def test_the_tools_say_what_they_do(gateway: Gateway) -> None:
    tools = await listed(gateway)
    assert list(tools) == [*READING, "act_on_connection"]
    for name, tool in tools.items():
        jsonschema_rs.validator_for(tool["inputSchema"])
        assert tool["inputSchema"]["type"] == tool["outputSchema"]["type"] == "object"
        assert not jsonschema_rs.validator_for(tool["outputSchema"]).is_valid({})
        assert tool["description"].endswith(".")
        assert tool["annotations"]["readOnlyHint"] is (name in READING)
    assert tools["act_on_connection"]["annotations"]["destructiveHint"] is True


async def test_a_schema_takes_what_its_tool_takes(gateway: Gateway) -> None:
    tools = await listed(gateway)
    examples: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "list_platforms": ({}, {"x": 1}),
        "list_connections": ({"statuses": ["all"], "limit": 1}, {"statuses": ["none"]}),
        "lookup_connections": (
            {"users": [{"platform": "acme", "user_id": "102"}]},
            {"users": [{"platform": "acme"}]},
        ),
        "explain_connection": ({"platform": "acme", "user_id": "102"}, {"platform": "acme", "user_id": "0 7"}),
        "act_on_connection": (
            {"platform": "acme", "user_id": "101", "action": "accept"},
            {"platform": "acme", "user_id": "101", "action": "poke"},
        ),
    }
    assert set(examples) == set(tools)
    for name, (right, wrong) in examples.items():
        schema = jsonschema_rs.validator_for(tools[name]["inputSchema"])
        assert (schema.is_valid(right), schema.is_valid(wrong)) == (True, False)
        assert "type" not in await use(gateway.client, name, **right)
        assert (await use(gateway.client, name, **wrong))["type"] == "/problems/invalid-request"


@pytest.mark.parametrize(
    ("tool", "arguments", "path"),
    [
        ("list_platforms", {}, "/v1/platforms"),
        ("list_connections", {}, "/v1/connections"),
        ("list_connections", {"platforms": ["club"], "statuses": ["all"], "limit": 3}, "/v1/connections?platform=club&status=all&limit=3"),
        ("list_connections", {"user_ids": ["102", "106"]}, "/v1/connections?user_id=102&user_id=106"),
        ("list_connections", {"platforms": ["nowhere"]}, "/v1/connections?platform=nowhere"),
        ("list_connections", {"statuses": ["none"]}, "/v1/connections?status=none"),
        ("list_connections", {"user_ids": ["0"]}, "/v1/connections?user_id=0"),
        ("list_connections", {"cursor": "x"}, "/v1/connections?cursor=x"),
        ("explain_connection", {"platform": "nowhere", "user_id": "1"}, "/v1/connections/nowhere/1?explain=true"),
        ("explain_connection", {"platform": "acme", "user_id": "07"}, "/v1/connections/acme/07?explain=true"),
    ],
    ids=str,
)  # fmt: skip
async def test_a_tool_tells_what_its_call_tells(
    gateway: Gateway, tool: str, arguments: dict[str, Any], path: str
) -> None:
    told = await use(gateway.client, tool, **arguments)
    assert _timeless(told) == _timeless((await gateway.client.get(path)).json())


async def test_a_list_goes_on_at_its_cursor(gateway: Gateway) -> None:
    given: dict[str, Any] = {"platforms": ["club"], "statuses": ["connected"], "limit": 500}
    users: list[str] = []
    page = await use(gateway.client, "list_connections", **given)
    users += [each["user_id"] for each in page["connections"]]
    while page["next_cursor"]:
        page = await use(gateway.client, "list_connections", **given, cursor=page["next_cursor"])
        users += [each["user_id"] for each in page["connections"]]
    assert len(set(users)) == len(users) == 1001


async def test_users_are_looked_up_in_one_call_each_alone_in_its_failure(gateway: Gateway) -> None:
    users = [{"platform": "acme", "user_id": str(user)} for user in (101, 102, 103)]
    users += [{"platform": "club", "user_id": "404404"}, {"platform": "nowhere", "user_id": "1"}]
    found = await use(gateway.client, "lookup_connections", users=users)
    expected = (await gateway.client.post("/v1/lookup", json={"users": users})).json()
    assert _timeless(found) == _timeless(expected)
    assert [each.get("connection", each.get("error")).get("status") for each in found["results"]] == [
        "connected",
        "pending_incoming",
        "pending_outgoing",
        404,
        404,
    ]
    assert {path: count for path, count in gateway.acme.calls.by_path.items() if "list" in path} == {
        "GET /pod/v1/connection/list": 2
    }


async def test_an_answer_is_explained(gateway: Gateway) -> None:
    told = await use(gateway.client, "explain_connection", platform="acme", user_id="102")
    assert (told["status"], told["explain"]["source"], told["explain"]["calls"]) == (
        "pending_incoming",
        "platform",
        1,
    )


async def test_a_failure_is_explained(gateway: Gateway) -> None:
    told = await use(gateway.client, "explain_connection", platform="club", user_id="404404")
    assert (told["type"], told["user_id"]) == ("/problems/user-not-found", "404404")
    assert told["explain"]["calls"] == 1


async def test_an_action_is_done_and_stands_in_the_audit_log(gateway: Gateway) -> None:
    told = await use(gateway.client, "act_on_connection", platform="club", user_id="102", action="accept")
    assert (told["status"], gateway.club.platform.connection(1, 102)) == ("connected", "connected")
    assert audited(gateway) == [("club", "accept", "begun"), ("club", "accept", "connected")]


async def test_an_action_that_is_not_possible_is_a_problem(gateway: Gateway) -> None:
    told = await use(gateway.client, "act_on_connection", platform="acme", user_id="103", action="accept")
    assert (told["type"], told["status"], told["retryable"]) == ("/problems/action-not-possible", 409, False)
    assert told["connection"]["status"] == "pending_outgoing"
    assert audited(gateway) == [("acme", "accept", "action-not-possible")]
    assert gateway.logged()[-2]["problem"] == "action-not-possible"


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        ({"platform": "acme", "user_id": "103", "action": "cancel"}, "action-not-offered"),
        ({"platform": "nowhere", "user_id": "103", "action": "accept"}, "unknown-platform"),
        ({"platform": "club", "user_id": "404404", "action": "request"}, "user-not-found"),
        ({"platform": "club", "user_id": "0", "action": "request"}, "invalid-request"),
        ({"platform": "club", "user_id": 102, "action": "accept"}, "invalid-request"),
        ({"platform": "club", "user_id": "102", "action": "poke"}, "invalid-request"),
        ({"platform": "club", "user_id": "102"}, "invalid-request"),
    ],
    ids=str,
)
async def test_an_action_that_is_refused_is_not_sent(gateway: Gateway, arguments: dict[str, Any], slug: str) -> None:
    told = await use(gateway.client, "act_on_connection", **arguments)
    assert told["type"] == f"/problems/{slug}"
    assert not [path for path in [*gateway.acme.calls.by_path, *gateway.club.calls.by_path] if "POST" in path and ("accept" in path or "request" in path)]  # fmt: skip


async def test_an_action_is_sent_once_after_an_ambiguous_failure(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(path="accept", status=500, body="<html>"))
    told = await use(gateway.client, "act_on_connection", platform="club", user_id="102", action="accept")
    assert told["type"] == "/problems/platform-error"
    sent = {path: count for path, count in gateway.club.calls.by_path.items() if "accept" in path}
    assert list(sent.values()) == [1]


async def test_what_fails_names_the_place_of_the_argument(gateway: Gateway) -> None:
    users = [{"platform": "acme", "user_id": "1"}, {"platform": "acme", "user_id": "x"}]
    told = await use(gateway.client, "lookup_connections", users=users)
    assert told["detail"].startswith("users[1].user_id: ")
    assert (await use(gateway.client, "lookup_connections"))[
        "detail"
    ] == "arguments: object missing required field `users`"
    assert gateway.calls == 0


async def test_a_platform_that_fails_is_a_problem_that_says_when_to_try_again(gateway: Gateway) -> None:
    gateway.club.misbehave(Fault(status=429, retry_after=7))
    told = await use(gateway.client, "explain_connection", platform="club", user_id="102")
    assert (told["type"], told["retryable"]) == ("/problems/platform-throttled", True)
    assert 0 < told["retry_after"] <= 7


async def test_callers_see_the_tools_that_they_have_the_right_to() -> None:
    callers = [caller("reader"), caller("actor", may=["act"]), caller("both", may=["read", "act"])]
    async with running(OWN, callers, mcp=True) as gateway:
        found = {name: await tool_names(gateway.as_caller(name)) for name in ("reader", "actor", "both")}
        assert found == {
            "reader": READING,
            "actor": ["list_platforms", "act_on_connection"],
            "both": [*READING, "act_on_connection"],
        }
        told = await use(gateway.as_caller("reader"), "act_on_connection", platform="acme", user_id="102", action="accept")  # fmt: skip
        assert (told["type"], gateway.calls) == ("/problems/not-allowed", 0)


async def test_callers_see_their_platforms_alone() -> None:
    async with running(OWN, [caller("web", platforms=["club"])], mcp=True) as gateway:
        client = gateway.as_caller("web")
        assert [each["name"] for each in (await use(client, "list_platforms"))["platforms"]] == ["club"]
        users = [{"platform": name, "user_id": "102"} for name in ("acme", "club")]
        refused, found = (await use(client, "lookup_connections", users=users))["results"]
        assert refused["error"]["type"] == "/problems/not-allowed"
        assert found["connection"]["status"] == "pending_incoming"
        assert gateway.acme.calls.calls == 0


async def test_headers_say_who_the_viewer_is() -> None:
    target: dict[str, Any] = {"platform": "acme", "user_id": "102"}
    async with running(CALLERS, mcp=True) as gateway:
        assert (await use(gateway.client, "explain_connection", **target))["type"] == "/problems/missing-credential"
        told = await use(gateway.client, "explain_connection", {"sessionToken": "demo"}, **target)
        assert told["status"] == "pending_incoming"
    async with running(NAMED, [caller("web", on_behalf_of=["1"])], mcp=True) as gateway:
        told = await use(gateway.as_caller("web"), "explain_connection", {"X-On-Behalf-Of": "acme=1"}, **target)
        assert told["status"] == "pending_incoming"
        assert audited(gateway) == [("acme", "lookup", "ok")]
        told = await use(gateway.as_caller("web"), "explain_connection", {"X-On-Behalf-Of": "acme=2"}, **target)
        assert told["type"] == "/problems/not-allowed"


def test_a_tool_takes_no_longer_than_its_caller_waits_and_an_action_runs_on() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0, mcp=True) as gateway:
            gateway.club.misbehave(Fault(path="accept", delay=1.0))
            gateway.acme.misbehave(Fault(delay=100))
            headers = {"X-Request-Timeout-Ms": "500"}
            target = {"platform": "club", "user_id": "102", "action": "accept"}
            told = await use(gateway.client, "act_on_connection", headers, **target)
            assert told["type"] == "/problems/outcome-unknown"
            assert asyncio.get_running_loop().time() == pytest.approx(0.5, abs=0.05)
            told = await use(gateway.client, "explain_connection", headers, platform="acme", user_id="102")
            assert told["type"] == "/problems/platform-timeout"
            await asyncio.sleep(3)
            outcomes = [outcome for platform, _, outcome in audited(gateway) if platform == "club"]
            assert outcomes == ["begun", "outcome-unknown", "connected"]

    clock.run(main())


async def test_a_header_asks_for_an_answer_that_is_fresh() -> None:
    async with running(cache={"fresh_for": 60}, mcp=True) as gateway:
        users = [{"platform": "club", "user_id": "102"}]
        for _ in range(2):
            await use(gateway.client, "lookup_connections", users=users)
        asked = gateway.club.calls.calls
        await use(gateway.client, "lookup_connections", {"Cache-Control": "no-cache"}, users=users)
        assert (asked, gateway.club.calls.calls) == (1, 2)


def _timeless(told: Any) -> Any:
    """Without what differs from one answer to the next."""
    if isinstance(told, list):
        return [_timeless(each) for each in told]
    if isinstance(told, dict):
        return {name: _timeless(each) for name, each in told.items() if name not in {"as_of", "instance", "explain"}}
    return told

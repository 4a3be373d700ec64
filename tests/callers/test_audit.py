"""A line for every action and every call on behalf of somebody: who, as whom, what, and how it ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.simulation.faults import Fault
from gateway.telemetry.log import Log
from tests import clock
from tests.gateways import CALLERS, NAMED, OWN, Gateway, caller, running

KEY = "hash-key-of-the-tests"
HASH = Log(hash_key=KEY.encode())
WEB = caller("web", on_behalf_of=["102", "103"], may=["read", "act"])


def audited(gateway: Gateway) -> list[dict[str, Any]]:
    lines = [line for line in gateway.logged() if line["event"] == "audit"]
    return [{name: value for name, value in line.items() if name not in {"time", "event"}} for line in lines]


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("acme/102/accept", "connected"),
        ("acme/103/accept", "action-not-possible"),
        ("acme/103/cancel", "action-not-offered"),
        ("club/404404/request", "user-not-found"),
    ],
)
async def test_an_action(path: str, outcome: str) -> None:
    async with running(OWN, [WEB], hash_key=KEY) as gateway, gateway.as_caller("web") as client:
        await client.post(f"/v1/connections/{path}", headers={"X-Request-Id": "abc"})
        platform, user, action = path.split("/")
        expected = {
            "level": "info",
            "request_id": "abc",
            "caller": "web",
            "platform": platform,
            "viewer": "own",
            "action": action,
            "user": HASH.user(int(user)),
            "outcome": outcome,
        }
        if outcome == "action-not-offered":
            del expected["viewer"]
        begun = [{**expected, "outcome": "begun"}] if outcome == "connected" else []
        assert audited(gateway) == [*begun, expected]


async def test_an_action_without_callers(gateway: Gateway) -> None:
    await gateway.client.post("/v1/connections/acme/102/accept")
    lines = audited(gateway)
    assert all("caller" not in line for line in lines)
    assert [line["outcome"] for line in lines] == ["begun", "connected"]


async def test_a_read_as_nobody_in_particular_is_not_told(gateway: Gateway) -> None:
    await gateway.client.get("/v1/connections/acme/101")
    assert audited(gateway) == []


async def test_a_viewer_with_a_token_is_told_apart_by_a_hash() -> None:
    async with running(CALLERS, [WEB]) as gateway, gateway.as_caller("web") as client:
        gateway.acme.platform.tokens.accept("another-token", 1)
        for token in ("demo", "demo", "another-token"):
            await client.post("/v1/connections/acme/101/accept", headers={"sessionToken": token})
        await client.post("/v1/connections/acme/101/accept")
    one, same, other, missing = audited(gateway)
    assert one["viewer"] == same["viewer"] != other["viewer"]
    assert len(one["viewer"]) == 16
    assert (missing["outcome"], "viewer" in missing) == ("missing-credential", False)


@pytest.mark.parametrize("platform", ["acme", "club"])
@pytest.mark.parametrize(("viewer", "outcome"), [(102, "ok"), (1, "not-allowed")])
async def test_a_lookup_on_behalf(platform: str, viewer: int, outcome: str) -> None:
    async with running(NAMED, [WEB], hash_key=KEY) as gateway:
        async with gateway.as_caller("web", X_On_Behalf_Of=str(viewer)) as client:
            await client.get(f"/v1/connections/{platform}/1", headers={"X-Request-Id": "abc"})
        assert audited(gateway) == [
            {
                "level": "info",
                "request_id": "abc",
                "caller": "web",
                "platform": platform,
                "viewer": HASH.user(viewer),
                "action": "lookup",
                "user": HASH.user(1),
                "outcome": outcome,
            }
        ]


async def test_a_caller_that_may_not_use_the_platform_at_all() -> None:
    closed = caller("closed", platforms=["club"], on_behalf_of=["*"])
    async with running(NAMED, [closed], hash_key=KEY) as gateway, gateway.as_caller("closed") as client:
        client.headers["X-On-Behalf-Of"] = "102"
        await client.get("/v1/connections/acme/1")
        await client.get("/v1/connections?platform=acme")
    lines = [(line["action"], line["viewer"], line["outcome"]) for line in audited(gateway)]
    assert lines == [("lookup", HASH.user(102), "not-allowed"), ("list", HASH.user(102), "not-allowed")]


async def test_an_action_on_behalf_is_told_before_and_after() -> None:
    async with running(NAMED, [WEB], hash_key=KEY) as gateway:
        async with gateway.as_caller("web", X_On_Behalf_Of="103") as client:
            await client.post("/v1/connections/acme/1/accept")
        begun, line = audited(gateway)
    assert (line["viewer"], line["action"], line["outcome"]) == (HASH.user(103), "accept", "connected")
    assert begun == {**line, "outcome": "begun"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_call_over_several_platforms_has_a_line_for_each(method: str) -> None:
    async with running(NAMED, [WEB], hash_key=KEY) as gateway:
        gateway.club.misbehave(Fault(status=500))
        async with gateway.as_caller("web", X_On_Behalf_Of="acme=1, club=102") as client:
            if method == "GET":
                await client.get("/v1/connections")
            else:
                users = [{"platform": name, "user_id": "1"} for name in ("acme", "club")]
                await client.post("/v1/lookup", json={"users": users})
        lines = [(line["platform"], line["viewer"], line["outcome"]) for line in audited(gateway)]
    assert lines == [("acme", HASH.user(1), "not-allowed"), ("club", HASH.user(102), "platform-error")]


def test_how_an_action_ended_is_told_also_if_its_caller_did_not_wait() -> None:
    async def main() -> list[dict[str, Any]]:
        async with running(NAMED, [WEB], hash_key=KEY) as gateway:
            gateway.acme.misbehave(Fault(path="/accept", delay=1.0))
            async with gateway.as_caller("web", X_On_Behalf_Of="103", X_Request_Timeout_Ms="500") as client:
                answer = await client.post("/v1/connections/acme/1/accept")
            assert answer.json()["type"] == "/problems/outcome-unknown"
            await asyncio.sleep(5)
            return audited(gateway)

    begun, told, became = clock.run(main())
    assert (begun["outcome"], told["outcome"], became["outcome"]) == ("begun", "outcome-unknown", "connected")
    assert (became["late"], became["request_id"], became["viewer"]) == (True, told["request_id"], told["viewer"])


def test_an_action_that_failed_late_says_why() -> None:
    async def main() -> list[dict[str, Any]]:
        async with running(OWN, [WEB]) as gateway:
            for status in (403, 400):
                gateway.acme.misbehave(Fault(path="/accept", delay=1.0, status=status))
                async with gateway.as_caller("web", X_Request_Timeout_Ms="500") as client:
                    await client.post("/v1/connections/acme/102/accept")
                await asyncio.sleep(5)
            return audited(gateway)

    late = [line["outcome"] for line in clock.run(main()) if "late" in line]
    assert late == ["platform-forbidden", "action-not-possible"]


async def test_no_user_and_no_secret_is_in_it() -> None:
    async with running(NAMED, [caller("web", on_behalf_of=["*"])]) as gateway:
        async with gateway.as_caller("web", X_On_Behalf_Of="769658112378") as client:
            await client.get("/v1/connections/club/769658112379")
        written = "".join(gateway.lines)
    assert '"event":"audit"' in written
    assert "76965811237" not in written


def test_an_action_whose_caller_is_cut_off_is_told_with_its_end() -> None:
    async def main() -> list[dict[str, Any]]:
        async with running(OWN, [WEB]) as gateway, gateway.as_caller("web") as client:
            gateway.acme.misbehave(Fault(path="/accept", delay=1.0))
            acting = asyncio.create_task(client.post("/v1/connections/acme/102/accept"))
            await asyncio.sleep(0.5)
            acting.cancel()
            await asyncio.sleep(5)
            return audited(gateway)

    _begun, told, became = clock.run(main())
    assert (told["outcome"], told["viewer"]) == ("unanswered", "own")
    assert (became["outcome"], became["late"]) == ("connected", True)


@pytest.mark.parametrize(
    ("method", "path", "body", "platforms"),
    [
        ("GET", "/v1/connections/acme/x", None, ["acme"]),
        ("GET", "/v1/connections/acme/1?x=1", None, ["acme"]),
        ("GET", "/v1/connections/nowhere/1", None, [None]),
        ("GET", "/v1/connections?cursor=x", None, [None]),
        ("POST", "/v1/lookup", {"users": []}, [None]),
        ("POST", "/v1/connections/acme/x/accept", None, ["acme"]),
        ("POST", "/v1/connections/acme/1/cancel", None, ["acme"]),
        ("POST", "/v1/connections/acme/1/accept?x=1", None, ["acme"]),
    ],
)
async def test_a_call_that_was_refused_before_its_viewer_was_looked_at(
    method: str, path: str, body: Any, platforms: list[str | None]
) -> None:
    async with running(NAMED, [WEB], hash_key=KEY) as gateway:
        async with gateway.as_caller("web", X_On_Behalf_Of="102") as client:
            await client.request(method, path, json=body)
        lines = audited(gateway)
    assert [(line.get("platform"), line["viewer"]) for line in lines] == [
        (name, HASH.user(102)) for name in platforms
    ]
    assert "ok" not in {line["outcome"] for line in lines}


async def test_an_action_on_a_platform_that_there_is_not(gateway: Gateway) -> None:
    await gateway.client.post("/v1/connections/nowhere/1/accept")
    await gateway.client.post("/v1/connections/acme/1/dance")
    assert [(line["action"], line["outcome"]) for line in audited(gateway)] == [("accept", "unknown-platform")]


async def test_a_platform_that_was_not_asked_is_not_told() -> None:
    async with running(NAMED, [caller("web", on_behalf_of=["*"])]) as gateway:
        async with gateway.as_caller("web", X_On_Behalf_Of="acme=1, club=1") as client:
            await client.get("/v1/connections?limit=1")
        assert [line["platform"] for line in audited(gateway)] == ["acme"]
        assert gateway.club.calls.calls == 0


async def test_a_call_that_asks_no_platform_is_not_told() -> None:
    async with running(NAMED, [WEB]) as gateway:
        async with gateway.as_caller("web", X_On_Behalf_Of="102") as client:
            assert (await client.get("/v1/platforms")).status_code == 200
        assert audited(gateway) == []

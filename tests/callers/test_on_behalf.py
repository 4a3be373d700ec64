"""On behalf of whom: the viewer whom a caller names, where it may, and nobody where nobody is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import CALLERS, NAMED, OWN, THOUSAND, Gateway, caller, key_of, running

ANY = caller("any", on_behalf_of=["*"], may=["read", "act"])
SOME = caller("some", on_behalf_of=["acme=101", "club=*", "102"])
NONE = caller("none")


@pytest.fixture
async def speaking() -> AsyncIterator[Gateway]:
    async with running(NAMED, [ANY, SOME, NONE]) as gateway:
        yield gateway


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).removeprefix("/problems/")


async def ask(
    gateway: Gateway, path: str, on_behalf_of: str | None, name: str = "any", method: str = "GET", **options: Any
) -> httpx.Response:
    headers = {"X-API-Key": key_of(name)}
    if on_behalf_of is not None:
        headers["X-On-Behalf-Of"] = on_behalf_of
    return await gateway.client.request(method, path, headers=headers, **options)


@pytest.mark.parametrize("platform", ["acme", "club"])
async def test_the_named_user_is_the_viewer(speaking: Gateway, platform: str) -> None:
    """Viewer 1 has asked 103, so 103 was asked by viewer 1."""
    path = f"/v1/connections/{platform}"
    assert (await ask(speaking, f"{path}/103", "1")).json()["status"] == "pending_outgoing"
    assert (await ask(speaking, f"{path}/1", "103")).json()["status"] == "pending_incoming"
    assert (await ask(speaking, f"{path}/1", f"{platform}=101")).json()["status"] == "connected"


@pytest.mark.parametrize("platform", ["acme", "club"])
async def test_the_gateway_acts_as_the_named_user(speaking: Gateway, platform: str) -> None:
    answer = await ask(speaking, f"/v1/connections/{platform}/1/accept", "103", method="POST")
    assert answer.json()["status"] == "connected"
    assert (await ask(speaking, f"/v1/connections/{platform}/103", "1")).json()["status"] == "connected"


@pytest.mark.parametrize("platform", ["acme", "club"])
async def test_the_gateway_lists_what_the_named_user_has(speaking: Gateway, platform: str) -> None:
    page = (await ask(speaking, f"/v1/connections?platform={platform}&status=all", "103")).json()
    assert [(each["user_id"], each["status"]) for each in page["connections"]] == [("1", "pending_incoming")]
    connected = (await ask(speaking, f"/v1/connections?platform={platform}&status=connected", "101")).json()
    assert [each["user_id"] for each in connected["connections"]] == ["1"]


@pytest.mark.parametrize("platform", ["acme", "club"])
async def test_a_viewer_must_be_named(speaking: Gateway, platform: str) -> None:
    answer = await ask(speaking, f"/v1/connections/{platform}/103", None)
    assert slug(answer) == (400, "invalid-request")
    assert answer.json()["detail"].startswith("X-On-Behalf-Of: expected the user")
    assert speaking.calls == 0


@pytest.mark.parametrize(
    "value",
    [
        *[
            "",
            "x",
            "0",
            "01",
            "-1",
            "9223372036854775808",
            "1,2",
            "1, acme=2",
            "acme=1,acme=1",
            "acme=",
            "acme=x",
            "=1",
        ],
        *["nowhere=1", "acme=1,", "acme = 1", "*", "acme=*", "1\xff", "\u0661", "1" * 5000, "acme=1;club=2"],
    ],
)
async def test_what_can_not_be_meant_is_refused(speaking: Gateway, value: str) -> None:
    headers = {b"X-API-Key": key_of("any").encode(), b"X-On-Behalf-Of": value.encode()}
    answer = await speaking.client.get("/v1/connections/acme/103", headers=list(headers.items()))
    assert slug(answer) == (400, "invalid-request")
    assert answer.json()["detail"].startswith("X-On-Behalf-Of: ")
    assert len(value) < 5 or value not in answer.json()["detail"]
    assert speaking.calls == 0


async def test_two_different_viewers_are_one_too_many(speaking: Gateway) -> None:
    headers = [("X-API-Key", key_of("any")), ("X-On-Behalf-Of", "1"), ("X-On-Behalf-Of", "2")]
    answer = await speaking.client.get("/v1/connections/acme/103", headers=headers)
    assert slug(answer) == (400, "invalid-request")


@pytest.mark.parametrize(
    ("name", "platform", "viewer", "allowed"),
    [
        ("any", "acme", 103, True),
        ("some", "acme", 101, True),
        ("some", "acme", 102, True),
        ("some", "acme", 103, False),
        ("some", "acme", 1, False),
        ("some", "club", 101, True),
        ("some", "club", 1, True),
        ("none", "acme", 1, False),
        ("none", "club", 102, False),
    ],
)
@pytest.mark.parametrize("form", ["{}", "{platform}={}"])
async def test_for_whom_a_caller_may_speak(
    speaking: Gateway, name: str, platform: str, viewer: int, allowed: bool, form: str
) -> None:
    value = form.format(viewer, platform=platform)
    answer = await ask(speaking, f"/v1/connections/{platform}/105", value, name)
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        assert slug(answer) == (403, "not-allowed")
        assert answer.json()["platform"] == platform
        assert speaking.calls == 0


async def test_what_was_said_of_one_viewer_is_not_said_to_the_next(speaking: Gateway) -> None:
    for _ in range(2):
        statuses = [
            (await ask(speaking, "/v1/connections/acme/103", viewer)).json()["status"] for viewer in ("1", "101")
        ]
        assert statuses == ["pending_outgoing", "none"]


@pytest.mark.parametrize("credentials", [OWN, CALLERS])
@pytest.mark.parametrize("platform", ["acme", "club"])
@pytest.mark.parametrize("form", ["{}", "{platform}={}"])
async def test_nobody_is_named_where_nobody_can_be(
    credentials: dict[str, dict[str, Any]], platform: str, form: str
) -> None:
    token = {"sessionToken": "demo", "Authorization": "Bearer demo"}
    async with running(credentials, [ANY]) as gateway, gateway.as_caller("any", **token) as client:
        value = form.format(101, platform=platform)
        answer = await client.get(f"/v1/connections/{platform}/101", headers={"X-On-Behalf-Of": value})
        assert slug(answer) == (400, "invalid-request")
        assert gateway.calls == 0


MIXED = {"acme": NAMED["acme"], "club": OWN["club"], "bank": {"mode": "caller"}, "guild": NAMED["club"]}
USERS = [{"platform": name, "user_id": "1"} for name in MIXED]


@pytest.fixture
async def mixed() -> AsyncIterator[Gateway]:
    async with running(MIXED, [ANY, SOME]) as gateway:
        yield gateway


async def looked_up(gateway: Gateway, on_behalf_of: str | None, name: str = "any", **headers: str) -> list[str]:
    """For each platform of `MIXED`, the status or the problem."""
    if on_behalf_of is not None:
        headers["X-On-Behalf-Of"] = on_behalf_of
    async with gateway.as_caller(name) as client:
        answer = await client.post("/v1/lookup", json={"users": USERS}, headers=headers)
    assert answer.status_code == 200
    return [
        each["connection"]["status"] if "connection" in each else each["error"]["type"].removeprefix("/problems/")
        for each in answer.json()["results"]
    ]


async def test_a_name_without_a_platform_is_nobodys_over_several_that_take_names(mixed: Gateway) -> None:
    """The same number may be two people."""
    users = [{"platform": name, "user_id": "1"} for name in ("acme", "club", "bank", "guild")]
    async with mixed.as_caller("any", X_On_Behalf_Of="102", sessionToken="demo") as client:
        for answer in (
            await client.post("/v1/lookup", json={"users": users}),
            await client.get("/v1/connections?platform=acme&platform=guild"),
        ):
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
            assert "name each, as acme=USER_ID" in answer.json()["detail"]
    assert mixed.calls == 0


async def test_a_name_without_a_platform_is_for_the_only_one_that_takes_names(mixed: Gateway) -> None:
    users = [{"platform": name, "user_id": "1"} for name in ("acme", "club")]
    async with mixed.as_caller("any", X_On_Behalf_Of="102") as client:
        results = (await client.post("/v1/lookup", json={"users": users})).json()["results"]
    assert [each["connection"]["status"] for each in results] == ["pending_outgoing", "none"]


async def test_over_several_platforms_what_is_missing_is_one_platforms_error(mixed: Gateway) -> None:
    assert await looked_up(mixed, None) == ["invalid-request", "none", "missing-credential", "invalid-request"]
    said = await looked_up(mixed, "guild=102", sessionToken="demo")
    assert said == ["invalid-request", "none", "none", "pending_outgoing"]


async def test_over_several_platforms_one_that_takes_no_names_is_one_platforms_error(mixed: Gateway) -> None:
    said = await looked_up(mixed, "acme=102, club=7, guild=101", sessionToken="demo")
    assert said == ["pending_outgoing", "invalid-request", "none", "connected"]


async def test_over_several_platforms_who_may_not_be_named_is_one_platforms_error(mixed: Gateway) -> None:
    said = await looked_up(mixed, "acme=103, guild=102", "some", sessionToken="demo")
    assert said == ["not-allowed", "none", "none", "pending_outgoing"]


async def test_over_several_platforms_of_which_none_takes_names_a_name_refuses_the_call() -> None:
    async with running(OWN, [ANY]) as gateway, gateway.as_caller("any", X_On_Behalf_Of="102") as client:
        answer = await client.get("/v1/connections")
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
        assert gateway.calls == 0


async def test_a_platform_that_the_call_does_not_touch_may_be_named(mixed: Gateway) -> None:
    answer = await ask(mixed, "/v1/connections/acme/1", "acme=102, club=7")
    assert answer.json()["status"] == "pending_outgoing"


async def test_a_list_tells_each_platforms_own_error(mixed: Gateway) -> None:
    page = (await ask(mixed, "/v1/connections", "guild=103", "some")).json()
    errors = {each["platform"]: each["type"].removeprefix("/problems/") for each in page["errors"]}
    assert errors == {"acme": "invalid-request", "bank": "missing-credential", "guild": "not-allowed"}
    assert {each["platform"] for each in page["connections"]} == {"club"}


@pytest.mark.parametrize("platform", ["acme", "club"])
async def test_a_token_for_a_platform_that_takes_names_is_ignored(speaking: Gateway, platform: str) -> None:
    headers = {
        "X-API-Key": key_of("any"),
        "X-On-Behalf-Of": "103",
        "sessionToken": "demo",
        "Authorization": "Bearer demo",
    }
    answer = await speaking.client.get(f"/v1/connections/{platform}/1", headers=headers)
    assert answer.json()["status"] == "pending_incoming"
    answer = await speaking.client.get(
        f"/v1/connections/{platform}/1", headers=headers | {"X-Platform-Token": f"{platform}=demo"}
    )
    assert slug(answer) == (400, "invalid-request")


def test_a_thousand_lookups_that_meet_expired_sessions_are_one_login_per_viewer() -> None:
    async def main() -> None:
        async with running(NAMED, [ANY], THOUSAND) as gateway:
            viewers = ["101", "102", "103", "1000"]
            for viewer in viewers:
                await ask(gateway, "/v1/connections/acme/1", viewer)
            # refused at the same moment, while the app's own session lives
            refusals = [Fault(path="/connection/list", delay=0.1, status=401, times=len(viewers))]
            gateway.acme.misbehave(*refusals)
            gateway.acme.calls.reset()
            asking = [
                ask(gateway, f"/v1/connections/acme/{1000 + number // 4}", viewers[number % 4])
                for number in range(1000)
            ]
            answers = await asyncio.gather(*asking)
            assert {each.status_code for each in answers} == {200}
            assert gateway.acme.calls.by_path == {
                "POST /login/pubkey/app/user/{id}/authenticate": len(viewers),
                "GET /pod/v1/connection/list": 3 * len(viewers),
            }

    clock.run(main())


async def test_a_viewer_whom_the_pod_does_not_let_us_speak_for_is_forbidden(speaking: Gateway) -> None:
    first = await ask(speaking, "/v1/connections/acme/1", "404404")
    again = await ask(speaking, "/v1/connections/acme/1", "404404")
    assert [slug(each) for each in (first, again)] == [(403, "platform-forbidden")] * 2
    assert "retry-after" in again.headers
    assert speaking.acme.calls.by_path["POST /login/pubkey/app/user/{id}/authenticate"] == 1
    assert (await ask(speaking, "/v1/connections/acme/1", "103")).json()["status"] == "pending_incoming"

"""`GET /v1/me`: what this caller may do, and as whom each platform is asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.callers.tokens import AUDIENCE, ISSUER, RSA, pem, token
from tests.gateways import CALLERS, NAMED, OWN, Gateway, caller, running


async def me(gateway: Gateway, name: str = "", **headers: str) -> dict[str, Any]:
    client = gateway.as_caller(name) if name else gateway.client
    answer = await client.get("/v1/me", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "X-API-Key" in answer.headers["vary"]
    found: dict[str, Any] = answer.json()
    assert gateway.calls == 0
    return found


def platforms(found: dict[str, Any], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(each[field] for field in fields) for each in found["platforms"]]


async def test_an_open_gateway_knows_no_callers(gateway: Gateway) -> None:
    assert await me(gateway) == {
        "caller": None,
        "may": ["read", "act"],
        "expires_at": None,
        "platforms": [
            {"name": "acme", "viewer": "own", "on_behalf_of": [], "user_id": None},
            {"name": "club", "viewer": "own", "on_behalf_of": [], "user_id": None},
        ],
    }


async def test_a_caller_sees_its_policy() -> None:
    async with running(OWN, [caller("web", platforms=["club"]), caller("bot", may=["act"])]) as gateway:
        web, bot = await me(gateway, "web"), await me(gateway, "bot")
    assert (web["caller"], web["may"], platforms(web, "name")) == ("web", ["read"], [("club",)])
    assert (bot["caller"], bot["may"], platforms(bot, "name")) == ("bot", ["act"], [("acme",), ("club",)])
    assert all("error" not in each for each in bot["platforms"])


async def test_without_a_key_nothing_is_told() -> None:
    async with running(OWN, [caller("web")]) as gateway:
        assert (await gateway.client.get("/v1/me")).status_code == 401


async def test_a_token_that_is_missing_is_that_platforms_error(passing: Gateway) -> None:
    found = await me(passing, sessionToken="demo")
    acme, club = found["platforms"]
    assert (acme["viewer"], "error" in acme) == ("token", False)
    assert club["error"]["type"] == "/problems/missing-credential"


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        (["*"], [["*"], ["*"]]),
        (["acme=*", "7"], [["*"], ["7"]]),
        (["9", "acme=7", "club=8"], [["7", "9"], ["8", "9"]]),
        ([], [[], []]),
    ],
    ids=str,
)
async def test_for_whom_a_caller_may_speak(grants: list[str], expected: list[list[str]]) -> None:
    async with running(NAMED, [caller("web", on_behalf_of=grants)]) as gateway:
        found = await me(gateway, "web")
    assert [each for (each,) in platforms(found, "on_behalf_of")] == expected
    assert platforms(found, "viewer") == [("named",), ("named",)]


async def test_the_viewer_whom_a_call_names() -> None:
    async with running(NAMED, [caller("web", on_behalf_of=["102"])]) as gateway:
        found = await me(gateway, "web", **{"X-On-Behalf-Of": "acme=102, club=103"})
        acme, club = found["platforms"]
        assert (acme["user_id"], "error" in acme) == ("102", False)
        assert (club["user_id"], club["error"]["type"]) == (None, "/problems/not-allowed")
        unnamed = await me(gateway, "web")
        assert {each["error"]["type"] for each in unnamed["platforms"]} == {"/problems/invalid-request"}
        assert [line for line in gateway.logged() if line["event"] == "audit"] == []


async def test_what_a_signed_token_leaves_of_its_callers_policy(tmp_path: Path) -> None:
    file = tmp_path / "page.pem"
    file.write_text(pem(RSA))
    entry = {
        "name": "page",
        "jwt_key_file": str(file),
        "jwt_issuer": ISSUER,
        "jwt_audience": AUDIENCE,
        "may": ["read", "act"],
        "on_behalf_of": ["1", "2", "3"],
    }
    expires = int(time.time()) + 100
    async with running(NAMED, [entry]) as gateway:
        key = token(exp=expires, may=["read"], on_behalf_of=["2", "3", "4"])
        found = await me(gateway, **{"X-API-Key": key})
    assert (found["caller"], found["may"]) == ("page", ["read"])
    assert platforms(found, "on_behalf_of") == [(["2", "3"],), (["2", "3"],)]
    assert found["expires_at"].endswith(".000Z")


async def test_a_malformed_header_refuses_the_call() -> None:
    async with running(CALLERS) as gateway:
        answer = await gateway.client.get("/v1/me", headers={"X-Platform-Token": "nowhere=x"})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")

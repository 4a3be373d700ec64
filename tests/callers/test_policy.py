"""What a caller may: nothing that its entry does not say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.gateways import CALLERS, OWN, Gateway, caller, key_of, running

POLICY = [
    caller("all", may=["read", "act"]),
    caller("reader"),
    caller("actor", may=["act"]),
    caller("acme-only", platforms=["acme"], may=["read", "act"]),
]
ACCEPT = "/v1/connections/{}/102/accept"
LOOKUP = "/v1/connections/{}/101"


@pytest.fixture
async def keyed() -> AsyncIterator[Gateway]:
    async with running(OWN, POLICY) as gateway:
        yield gateway


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).removeprefix("/problems/")


async def ask(gateway: Gateway, name: str, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"X-API-Key": key_of(name)} | options.pop("headers", {})
    return await gateway.client.request(method, path, headers=headers, **options)


@pytest.mark.parametrize("platform", ["acme", "club"])
@pytest.mark.parametrize(
    ("name", "reads", "acts"),
    [("all", True, True), ("reader", True, False), ("actor", False, True), ("acme-only", None, None)],
)
async def test_who_may_read_and_who_may_act(
    keyed: Gateway, name: str, reads: bool | None, acts: bool | None, platform: str
) -> None:
    expected = [platform == "acme" if right is None else right for right in (reads, acts)]
    answers = [
        await ask(keyed, name, "GET", LOOKUP.format(platform)),
        await ask(keyed, name, "POST", ACCEPT.format(platform)),
    ]
    assert [each.status_code == 200 for each in answers] == expected
    assert {slug(each) for each in answers if each.status_code != 200} <= {(403, "not-allowed")}


async def test_what_is_not_allowed_asks_no_platform(keyed: Gateway) -> None:
    await ask(keyed, "reader", "POST", ACCEPT.format("acme"))
    await ask(keyed, "acme-only", "GET", LOOKUP.format("club"))
    await ask(keyed, "actor", "GET", "/v1/connections")
    assert keyed.calls == 0


async def test_what_is_offered_says_nothing_of_the_callers_rights(keyed: Gateway) -> None:
    assert (await ask(keyed, "reader", "GET", "/v1/connections/acme/102")).json()["actions"] == ["accept", "reject"]


async def test_one_list_leaves_closed_platforms_out(keyed: Gateway) -> None:
    page = (await ask(keyed, "acme-only", "GET", "/v1/connections")).json()
    assert {each["platform"] for each in page["connections"]} == {"acme"}
    assert page["errors"] == []


async def test_a_closed_platform_that_is_named_refuses_the_list(keyed: Gateway) -> None:
    for query in ("platform=club", "platform=acme&platform=club"):
        answer = await ask(keyed, "acme-only", "GET", f"/v1/connections?{query}")
        assert slug(answer) == (403, "not-allowed")
        assert answer.json()["platform"] == "club"
    assert keyed.calls == 0


async def test_who_may_not_read_gets_no_list(keyed: Gateway) -> None:
    assert slug(await ask(keyed, "actor", "GET", "/v1/connections")) == (403, "not-allowed")


async def test_in_a_lookup_of_many_a_refusal_is_its_entrys_own(keyed: Gateway) -> None:
    users = [{"platform": name, "user_id": "101"} for name in ("acme", "club", "acme")]
    results = (await ask(keyed, "acme-only", "POST", "/v1/lookup", json={"users": users})).json()["results"]
    assert [each["connection"]["status"] for each in (results[0], results[2])] == ["connected", "connected"]
    assert (results[1]["error"]["type"], results[1]["error"]["platform"]) == ("/problems/not-allowed", "club")
    assert keyed.club.calls.calls == 0


async def test_who_may_not_read_gets_no_lookup_of_many(keyed: Gateway) -> None:
    users = [{"platform": name, "user_id": "101"} for name in ("acme", "club")]
    results = (await ask(keyed, "actor", "POST", "/v1/lookup", json={"users": users})).json()["results"]
    assert [each["error"]["status"] for each in results] == [403, 403]
    assert keyed.calls == 0


async def test_a_cursor_of_others_is_none_of_mine(keyed: Gateway) -> None:
    cursor = (await ask(keyed, "all", "GET", "/v1/connections?limit=1")).json()["next_cursor"]
    assert slug(await ask(keyed, "acme-only", "GET", f"/v1/connections?cursor={cursor}")) == (400, "invalid-request")


async def test_a_caller_sees_the_platforms_that_it_may_use(keyed: Gateway) -> None:
    seen = {
        name: [each["name"] for each in (await ask(keyed, name, "GET", "/v1/platforms")).json()["platforms"]]
        for name in ("all", "acme-only", "actor")
    }
    assert (await ask(keyed, "all", "GET", "/v1/platforms")).headers["vary"] == "X-API-Key"
    assert seen == {"all": ["acme", "club"], "acme-only": ["acme"], "actor": ["acme", "club"]}


async def test_a_token_goes_to_no_platform_that_its_caller_may_not_use() -> None:
    async with running(CALLERS | {"bank": {"mode": "caller"}}, [caller("web", platforms=["acme"])]) as gateway:
        users = [{"platform": name, "user_id": "101"} for name in ("acme", "bank")]
        async with gateway.as_caller("web", sessionToken="demo") as client:
            results = (await client.post("/v1/lookup", json={"users": users})).json()["results"]
        assert results[0]["connection"]["status"] == "connected"
        assert results[1]["error"]["type"] == "/problems/not-allowed"
        assert gateway.simulators["bank"].calls.calls == 0


WRONG = "/v1/connections/{platform}/{user}/{action}"


@pytest.mark.parametrize(
    ("key", "path", "expected"),
    [
        ("wrong", "/v1/connections/nowhere/x/dance", "invalid-api-key"),
        ("reader", "/v1/connections/nowhere/x/dance", "unknown-platform"),
        ("reader", "/v1/connections/club/x/dance", "invalid-request"),
        ("reader", "/v1/connections/club/101/dance", "not-found"),
        ("reader", "/v1/connections/acme/101/cancel", "action-not-offered"),
        ("reader", "/v1/connections/club/101/cancel", "not-allowed"),
        ("all", "/v1/connections/club/101/cancel", "missing-credential"),
        ("acme-only", "/v1/connections/club/101/cancel", "not-allowed"),
    ],
)
async def test_what_is_checked_first(key: str, path: str, expected: str) -> None:
    async with running(CALLERS, POLICY) as gateway:
        answer = await ask(gateway, key, "POST", path)
        assert slug(answer)[1] == expected
        assert gateway.calls == 0


@pytest.mark.parametrize("header", ["X-On-Behalf-Of", "X-Platform-Token"])
async def test_policy_comes_before_a_header_that_makes_no_sense(header: str) -> None:
    async with running(CALLERS, POLICY) as gateway:
        for name, expected in {"acme-only": (403, "not-allowed"), "all": (400, "invalid-request")}.items():
            answer = await ask(gateway, name, "GET", LOOKUP.format("club"), headers={header: "nonsense"})
            assert slug(answer) == expected


async def test_the_state_is_looked_at_last() -> None:
    async with running(CALLERS, POLICY) as gateway:
        answer = await ask(
            gateway, "all", "POST", "/v1/connections/club/101/cancel", headers={"Authorization": "Bearer demo"}
        )
        assert slug(answer) == (409, "action-not-possible")

"""`explain=true`: how an answer came to be, with times; on a virtual clock, so these are exact."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.caching.asking import KEPT
from tests.clock import run, virtual
from tests.faults.upstreams import Faulty, faulty
from tests.gateways import OWN, THOUSAND, Gateway

Step = tuple[str, int, int | None, str | None]


def steps(document: dict[str, Any]) -> list[Step]:
    return [(each["step"], each["at_ms"], each["took_ms"], each["outcome"]) for each in document["explain"]["steps"]]


async def explain(gateway: Faulty, user: int = 101, platform: str = "acme", **headers: str) -> dict[str, Any]:
    answer = await explained(gateway, user, platform, **headers)
    document: dict[str, Any] = answer.json()
    return document


async def explained(gateway: Faulty, user: int = 101, platform: str = "acme", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/v1/connections/{platform}/{user}?explain=true"
    return await gateway.client.get(path, headers={"X-Platform-Token": f"{platform}=demo", **named})


@virtual
async def test_a_lookup_that_asks_the_platform() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.05
        plain = (await gateway.lookup("acme")).json()
        told = await explain(gateway)
        explanation = told.pop("explain")
        assert told == plain | {"as_of": told["as_of"]}
        assert (explanation["source"], explanation["age_ms"], explanation["took_ms"]) == ("platform", 0, 50)
        assert (explanation["calls"], explanation["tries"]) == (1, 1)
        assert steps({"explain": explanation}) == [
            ("cache", 0, 0, "miss"),
            ("wait", 0, 0, "none"),
            ("call", 0, 50, None),
            ("try", 0, 50, "200"),
        ]
        assert explanation["breaker"] == {"state": "closed", "tries_in_ms": None}
        assert explanation["throttle"] == {"active": False, "ends_in_ms": None}


@virtual
async def test_a_hit_has_made_no_call() -> None:
    async with faulty(each={**THOUSAND, **KEPT}) as gateway:
        await gateway.lookup("acme")
        await asyncio.sleep(3)
        explanation = (await explain(gateway))["explain"]
        assert (explanation["source"], explanation["age_ms"], explanation["calls"], explanation["tries"]) == (
            "cache",
            3000,
            0,
            0,
        )
        assert steps({"explain": explanation}) == [("cache", 0, 0, "hit")]


@virtual
async def test_why_what_was_kept_did_not_do() -> None:
    async with faulty(each={**THOUSAND, **KEPT}) as gateway:
        await gateway.lookup("acme")
        assert steps(await explain(gateway, Cache_Control="no-cache"))[0] == ("cache", 0, 0, "request")
        await asyncio.sleep(10)
        assert steps(await explain(gateway))[0] == ("cache", 0, 0, "stale")


@virtual
async def test_a_stale_answer_says_how_old_it_is_and_what_failed() -> None:
    async with faulty(each={**THOUSAND, **KEPT}) as gateway:
        await gateway.lookup("acme")
        await asyncio.sleep(10)
        gateway.acme.trouble = "lost"
        told = await explain(gateway)
        assert (told["stale"], told["explain"]["source"]) == (True, "stale")
        assert told["explain"]["age_ms"] == 10_000 + told["explain"]["took_ms"]
        assert told["explain"]["tries"] == 2
        names = [(step, outcome) for step, _, _, outcome in steps(told)]
        assert names == [
            ("cache", "stale"),
            ("wait", "none"),
            ("call", None),
            ("try", "ReadError"),
            ("pause", None),
            ("try", "ReadError"),
        ]
        (pause,) = (took for step, _, took, _ in steps(told) if step == "pause")
        assert pause is not None
        assert 10 <= pause <= 100


@virtual
async def test_who_joins_a_call_learns_when_it_began() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 1.0
        first = asyncio.create_task(gateway.lookup("acme"))
        await asyncio.sleep(0.25)
        second = await explained(gateway)
        assert second.headers["cache-status"] == "connection-gateway; fwd=miss; collapsed"
        assert steps(second.json()) == [
            ("call", -250, 1000, None),
            ("try", -250, 1000, "200"),
            ("cache", 0, 0, "miss"),
            ("wait", 0, 750, "joined"),
        ]
        assert (await first).headers["cache-status"] == "connection-gateway; fwd=miss"
        assert gateway.acme.calls == 1


@virtual
async def test_who_gathers_learns_how_long_and_with_how_many() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 1.0
        others = [asyncio.create_task(gateway.lookup("acme", user)) for user in (1001, 1002)]
        await asyncio.sleep(0.1)
        others += [asyncio.create_task(gateway.lookup("acme", user)) for user in (1003, 1004)]
        told = await explain(gateway, 1005)
        assert steps(told)[:3] == [("cache", 0, 0, "miss"), ("wait", 0, 900, "gathered"), ("call", 900, 1000, None)]
        assert next(each["users"] for each in told["explain"]["steps"] if each["step"] == "call") == 3
        await asyncio.gather(*others)


@virtual
async def test_a_call_that_was_halved_tells_each_of_its_own_part() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.1
        first = [asyncio.create_task(gateway.lookup("acme", user)) for user in (1001, 1002)]
        await asyncio.sleep(0.05)
        refused = httpx.Response(400, json={"code": 400, "message": "one of them"})
        gateway.acme.refuses = {1006: refused}
        told = await asyncio.gather(*(explain(gateway, user) for user in range(1003, 1011)))
        await asyncio.gather(*first)
        assert "type" in told[3]
        for each in told:
            explanation = each["explain"]
            assert explanation["calls"] < 5, explanation
            asked = [step["users"] for step in explanation["steps"] if step["step"] == "call"]
            assert asked[0] == 8
            assert asked == sorted(asked, reverse=True)
            assert all(step["took_ms"] is not None for step in explanation["steps"])
            (wait,) = (step for step in explanation["steps"] if step["step"] == "wait")
            assert wait["took_ms"] == 50


@virtual
async def test_a_login_is_told_apart() -> None:
    async with faulty(OWN) as gateway:
        gateway.acme.seconds = 0.1
        answer = await gateway.client.get("/v1/connections/acme/101?explain=true")
        told = answer.json()
        assert [each[:3] for each in steps(told) if each[0] in {"login", "try"}] == [
            ("login", 0, 100),
            ("try", 100, 100),
        ]
        assert told["explain"]["tries"] == 2


@virtual
async def test_who_stands_in_line_learns_how_long() -> None:
    async with faulty(each={"max_calls": 1, "max_waiting": 1000}) as gateway:
        gateway.acme.seconds = 0.5
        other = asyncio.create_task(gateway.lookup_anew("acme"))
        await asyncio.sleep(0.1)
        told = await explain(gateway)
        assert ("line", 0, 400, None) in steps(told)
        assert ("try", 400, 500, "200") in steps(told)
        await other


@virtual
async def test_a_problem_is_explained_too() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = "hanging"
        answer = await explained(gateway, X_Request_Timeout_Ms="300")
        assert answer.status_code == 504
        assert answer.headers["content-type"] == "application/problem+json"
        explanation = answer.json()["explain"]
        assert (explanation["source"], explanation["age_ms"], explanation["took_ms"]) == (None, None, 300)
        assert steps({"explain": explanation})[-2:] == [("call", 0, None, None), ("try", 0, None, None)]
        assert "explain" not in (await gateway.lookup("acme")).json()


@virtual
async def test_an_open_breaker_says_when_it_tries_again() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(500)
        for _ in range(5):
            await gateway.lookup_anew("acme")
        await asyncio.sleep(0.25)
        explanation = (await explain(gateway))["explain"]
        assert explanation["breaker"] == {"state": "open", "tries_in_ms": 750}
        assert ("refused", 0, 0, "breaker") in steps({"explain": explanation})
        assert explanation["tries"] == 0
        await asyncio.sleep(0.75)
        gateway.acme.trouble = ""
        assert (await explain(gateway))["explain"]["breaker"] == {"state": "closed", "tries_in_ms": None}


@virtual
async def test_a_throttle_says_until_when_and_only_to_whom_it_is_meant() -> None:
    async with faulty() as gateway:
        gateway.club.trouble = httpx.Response(429, headers={"retry-after": "9"})
        await gateway.lookup("club")
        await asyncio.sleep(4)
        told = await explain(gateway, platform="club")
        assert told["explain"]["throttle"] == {"active": True, "ends_in_ms": 5000}
        assert ("refused", 0, 0, "throttle") in steps(told)
        gateway.club.trouble = ""
        gateway.club.simulator.platform.tokens.accept("token-of-another", 102)
        other = await gateway.client.get(
            "/v1/connections/club/101?explain=true", headers={"X-Platform-Token": "club=token-of-another"}
        )
        assert other.json()["explain"]["throttle"] == {"active": False, "ends_in_ms": None}


@virtual
async def test_who_finds_no_place_to_wait_learns_that() -> None:
    async with faulty(each={"max_calls": 3, "max_waiting": 1}) as gateway:
        gateway.acme.seconds = 0.5
        other = asyncio.create_task(gateway.lookup("acme"))
        await asyncio.sleep(0.1)
        told = await explain(gateway, 102)
        assert told["type"] == "/problems/overloaded"
        assert steps(told) == [("cache", 0, 0, "miss"), ("refused", 0, 0, "waiting_room")]
        await other


@pytest.mark.parametrize(
    "query", ["explain=", "explain=yes", "explain=1", "explain=true&explain=true", "explain=TRUE"]
)
async def test_the_parameter_is_true_or_false(gateway: Gateway, query: str) -> None:
    answer = await gateway.client.get(f"/v1/connections/acme/101?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("explain: ")
    assert gateway.calls == 0


async def test_false_is_as_if_it_were_left_out(gateway: Gateway) -> None:
    told = (await gateway.client.get("/v1/connections/acme/101?explain=false")).json()
    assert told["status"] == "connected"
    assert "explain" not in told


async def test_what_was_wrong_before_any_lookup_has_nothing_to_explain(passing: Gateway) -> None:
    answer = await passing.client.get("/v1/connections/acme/101?explain=true")
    assert answer.json()["type"] == "/problems/missing-credential"
    assert "explain" not in answer.json()


def test_many_who_want_to_know_still_share_a_call() -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.acme.seconds = 0.5
            told = await asyncio.gather(*(explain(gateway) for _ in range(50)))
            assert gateway.acme.calls == 1
            assert {each["explain"]["took_ms"] for each in told} == {500}

    run(main())

"""`X-Platform-Token`: which platform each token is for. No token travels to a host that it was not meant for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.gateways import CALLERS, OWN, Gateway, running

CALLER = {"mode": "caller"}


@pytest.fixture
async def two_pods() -> AsyncIterator[Gateway]:
    """`acme` and `bank` are pods whose callers bring their tokens; both know one that the other does not."""
    async with running({"acme": CALLER, "bank": CALLER, "club": OWN["club"]}) as gateway:
        for name in ("acme", "bank"):
            gateway.simulators[name].platform.tokens.accept(f"token-for-{name}", 1)
        yield gateway


async def ask(gateway: Gateway, *platforms: str, **headers: str) -> httpx.Response:
    users = [{"platform": name, "user_id": "101"} for name in platforms]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await gateway.client.post("/v1/lookup", json={"users": users}, headers=named)


def outcomes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [
        each["error"]["type"].removeprefix("/problems/") if "error" in each else each["connection"]["status"]
        for each in answer.json()["results"]
    ]


def refusal(answer: httpx.Response) -> str:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "/problems/invalid-request")
    return str(problem["detail"])


@pytest.mark.parametrize("value", ["acme=demo, club=demo", "club=demo,acme=demo", " acme=demo ,\tclub=demo "])
async def test_each_platform_gets_the_token_that_is_named_for_it(passing: Gateway, value: str) -> None:
    assert outcomes(await ask(passing, "acme", "club", X_Platform_Token=value)) == ["connected"] * 2


@pytest.mark.parametrize("path", ["/v1/connections/acme/101", "/v1/connections?platform=acme&status=connected"])
async def test_every_call_takes_it(passing: Gateway, path: str) -> None:
    answer = await passing.client.get(path, headers={"X-Platform-Token": "acme=demo"})
    assert '"connected"' in answer.text


async def test_an_action_takes_it(passing: Gateway) -> None:
    answer = await passing.client.post("/v1/connections/acme/102/accept", headers={"X-Platform-Token": "acme=demo"})
    assert answer.json()["status"] == "connected"


async def test_the_naming_header_wins_over_the_platforms_own_header(passing: Gateway) -> None:
    answer = await ask(passing, "acme", X_Platform_Token="acme=demo", sessionToken="expired")
    assert outcomes(answer) == ["connected"]
    answer = await ask(passing, "acme", X_Platform_Token="acme=expired", sessionToken="demo")
    assert outcomes(answer) == ["credential-refused"]


async def test_the_other_platform_may_have_its_own_header(passing: Gateway) -> None:
    answer = await ask(passing, "acme", "club", X_Platform_Token="acme=demo", Authorization="Bearer demo")
    assert outcomes(answer) == ["connected"] * 2


async def test_a_token_may_contain_an_equals_sign(passing: Gateway) -> None:
    passing.acme.platform.tokens.accept("a=b==", 1)
    assert outcomes(await ask(passing, "acme", X_Platform_Token="acme=a=b==")) == ["connected"]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("nowhere=canary", "X-Platform-Token: part 1: expected PLATFORM=TOKEN with a configured platform"),
        ("canary", "X-Platform-Token: part 1: expected PLATFORM=TOKEN"),
        (",", "X-Platform-Token: part 1: expected PLATFORM=TOKEN"),
        ("acme=canary,", "X-Platform-Token: part 2: expected PLATFORM=TOKEN"),
        ("acme=canary;club=canary,x", "X-Platform-Token: part 2: expected PLATFORM=TOKEN"),
        ("ACME=canary", "X-Platform-Token: part 1: expected PLATFORM=TOKEN"),
        ("acme =canary", "X-Platform-Token: part 1: expected PLATFORM=TOKEN"),
        ("acme=canary, acme=canary", "X-Platform-Token: part 2: platform acme is named twice"),
        ("acme=", "X-Platform-Token: part 1: expected a token"),
        ("acme=can ary", "X-Platform-Token: part 1: expected a token"),
        ("acme=" + "canary" * 2000, "X-Platform-Token: part 1: expected a token"),
    ],
)
async def test_what_can_not_be_meant_is_refused_and_not_quoted(passing: Gateway, value: str, detail: str) -> None:
    answer = await ask(passing, "acme", X_Platform_Token=value)
    assert refusal(answer).startswith(detail)
    assert "canary" not in answer.text + "".join(passing.lines)
    assert passing.calls == 0


async def test_a_platform_with_a_credential_of_its_own_takes_no_other(gateway: Gateway) -> None:
    answer = await ask(gateway, "acme", X_Platform_Token="acme=demo")
    assert refusal(answer) == "X-Platform-Token: part 1: platform acme has a credential of its own"
    assert gateway.calls == 0


async def test_the_naming_header_is_checked_even_if_the_call_is_about_another_platform(two_pods: Gateway) -> None:
    answer = await two_pods.client.get("/v1/connections/acme/101", headers={"X-Platform-Token": "club=demo"})
    refusal(answer)


async def test_bytes_that_are_no_text_are_refused(passing: Gateway) -> None:
    answer = await passing.client.get("/v1/connections/acme/101", headers=[(b"X-Platform-Token", b"acme=\xff\xfe")])
    assert refusal(answer).startswith("X-Platform-Token: part 1: expected a token")


async def test_an_empty_one_is_none(passing: Gateway) -> None:
    answer = await ask(passing, "acme", X_Platform_Token="", sessionToken="demo")
    assert outcomes(answer) == ["connected"]


async def test_a_platforms_own_header_is_said_once_even_where_it_does_not_count(passing: Gateway) -> None:
    headers = [("X-Platform-Token", "acme=demo"), ("sessionToken", "one"), ("sessionToken", "two")]
    answer = await passing.client.get("/v1/connections/acme/101", headers=headers)
    assert refusal(answer).startswith("sessionToken: sent more than once")


async def test_the_naming_header_is_sent_once(passing: Gateway) -> None:
    doubled = [("X-Platform-Token", "acme=demo"), ("X-Platform-Token", "acme=other")]
    answer = await passing.client.get("/v1/connections/acme/101", headers=doubled)
    assert refusal(answer).startswith("X-Platform-Token: sent more than once")
    same = [("X-Platform-Token", "acme=demo")] * 2
    assert (await passing.client.get("/v1/connections/acme/101", headers=same)).status_code == 200


async def test_a_header_that_two_platforms_would_take_is_refused(two_pods: Gateway) -> None:
    answer = await ask(two_pods, "acme", "bank", sessionToken="token-for-acme")
    assert refusal(answer).startswith("sessionToken: acme and bank would take it: name each in X-Platform-Token")
    assert two_pods.calls == 0


async def test_a_header_that_two_platforms_would_take_is_refused_in_a_list_too(two_pods: Gateway) -> None:
    answer = await two_pods.client.get("/v1/connections", headers={"sessionToken": "token-for-acme"})
    assert refusal(answer).startswith("sessionToken: acme and bank would take it")
    assert two_pods.calls == 0


async def test_a_shared_header_is_refused_while_one_platform_is_not_named(two_pods: Gateway) -> None:
    answer = await ask(
        two_pods, "acme", "bank", X_Platform_Token="acme=token-for-acme", sessionToken="token-for-bank"
    )
    assert refusal(answer).startswith("sessionToken: acme and bank would take it")
    assert two_pods.calls == 0


async def test_a_shared_header_counts_for_nobody_where_all_are_named(two_pods: Gateway) -> None:
    named = "acme=token-for-acme, bank=token-for-bank"
    answer = await ask(two_pods, "acme", "bank", X_Platform_Token=named, sessionToken="expired")
    assert outcomes(answer) == ["connected"] * 2


async def test_without_it_who_is_not_named_is_not_asked(two_pods: Gateway) -> None:
    answer = await ask(two_pods, "acme", "bank", X_Platform_Token="acme=token-for-acme")
    assert outcomes(answer) == ["connected", "missing-credential"]
    assert two_pods.simulators["bank"].calls.calls == 0


@pytest.mark.parametrize("name", ["acme", "bank"])
async def test_a_call_that_touches_one_of_them_takes_its_header(two_pods: Gateway, name: str) -> None:
    assert outcomes(await ask(two_pods, name, "club", sessionToken=f"token-for-{name}")) == ["connected"] * 2
    other = next(each for each in ("acme", "bank") if each != name)
    assert two_pods.simulators[other].calls.calls == 0


async def test_a_platform_with_its_own_credential_does_not_take_it() -> None:
    async with running({"acme": CALLER, "bank": OWN["acme"]}) as gateway:
        gateway.acme.platform.tokens.accept("token-for-acme", 1)
        answer = await ask(gateway, "acme", "bank", sessionToken="token-for-acme")
        assert outcomes(answer) == ["connected"] * 2
        assert gateway.simulators["bank"].calls.logins == 1


async def test_a_missing_credential_says_how_it_could_come(passing: Gateway) -> None:
    answer = await passing.client.get("/v1/connections/club/101")
    assert answer.json()["detail"] == ("expected the viewer's token as Authorization: Bearer, or in X-Platform-Token")


async def test_two_kinds_never_share_a_header() -> None:
    async with running(CALLERS) as gateway:
        answer = await ask(gateway, "acme", "club", sessionToken="demo", Authorization="Bearer demo")
        assert outcomes(answer) == ["connected"] * 2

"""`rate` and `burst` of a caller: what is over them is refused, and every response tells what is left."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from gateway.runtime.snapshot import Snapshots
from tests.callers.asking import slug
from tests.clock import virtual
from tests.gateways import OWN, Gateway, caller, key_of, running

LOOKUP = "/v1/connections/club/101"


async def ask(gateway: Gateway, name: str = "web", path: str = LOOKUP) -> httpx.Response:
    return await gateway.client.get(path, headers={"X-API-Key": key_of(name)})


async def ask_often(gateway: Gateway, times: int, name: str = "web") -> list[str]:
    return [slug(await ask(gateway, name)) for _ in range(times)]


def left(answer: httpx.Response) -> tuple[str, str | None]:
    return answer.headers["ratelimit"], answer.headers.get("retry-after")


@virtual
async def test_a_burst_is_answered_and_then_one_request_per_interval() -> None:
    async with running(OWN, [caller("web", rate="10/s", burst=3)]) as gateway:
        assert await ask_often(gateway, 5) == ["", "", "", "rate-limited", "rate-limited"]
        for pause, expected in ((0.1, ["", "rate-limited"]), (0.25, ["", "", "rate-limited"]), (60, [""] * 3)):
            await asyncio.sleep(pause)
            assert await ask_often(gateway, len(expected)) == expected
        assert await ask_often(gateway, 1) == ["rate-limited"]


@virtual
async def test_every_response_tells_what_is_left() -> None:
    async with running(OWN, [caller("web", rate="1/m", burst=2)]) as gateway:
        first, second, third = [await ask(gateway) for _ in range(3)]
        assert {each.headers["ratelimit-policy"] for each in (first, second, third)} == {'"caller";q=2;w=120'}
        assert left(first) == ('"caller";r=1;t=60', None)
        assert left(second) == ('"caller";r=0;t=60', None)
        assert (third.status_code, *left(third)) == (429, '"caller";r=0;t=60', "60")
        assert (third.json()["retryable"], third.json()["retry_after"]) == (True, 60)
        await asyncio.sleep(59.5)
        assert left(await ask(gateway)) == ('"caller";r=0;t=1', "1")
        await asyncio.sleep(0.5)
        assert left(await ask(gateway, path="/v1/nothing")) == ('"caller";r=0;t=60', None)


@pytest.mark.parametrize(
    ("rate", "burst", "policy", "remaining"),
    [
        ("100/s", None, "q=100;w=1", 99),
        ("100/s", 10, "q=100;w=1", 9),
        ("100/s", 150, "q=200;w=2", 149),
        ("5000/h", 1, "q=5000;w=3600", 0),
        ("999999/s", None, "q=999999;w=1", 999998),
    ],
)
def test_policies(rate: str, burst: int | None, policy: str, remaining: int) -> None:
    policy_keys: dict[str, Any] = {"rate": rate} if burst is None else {"rate": rate, "burst": burst}

    @virtual
    async def told() -> None:
        async with running(OWN, [caller("web", **policy_keys)]) as gateway:
            answer = await ask(gateway)
            assert answer.headers["ratelimit-policy"] == f'"caller";{policy}'
            assert answer.headers["ratelimit"] == f'"caller";r={remaining};t=1'

    told()


@virtual
async def test_callers_do_not_share_a_rate_and_without_one_nothing_is_told() -> None:
    callers = [caller("web", rate="1/s"), caller("app", rate="1/s"), caller("free")]
    async with running(OWN, callers) as gateway:
        assert await ask_often(gateway, 2) == ["", "rate-limited"]
        assert await ask_often(gateway, 2, "app") == ["", "rate-limited"]
        assert await ask_often(gateway, 20, "free") == [""] * 20
        assert not {"ratelimit", "ratelimit-policy"} & (await ask(gateway, "free")).headers.keys()
        assert not {"ratelimit", "ratelimit-policy"} & (await ask(gateway, path="/livez")).headers.keys()


@virtual
async def test_nothing_is_done_for_a_request_that_is_refused() -> None:
    async with running(OWN, [caller("web", rate="1/h", may=["act", "read"])]) as gateway:
        await ask(gateway)
        calls = gateway.calls
        for method, path in (("GET", LOOKUP), ("POST", "/v1/connections/club/102/accept"), ("GET", "/v1/nothing")):
            answer = await gateway.client.request(method, path, headers={"X-API-Key": key_of("web")})
            assert slug(answer) == "rate-limited"
        assert gateway.calls == calls
        log = [each for each in gateway.logged() if each.get("problem") == "rate-limited"]
        assert {each["caller"] for each in log} == {"web"}


@virtual
async def test_a_wrong_key_uses_up_nothing() -> None:
    async with running(OWN, [caller("web", rate="1/h")]) as gateway:
        assert slug(await ask(gateway, "nobody")) == "invalid-api-key"
        assert await ask_often(gateway, 1) == [""]


@virtual
async def test_a_reload_changes_the_rate_and_forgets_nothing() -> None:
    before, after = caller("web", rate="1/h", burst=2), caller("web", rate="1/m", burst=2)
    async with running(OWN, [before]) as gateway, running(OWN, [after]) as other:
        assert await ask_often(gateway, 3) == ["", "", "rate-limited"]
        snapshots: Snapshots = gateway.app.state.snapshots
        snapshots.reload(other.app.state.snapshots.current.settings)
        assert left(await ask(gateway)) == ('"caller";r=0;t=60', "60")
        await asyncio.sleep(60)
        assert await ask_often(gateway, 2) == ["", "rate-limited"]

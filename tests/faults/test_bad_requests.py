"""A caller whose requests make the platform fail takes it from nobody else."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.clock import run, virtual
from tests.faults.upstreams import HTML, Faulty, faulty, kind
from tests.gateways import CALLERS, OWN

BAD = 9_223_372_036_854_775_807
PLATFORMS = pytest.mark.parametrize("platform", ["acme", "club"])
FAILURES = pytest.mark.parametrize(
    "failure", [httpx.Response(500), httpx.Response(502, html=HTML), "lost", "hanging"], ids=str
)


async def served(gateway: Faulty, platform: str, token: str | None) -> bool:
    """Whether the platform is asked for others, and answers."""
    answer = await gateway.lookup(platform, 1234, token)
    return kind(answer) == "connected" and (await gateway.health())[platform] == "up"


@PLATFORMS
@FAILURES
@pytest.mark.parametrize("credentials", [CALLERS, OWN], ids=["callers' tokens", "our own"])
def test_one_user_asked_for_again_and_again(
    platform: str, failure: str | httpx.Response, credentials: dict[str, dict[str, str]]
) -> None:
    async def main() -> None:
        token = "demo" if credentials is CALLERS else None
        async with faulty(credentials) as gateway:
            assert await served(gateway, platform, token)
            gateway.upstreams[platform].trouble = failure
            for _ in range(30):
                assert kind(await gateway.lookup(platform, BAD, token)) != "platform-unavailable"
            gateway.upstreams[platform].trouble = ""
            assert await served(gateway, platform, token)

    run(main())


@PLATFORMS
@FAILURES
def test_one_token_whatever_it_asks(platform: str, failure: str | httpx.Response) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].trouble = failure
            for user in range(1000, 1030):
                assert kind(await gateway.lookup(platform, user, "bad")) != "platform-unavailable"
            gateway.upstreams[platform].trouble = ""
            assert await served(gateway, platform, "demo")

    run(main())


@PLATFORMS
def test_one_user_in_lookups_of_many_and_in_actions(platform: str) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].refuses = {BAD: httpx.Response(500)}
            headers = {"X-Platform-Token": f"{platform}=demo"}
            for first in range(1000, 1090, 3):
                ids = [str(user) for user in (BAD, *range(first, first + 3))]
                users = [{"platform": platform, "user_id": user} for user in ids]
                answer = await gateway.client.post("/v1/lookup", json={"users": users}, headers=headers)
                assert ["connection" in each for each in answer.json()["results"]] == [False, True, True, True]
                action = await gateway.client.post(f"/v1/connections/{platform}/{BAD}/request", headers=headers)
                assert kind(action) == "platform-error"
            assert await served(gateway, platform, "demo")

    run(main())


@PLATFORMS
def test_a_list_that_can_not_be_told(platform: str) -> None:
    async def main() -> None:
        async with faulty(OWN) as gateway:
            assert await served(gateway, platform, None)
            gateway.upstreams[platform].trouble = httpx.Response(500)
            for _ in range(30):
                await gateway.client.get(f"/v1/connections?platform={platform}&status=pending_incoming")
            gateway.upstreams[platform].trouble = ""
            assert await served(gateway, platform, None)

    run(main())


@virtual
async def test_after_an_outage_one_bad_user_does_not_keep_it_closed_to_others() -> None:
    """Somebody who asks for it all the time comes first whenever one call is let through."""
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(500)
        await gateway.lookup_anew("acme", BAD)
        while (await gateway.health())["acme"] == "up":
            await gateway.lookup_anew("acme")
        gateway.acme.trouble, gateway.acme.refuses = "", {BAD: httpx.Response(500)}
        answers = []
        for _ in range(300):
            await gateway.lookup_anew("acme", BAD)
            answers.append(kind(await gateway.lookup_anew("acme")))
            await asyncio.sleep(0.01)
        assert answers.index("connected") <= 100
        assert set(answers[100:]) == {"connected"}


@virtual
async def test_five_who_make_it_fail_are_an_outage() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(500)
        for _ in range(5):
            assert kind(await gateway.lookup_anew("acme")) == "platform-error"
        assert kind(await gateway.lookup_anew("acme")) == "platform-unavailable"

"""Inside a `Retry-After` window nothing leaves, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import httpx
import pytest

from tests.clock import run, virtual
from tests.faults.upstreams import Faulty, faulty, kind
from tests.gateways import CALLERS, OWN

BANK = {**CALLERS, "bank": {"mode": "caller"}}
HINTS = {
    "429, in seconds": (429, "30", 28),
    "503, in seconds": (503, "30", 28),
    "429, as a date": (429, None, 25),
    "429, without": (429, "", 0.9),
}


def throttling(status: int, hint: str | None) -> httpx.Response:
    value = formatdate(time.time() + 30, usegmt=True) if hint is None else hint
    return httpx.Response(status, headers={"retry-after": value} if value else {})


async def sign_in(gateway: Faulty, platform: str, user: int) -> str:
    """The token of another viewer."""
    token = f"token-of-{user}-{platform}"
    gateway.upstreams[platform].simulator.platform.tokens.accept(token, user)
    return token


@pytest.mark.parametrize(("status", "hint", "seconds"), HINTS.values(), ids=HINTS)
@pytest.mark.parametrize("platform", ["acme", "club"])
def test_nothing_leaves_before_its_end(platform: str, status: int, hint: str | None, seconds: float) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            upstream = gateway.upstreams[platform]
            upstream.trouble = throttling(status, hint)
            first = await gateway.lookup(platform)
            assert (first.status_code, "retry-after" in first.headers) == (429 if status == 429 else 502, True)
            upstream.trouble = ""
            upstream.left.clear()
            for _ in range(20):
                answer = await gateway.lookup(platform)
                assert (answer.status_code, kind(answer)) == (429, "platform-throttled")
                assert int(answer.headers["retry-after"]) >= 1
                await asyncio.sleep(seconds / 20)
            assert upstream.calls == 0
            await asyncio.sleep(35)
            assert kind(await gateway.lookup(platform)) == "connected"

    run(main())


@pytest.mark.parametrize("platform", ["acme", "club"])
def test_not_even_a_second_try_an_action_a_list_or_a_batch(platform: str) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            upstream = gateway.upstreams[platform]
            upstream.trouble = throttling(429, "30")
            await gateway.lookup(platform)
            upstream.left.clear()
            headers = {"X-Platform-Token": f"{platform}=demo"}
            users = [{"platform": platform, "user_id": str(user)} for user in range(1000, 1200)]
            answers = [
                await gateway.client.post(f"/v1/connections/{platform}/102/accept", headers=headers),
                await gateway.client.get(f"/v1/connections?platform={platform}", headers=headers),
                await gateway.client.post("/v1/lookup", headers=headers, json={"users": users}),
            ]
            assert [each.status_code for each in answers] == [429, 200, 200]
            assert upstream.calls == 0

    run(main())


@virtual
async def test_another_viewer_of_a_community_is_served() -> None:
    async with faulty() as gateway:
        other = await sign_in(gateway, "club", 1000)
        gateway.club.trouble = throttling(429, "30")
        assert kind(await gateway.lookup("club")) == "platform-throttled"
        gateway.club.trouble = ""
        assert kind(await gateway.lookup("club", 1, token=other)) == "connected"
        assert kind(await gateway.lookup("club")) == "platform-throttled"
        assert gateway.club.calls == 2


@virtual
async def test_another_viewer_of_a_pod_is_not() -> None:
    async with faulty() as gateway:
        other = await sign_in(gateway, "acme", 1000)
        gateway.acme.trouble = throttling(429, "30")
        assert kind(await gateway.lookup("acme")) == "platform-throttled"
        gateway.acme.trouble = ""
        assert kind(await gateway.lookup("acme", 1, token=other)) == "platform-throttled"
        assert gateway.acme.calls == 1


@pytest.mark.parametrize("throttled", ["acme", "club"])
def test_the_other_platforms_are_served(throttled: str) -> None:
    async def main() -> None:
        async with faulty(BANK) as gateway:
            gateway.upstreams[throttled].trouble = throttling(429, "30")
            for _ in range(3):
                await gateway.lookup(throttled)
            others = [name for name in gateway.upstreams if name != throttled]
            assert {kind(await gateway.lookup(name)) for name in others} == {"connected"}
            assert await gateway.health() == {**dict.fromkeys(others, "up"), throttled: "degraded"}

    run(main())


@virtual
async def test_a_login_is_held_back_as_well() -> None:
    async with faulty({"acme": OWN["acme"]}) as gateway:
        gateway.acme.trouble = throttling(429, "30")
        for _ in range(3):
            assert kind(await gateway.lookup("acme", token=None)) == "platform-throttled"
        assert gateway.acme.calls == 1

"""One user who makes the platform fail spoils nobody else's lookup, and an outage costs hardly more than before."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

import httpx
import pytest

from tests.caching.asking import ask
from tests.clock import run, virtual
from tests.faults.upstreams import HTML, Faulty, faulty, kind

PLATFORMS = pytest.mark.parametrize("platform", ["acme", "club"])
BAD = 1500


async def lookup(gateway: Faulty, platform: str, users: Iterable[int], token: str = "demo") -> list[str]:
    """A status or a problem for each of them."""
    asked = [{"platform": platform, "user_id": str(user)} for user in users]
    headers = {"X-Platform-Token": f"{platform}={token}"}
    results = (await gateway.client.post("/v1/lookup", json={"users": asked}, headers=headers)).json()["results"]
    return [
        each["connection"]["status"] if "connection" in each else each["error"]["type"].removeprefix("/problems/")
        for each in results
    ]


def expected(users: Iterable[int], bad: Collection[int]) -> list[str]:
    return ["platform-error" if user in bad else "connected" for user in users]


@PLATFORMS
@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@pytest.mark.parametrize("place", range(3))
def test_one_bad_user_of_three_fails_alone(platform: str, status: int, place: int) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].refuses = {BAD: httpx.Response(status, html=HTML)}
            users = [1001, 1002]
            users.insert(place, BAD)
            assert await lookup(gateway, platform, users) == expected(users, {BAD})
            assert gateway.upstreams[platform].calls <= 6

    run(main())


@PLATFORMS
@pytest.mark.parametrize("how_many", [2, 4, 17, 32, 33, 65, 200])
def test_one_bad_user_fails_alone_wherever_it_stands(platform: str, how_many: int) -> None:
    async def main() -> None:
        for bad in (1000, 1000 + how_many // 2, 999 + how_many):
            async with faulty() as gateway:
                gateway.upstreams[platform].refuses = {bad: httpx.Response(500)}
                users = range(1000, 1000 + how_many)
                assert await lookup(gateway, platform, users) == expected(users, {bad})
                assert gateway.upstreams[platform].calls <= 1 + 2 * how_many.bit_length()

    run(main())


@PLATFORMS
def test_several_bad_users_fail_alone(platform: str) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            bad = {1000, 1050, 1051, 1199}
            gateway.upstreams[platform].refuses = dict.fromkeys(bad, httpx.Response(500))
            assert await lookup(gateway, platform, range(1000, 1200)) == expected(range(1000, 1200), bad)
            assert (await gateway.health())[platform] == "up"

    run(main())


@virtual
async def test_a_bad_user_spoils_none_that_only_gathered_with_it() -> None:
    async with faulty() as gateway:
        gateway.acme.refuses = {BAD: httpx.Response(500)}
        gateway.acme.seconds = 0.1
        users = [*range(1000, 1010), BAD, *range(1010, 1020)]
        answers = await asyncio.gather(*(ask(gateway, user) for user in users))
        assert [kind(each) for each in answers] == expected(users, {BAD})


@virtual
async def test_the_next_who_ask_are_answered_too() -> None:
    async with faulty() as gateway:
        gateway.acme.refuses = {BAD: httpx.Response(500)}
        for first in range(1000, 1400, 4):
            users = [first, BAD, first + 1, first + 2]
            assert await lookup(gateway, "acme", users) == expected(users, {BAD})
        assert (await gateway.health())["acme"] == "up"


@virtual
async def test_a_lone_one_is_asked_once() -> None:
    async with faulty() as gateway:
        gateway.acme.refuses = {BAD: httpx.Response(500)}
        assert await lookup(gateway, "acme", [BAD]) == ["platform-error"]
        assert gateway.acme.calls == 1


@PLATFORMS
@pytest.mark.parametrize("status", [500, 503])
def test_in_an_outage_a_batch_is_soon_given_up(platform: str, status: int) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].trouble = httpx.Response(status)
            assert set(await lookup(gateway, platform, range(1000, 1200))) == {"platform-error"}
            assert gateway.upstreams[platform].calls <= 14

    run(main())


@PLATFORMS
@pytest.mark.parametrize("pause", [0.0, 0.5, 3.0, 40.0])
@pytest.mark.parametrize("size", [2, 3, 5, 20])
@pytest.mark.parametrize("others", [True, False], ids=["always others", "always the same"])
def test_in_an_outage_tries_are_no_more_than_a_fifth_more_than_lookups(
    platform: str, size: int, pause: float, *, others: bool
) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].trouble = httpx.Response(500)
            lookups = 0
            while lookups < 20:
                first = 1000 + lookups if others else 1000
                found = await lookup(gateway, platform, range(first, first + size))
                assert set(found) <= {"platform-error", "platform-unavailable"}
                lookups += size
                await asyncio.sleep(pause)
            assert gateway.upstreams[platform].calls <= 1.2 * lookups

    run(main())


@virtual
async def test_a_platform_that_names_a_time_is_not_asked_in_halves() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(503, headers={"Retry-After": "30"})
        assert set(await lookup(gateway, "acme", range(1000, 1200))) == {"platform-error"}
        assert gateway.acme.calls == 1


@virtual
async def test_a_batch_that_hangs_is_not_asked_in_halves() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = "hanging"
        assert set(await lookup(gateway, "acme", range(1000, 1200))) == {"platform-timeout"}
        assert gateway.acme.calls == 1

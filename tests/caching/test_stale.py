"""Where the platform can't be asked, what it said before is told, and marked; where it refuses, never."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.caching.asking import STALE, ask, keeping
from tests.clock import run, virtual
from tests.faults.upstreams import HTML

BROKEN: dict[str, tuple[str | httpx.Response, str]] = {
    "dead": ("dead", "platform-unreachable"),
    "lost": ("lost", "platform-unreachable"),
    "hanging": ("hanging", "platform-timeout"),
    "500": (httpx.Response(500), "platform-error"),
    "429": (httpx.Response(429), "platform-throttled"),
}
OUT_OF_REACH = pytest.mark.parametrize(("trouble", "slug"), BROKEN.values(), ids=BROKEN)
ERROR = {"code": 0, "message": "no"}
REFUSALS = {
    "401": (httpx.Response(401, json=ERROR), "credential-refused"),
    "403": (httpx.Response(403, json=ERROR), "platform-forbidden"),
    "HTML": (httpx.Response(200, html=HTML), "platform-invalid-answer"),
}


def slug(answer: httpx.Response) -> str:
    return str(answer.json().get("type", answer.json().get("status"))).removeprefix("/problems/")


@OUT_OF_REACH
def test_what_is_warm_is_told_as_stale(trouble: str | httpx.Response, slug: str) -> None:
    async def main() -> None:
        async with keeping() as gateway:
            warm = await ask(gateway)
            await asyncio.sleep(30)
            gateway.acme.trouble = trouble
            answer = await ask(gateway)
            assert answer.status_code == 200
            assert answer.json() == warm.json() | {"stale": True}
            assert answer.headers["cache-status"] == STALE + slug
            assert 30 <= int(answer.headers["age"]) <= 32

    run(main())


@OUT_OF_REACH
def test_every_warm_entry_is_told_and_no_other(trouble: str | httpx.Response, slug: str) -> None:
    async def main() -> None:
        async with keeping() as gateway:
            warm = [*range(1000, 1100)]
            await asyncio.gather(*(ask(gateway, user) for user in warm))
            await asyncio.sleep(10)
            gateway.acme.trouble = trouble
            for _ in range(3):
                answers = await asyncio.gather(*(ask(gateway, user) for user in [*warm, *range(1100, 1200)]))
                assert all(each.json()["stale"] for each in answers[:100])
                told = {each.json()["type"] for each in answers[100:]}
                assert told <= {f"/problems/{slug}", "/problems/platform-unavailable"}

    run(main())


@OUT_OF_REACH
def test_what_is_too_old_is_told_to_nobody(trouble: str | httpx.Response, slug: str) -> None:
    async def main() -> None:
        async with keeping() as gateway:
            await ask(gateway)
            await asyncio.sleep(60)
            gateway.acme.trouble = trouble
            answer = await ask(gateway)
            assert (answer.is_error, answer.json()["type"]) == (True, f"/problems/{slug}")

    run(main())


@OUT_OF_REACH
@pytest.mark.parametrize("wish", ["no-cache", "max-age=0", "max-age=3600"])
def test_who_wants_it_fresh_gets_the_problem(trouble: str | httpx.Response, slug: str, wish: str) -> None:
    async def main() -> None:
        async with keeping() as gateway:
            await ask(gateway)
            await asyncio.sleep(10)
            gateway.acme.trouble = trouble
            answer = await ask(gateway, Cache_Control=wish)
            assert answer.json()["type"] == f"/problems/{slug}"

    run(main())


@virtual
async def test_what_is_warm_is_told_as_stale_while_the_breaker_is_open() -> None:
    async with keeping() as gateway:
        await ask(gateway)
        await asyncio.sleep(10)
        gateway.acme.trouble = httpx.Response(500)
        for _ in range(5):
            await gateway.lookup_anew("acme")
        answer = await ask(gateway)
        assert answer.headers["cache-status"] == f"{STALE}platform-unavailable"
        assert answer.json()["stale"]


@virtual
async def test_what_is_warm_is_told_as_stale_where_too_many_wait() -> None:
    async with keeping(max_waiting=1) as gateway:
        await ask(gateway)
        await asyncio.sleep(10)
        gateway.acme.trouble = "hanging"
        waiting = asyncio.create_task(ask(gateway, 102))
        await asyncio.sleep(0.1)
        assert (await ask(gateway)).headers["cache-status"] == f"{STALE}overloaded"
        await waiting


@virtual
async def test_what_is_warm_is_told_as_stale_among_many() -> None:
    async with keeping() as gateway:
        await ask(gateway, 101)
        await asyncio.sleep(10)
        gateway.acme.trouble = "dead"
        users = [{"platform": "acme", "user_id": user} for user in ("101", "102")]
        answer = await gateway.client.post("/v1/lookup", json={"users": users}, headers={"sessionToken": "demo"})
        told, failed = answer.json()["results"]
        assert told["connection"]["stale"]
        assert failed["error"]["type"] == "/problems/platform-unreachable"
        assert answer.headers["age"] == "10"


@pytest.mark.parametrize(("refusal", "slug"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_as_it_is(refusal: httpx.Response, slug: str) -> None:
    async def main() -> None:
        async with keeping() as gateway:
            await ask(gateway)
            await asyncio.sleep(10)
            gateway.acme.trouble = refusal
            assert (await ask(gateway)).json()["type"] == f"/problems/{slug}"

    run(main())


@virtual
async def test_after_401_no_outage_brings_anything_of_that_viewer_back() -> None:
    async with keeping() as gateway:
        for user in (101, 102):
            await ask(gateway, user)
        await asyncio.sleep(10)
        gateway.acme.trouble = httpx.Response(401, json=ERROR)
        await ask(gateway, 101)
        gateway.acme.trouble = "dead"
        assert [slug(await ask(gateway, user)) for user in (101, 102)] == ["platform-unreachable"] * 2


@virtual
async def test_after_403_no_outage_brings_that_entry_back() -> None:
    async with keeping() as gateway:
        for user in (101, 102):
            await ask(gateway, user)
        await asyncio.sleep(10)
        gateway.acme.trouble = httpx.Response(403, json=ERROR)
        await ask(gateway, 101)
        gateway.acme.trouble = "dead"
        assert [slug(await ask(gateway, user)) for user in (101, 102)] == ["platform-unreachable", "pending_incoming"]


@virtual
async def test_after_404_no_outage_brings_that_entry_back() -> None:
    async with keeping() as gateway:
        for user in (101, 102):
            await ask(gateway, user, "club")
        await asyncio.sleep(10)
        gateway.club.trouble = httpx.Response(404, json={"detail": "Not found."})
        assert slug(await ask(gateway, 101, "club")) == "user-not-found"
        gateway.club.trouble = "dead"
        found = [slug(await ask(gateway, user, "club")) for user in (101, 102)]
        assert found == ["platform-unreachable", "pending_incoming"]


@virtual
async def test_a_refusal_of_a_list_or_an_action_counts_as_well() -> None:
    for method, path in (("GET", "/v1/connections?platform=acme"), ("POST", "/v1/connections/acme/102/accept")):
        async with keeping() as gateway:
            await ask(gateway, 101)
            await asyncio.sleep(10)
            gateway.acme.trouble = httpx.Response(401, json=ERROR)
            await gateway.client.request(method, path, headers={"X-Platform-Token": "acme=demo"})
            gateway.acme.trouble = "dead"
            assert slug(await ask(gateway, 101)) == "platform-unreachable"

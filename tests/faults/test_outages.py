"""A platform that fails: what callers are told, and what it is spared."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from adapters.simulation.faults import Fault
from tests.clock import run, virtual
from tests.faults.upstreams import HTML, Faulty, faulty, kind

DEADLINE = 2.0
IN_TIME = DEADLINE + 0.05
BROKEN = {
    "dead": ("dead", "platform-unreachable"),
    "lost": ("lost", "platform-unreachable"),
    "hanging": ("hanging", "platform-timeout"),
    "dripping": ("dripping", "platform-timeout"),
    "500": (httpx.Response(500), "platform-error"),
    "502 with HTML": (httpx.Response(502, html=HTML), "platform-error"),
}
"""What opens the breaker, and what it is called."""
TROUBLES = pytest.mark.parametrize(("trouble", "slug"), BROKEN.values(), ids=BROKEN)


async def timed(gateway: Faulty, platform: str = "acme") -> tuple[str, float]:
    """What the answer is, and how long it took."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answer = await gateway.lookup_anew(platform)
    return kind(answer), loop.time() - begun


@TROUBLES
@pytest.mark.parametrize("platform", ["acme", "club"])
def test_a_thousand_at_once_are_all_answered_in_time(trouble: str | httpx.Response, slug: str, platform: str) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].trouble = trouble
            answers = await asyncio.gather(*(timed(gateway, platform) for _ in range(1000)))
            kinds = Counter(slug for slug, _ in answers)
            assert set(kinds) <= {slug, "platform-unavailable"}
            assert kinds[slug] >= 5
            assert max(seconds for _, seconds in answers) <= IN_TIME
            assert gateway.upstreams[platform].calls <= 1.2 * 1000

    run(main())


@TROUBLES
def test_a_thousand_one_after_the_other_are_all_answered_in_time_and_hardly_any_leaves(
    trouble: str | httpx.Response, slug: str
) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.acme.trouble = trouble
            kinds: Counter[str] = Counter()
            for _ in range(1000):
                answer, seconds = await timed(gateway)
                kinds[answer] += 1
                assert seconds <= IN_TIME
                await asyncio.sleep(0.01)
            assert set(kinds) == {slug, "platform-unavailable"}
            assert gateway.acme.calls <= 20

    run(main())


@TROUBLES
def test_twenty_lookups_cost_no_more_than_a_fifth_more_tries(trouble: str | httpx.Response, slug: str) -> None:
    """However far apart: the breaker opens and is tried again between them."""

    async def main() -> None:
        for pause in (0.0, 0.5, 3.0, 40.0):
            async with faulty() as gateway:
                gateway.acme.trouble = trouble
                kinds = set()
                for _ in range(20):
                    kinds.add((await timed(gateway))[0])
                    await asyncio.sleep(pause)
                assert kinds <= {slug, "platform-unavailable"}
                assert gateway.acme.calls <= 1.2 * 20

    run(main())


@virtual
async def test_after_the_breaker_opens_no_call_leaves_but_the_probe_and_one_good_probe_recovers() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(500)
        for _ in range(5):
            assert (await timed(gateway))[0] == "platform-error"
        gateway.acme.left.clear()
        assert {(await timed(gateway))[0] for _ in range(50)} == {"platform-unavailable"}
        assert gateway.acme.calls == 0
        await asyncio.sleep(1)
        answers = await asyncio.gather(*(timed(gateway) for _ in range(50)))
        assert Counter(slug for slug, _ in answers) == {"platform-error": 1, "platform-unavailable": 49}
        assert gateway.acme.calls == 1
        gateway.acme.trouble = ""
        await asyncio.sleep(2)
        assert (await timed(gateway))[0] == "connected"
        answers = await asyncio.gather(*(timed(gateway) for _ in range(50)))
        assert Counter(slug for slug, _ in answers) == {"connected": 50}


@virtual
async def test_a_refusal_says_when_it_is_worth_asking_again() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(500)
        for _ in range(5):
            await gateway.lookup_anew("acme")
        answer = await gateway.lookup("acme")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (answer.json()["retry_after"], answer.json()["platform"]) == (1, "acme")


@virtual
async def test_html_with_status_200_is_invalid_and_opens_nothing() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(200, html=HTML)
        answers = await asyncio.gather(*(timed(gateway) for _ in range(1000)))
        assert {slug for slug, _ in answers} == {"platform-invalid-answer"}
        assert gateway.acme.calls == 1000
        assert (await gateway.health())["acme"] == "up"


@TROUBLES
def test_the_other_platform_is_served_as_before(trouble: str | httpx.Response, slug: str) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.acme.trouble = trouble
            failing = [asyncio.create_task(timed(gateway)) for _ in range(1000)]
            answers = await asyncio.gather(*(timed(gateway, "club") for _ in range(100)))
            assert answers == [("connected", 0.0)] * 100
            assert slug in {each for each, _ in await asyncio.gather(*failing)}

    run(main())


@virtual
async def test_health_follows_the_breaker() -> None:
    async with faulty() as gateway:
        assert await gateway.health() == {"acme": "up", "club": "up"}
        gateway.acme.trouble = "dead"
        for _ in range(5):
            await gateway.lookup_anew("acme")
        assert await gateway.health() == {"acme": "down", "club": "up"}
        await asyncio.sleep(1)
        assert await gateway.health() == {"acme": "degraded", "club": "up"}
        gateway.acme.trouble = ""
        await gateway.lookup("acme")
        assert await gateway.health() == {"acme": "up", "club": "up"}


@virtual
async def test_an_action_that_never_left_says_what_kept_it_and_is_no_unknown() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = httpx.Response(500)
        for _ in range(5):
            await gateway.lookup_anew("acme")
        answer = await gateway.client.post("/v1/connections/acme/102/accept", headers={"sessionToken": "demo"})
        assert kind(answer) == "platform-unavailable"


@virtual
async def test_an_action_is_sent_once_though_reads_are_tried_again() -> None:
    async with faulty() as gateway:
        pod = gateway.acme.simulator
        pod.misbehave(Fault(path="/info", status=503, times=1), Fault(path="/accept", status=503))
        answer = await gateway.client.post("/v1/connections/acme/102/accept", headers={"sessionToken": "demo"})
        assert kind(answer) == "platform-error"
        assert pod.calls.by_path == {"GET /pod/v1/connection/user/{id}/info": 3, "POST /pod/v1/connection/accept": 1}

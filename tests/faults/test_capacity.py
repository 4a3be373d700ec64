"""What the gateway takes at once as it comes, without any key that says how much."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapters.selfcommunity import SelfCommunityAdapter
from adapters.symphony import SymphonyAdapter
from gateway.platforms.lookup.pending import PendingLookup
from tests.clock import run, virtual
from tests.faults.live.callers import Answer, Caller, at_once, kinds
from tests.faults.live.processes import gateway, simulated
from tests.faults.upstreams import Faulty, faulty, kind

AS_IT_COMES: dict[str, Any] = {"each": {}, "server": {"request_timeout": 2.0}}
LONE = {"acme": {"mode": "caller"}}
TWO = {**LONE, "club": {"mode": "caller"}}


@pytest.fixture
def no_batch_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both platforms can only be asked about one user at a time."""
    for adapter in (SymphonyAdapter, SelfCommunityAdapter):
        monkeypatch.setattr(adapter, "batch_size", 1)


@pytest.mark.parametrize(
    ("credentials", "how_many"), [(TWO, 1000), (LONE, 2000)], ids=["of two platforms", "of a lone one"]
)
@pytest.mark.parametrize("same", [True, False], ids=["identical", "different"])
def test_as_many_lookups_as_there_are_places(
    credentials: dict[str, dict[str, str]], how_many: int, *, same: bool
) -> None:
    async def main() -> None:
        async with faulty(credentials, **AS_IT_COMES) as gateway:
            gateway.acme.seconds = 0.1
            asked = (gateway.lookup("acme", 103 if same else 1000 + number % 1000) for number in range(how_many))
            answers = await asyncio.gather(*asked)
            assert Counter(map(kind, answers)) == {"pending_outgoing" if same else "connected": how_many}
            assert gateway.acme.calls == 1 or not same
            answers = await asyncio.gather(*(gateway.lookup("acme", 103) for _ in range(how_many + 1)))
            assert Counter(map(kind, answers))["overloaded"] == 1

    run(main())


@pytest.mark.no_cover
async def test_a_thousand_callers_at_once_over_the_network(tmp_path: Path, port: int) -> None:
    async def lookup(caller: Caller) -> Answer:
        return await caller.get("/v1/connections/acme/103")

    async with simulated("symphony") as pod, gateway(tmp_path, port, {"acme": pod.url}, request_timeout=60):
        await pod.misbehave(path="/info", delay=3)
        assert kinds(await at_once(port, 1000, lookup, most=1000)) == {"pending_outgoing": 1000}
        assert await pod.calls() == 1


async def many(gateway: Faulty, users: range, platform: str = "acme", **headers: str) -> Counter[str]:
    asked = [{"platform": platform, "user_id": str(user)} for user in users]
    headers = {"X-Platform-Token": f"{platform}=demo", **headers}
    answer = await gateway.client.post("/v1/lookup", json={"users": asked}, headers=headers)
    return Counter(
        each["connection"]["status"] if "connection" in each else each["error"]["type"]
        for each in answer.json()["results"]
    )


@pytest.mark.usefixtures("no_batch_read")
@pytest.mark.parametrize("platform", ["acme", "club"])
@pytest.mark.parametrize("max_waiting", [1, 1000])
def test_a_thousand_users_of_a_platform_without_a_batch_read(platform: str, max_waiting: int) -> None:
    async def main() -> None:
        async with faulty(TWO, each={"max_waiting": max_waiting}, server={"request_timeout": 2.0}) as gateway:
            gateway.upstreams[platform].seconds = 0.1
            assert await many(gateway, range(1000, 2000), platform) == {"connected": 1000}
            assert gateway.upstreams[platform].calls == 1000

    run(main())


@pytest.mark.usefixtures("no_batch_read")
def test_several_such_lookups_are_not_shed_either() -> None:
    async def main() -> None:
        async with faulty(LONE, each={"max_waiting": 5}, server={"request_timeout": 60.0}) as gateway:
            gateway.acme.seconds = 0.1
            lookups = (many(gateway, range(first, first + 200)) for first in range(1000, 2000, 200))
            assert sum(await asyncio.gather(*lookups), Counter()) == {"connected": 1000}

    run(main())


@pytest.mark.usefixtures("no_batch_read")
def test_a_small_lookup_does_not_wait_for_a_large_one() -> None:
    async def main() -> None:
        async with faulty(LONE, **AS_IT_COMES) as gateway:
            gateway.acme.seconds = 0.1
            large = asyncio.create_task(many(gateway, range(1000, 2000)))
            await asyncio.sleep(0.05)
            small = asyncio.create_task(many(gateway, range(101, 103)))
            single = asyncio.create_task(gateway.lookup_anew("acme", 101))
            await asyncio.sleep(0.3)
            assert await small == {"connected": 1, "pending_incoming": 1}
            assert kind(await single) == "connected"
            assert not large.done()
            assert await large == {"connected": 1000}

    run(main())


@pytest.mark.usefixtures("no_batch_read")
def test_what_nobody_waits_for_any_more_is_not_asked() -> None:
    async def main() -> None:
        async with faulty(LONE, **AS_IT_COMES) as gateway:
            gateway.acme.seconds = 1.0
            hasty = asyncio.create_task(many(gateway, range(1000, 2000), **{"X-Request-Timeout-Ms": "100"}))
            await asyncio.sleep(0.05)
            patient = asyncio.create_task(gateway.lookup("acme", 1999))
            assert await hasty == {"/problems/platform-timeout": 1000}
            assert kind(await patient) == "connected"
            await asyncio.sleep(10)
            assert gateway.acme.calls == 65

    run(main())


@virtual
async def test_a_hanging_platform_is_still_sent_no_more_than_max_calls() -> None:
    async with faulty(LONE, each={"max_calls": 7}, server={"request_timeout": 2.0}) as gateway:
        gateway.acme.trouble = "hanging"
        assert await many(gateway, range(10_000, 11_000)) == {"/problems/platform-timeout": 1000}
        assert gateway.acme.calls <= 7


@pytest.mark.usefixtures("no_batch_read")
def test_lookups_that_gave_up_leave_nothing_behind() -> None:
    async def main() -> None:
        async with faulty(LONE, **AS_IT_COMES) as gateway:
            gateway.acme.trouble = "hanging"
            for first in range(10_000, 20_000, 1000):
                answers = await many(gateway, range(first, first + 1000), **{"X-Request-Timeout-Ms": "10"})
                assert answers == {"/problems/platform-timeout": 1000}
            gc.collect()
            assert sum(isinstance(each, PendingLookup) for each in gc.get_objects()) <= 100

    run(main())

"""A platform that hangs can't take the others' places."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.clock import virtual
from tests.faults.upstreams import faulty, kind


@virtual
async def test_a_thousand_who_wait_for_one_platform_are_no_ones_else_affair() -> None:
    async with faulty() as gateway:
        gateway.acme.trouble = "hanging"
        waiting = [asyncio.create_task(gateway.lookup_anew("acme", user)) for user in range(1000, 2000)]
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        answers = await asyncio.gather(*(gateway.lookup("club", user) for user in range(1000, 2000)))
        assert Counter(map(kind, answers)) == {"connected": 1000}
        assert loop.time() == begun
        assert Counter(map(kind, await asyncio.gather(*waiting))) == {"platform-timeout": 1000}


@virtual
async def test_who_finds_no_place_is_told_at_once_and_when_to_come_back() -> None:
    async with faulty(each={"max_waiting": 10}) as gateway:
        gateway.acme.trouble = "hanging"
        waiting = [asyncio.create_task(gateway.lookup_anew("acme", user)) for user in range(1000, 1010)]
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        answer = await gateway.lookup("acme")
        assert loop.time() == begun
        assert (answer.status_code, kind(answer), answer.headers["retry-after"]) == (503, "overloaded", "1")
        assert answer.json()["platform"] == "acme"
        assert gateway.acme.calls == 10
        assert {kind(each) for each in await asyncio.gather(*waiting)} == {"platform-timeout"}


@virtual
async def test_places_become_free_again() -> None:
    async with faulty(each={"max_waiting": 1}) as gateway:
        for _ in range(3):
            assert kind(await gateway.lookup_anew("acme")) == "connected"
        gateway.acme.trouble = "hanging"
        assert kind(await gateway.lookup_anew("acme")) == "platform-timeout"
        gateway.acme.trouble = ""
        assert kind(await gateway.lookup_anew("acme")) == "connected"


@virtual
async def test_every_kind_of_call_takes_a_place_and_is_told() -> None:
    async with faulty(each={"max_waiting": 1}) as gateway:
        headers = {"X-Platform-Token": "acme=demo, club=demo"}
        gateway.acme.trouble = "hanging"
        waiting = asyncio.create_task(gateway.lookup("acme"))
        await asyncio.sleep(0.5)
        action = await gateway.client.post("/v1/connections/acme/102/accept", headers=headers)
        assert kind(action) == "overloaded"
        listing = (await gateway.client.get("/v1/connections", headers=headers)).json()
        assert [error["type"] for error in listing["errors"]] == ["/problems/overloaded"]
        assert {each["platform"] for each in listing["connections"]} == {"club"}
        users = [{"platform": name, "user_id": "101"} for name in ("acme", "club")]
        both = (await gateway.client.post("/v1/lookup", headers=headers, json={"users": users})).json()["results"]
        assert both[0]["error"]["type"] == "/problems/overloaded"
        assert both[1]["connection"]["status"] == "connected"
        await waiting


@virtual
async def test_callers_without_patience_leave_no_more_work_behind_than_that() -> None:
    async with faulty(each={"max_calls": 10, "max_waiting": 50}) as gateway:
        gateway.acme.trouble = "hanging"
        kinds: Counter[str] = Counter()
        for user in range(1000, 2000):
            headers = {"sessionToken": f"token-of-{user}", "X-Request-Timeout-Ms": "10"}
            kinds[kind(await gateway.client.get("/v1/connections/acme/101", headers=headers))] += 1
            assert len(asyncio.all_tasks()) < 100
        assert kinds == {"platform-timeout": 60, "overloaded": 940}


@virtual
async def test_more_than_a_healthy_platform_can_answer_is_no_failure_of_it() -> None:
    """It answers 25 calls a second, and 50 a second are wanted: some are told so, and nobody is turned away by it."""
    async with faulty(each={"max_calls": 5, "max_waiting": 20}) as gateway:
        gateway.acme.seconds = 0.2
        asking = []
        for number in range(500):
            asking.append(asyncio.create_task(gateway.lookup_anew("acme", 1000 + number)))
            await asyncio.sleep(0.02)
            assert (await gateway.health())["acme"] == "up"
        kinds = Counter(map(kind, await asyncio.gather(*asking)))
        assert set(kinds) <= {"connected", "overloaded", "platform-timeout"}
        assert kinds["connected"] > 225


@virtual
async def test_no_more_than_max_calls_are_on_the_wire() -> None:
    async with faulty(each={"max_calls": 7, "max_waiting": 100}) as gateway:
        gateway.acme.trouble = "hanging"
        answers = await asyncio.gather(*(gateway.lookup_anew("acme", user) for user in range(1000, 1100)))
        assert Counter(map(kind, answers)) == {"platform-timeout": 100}
        assert gateway.acme.calls == 7

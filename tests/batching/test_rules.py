"""What callers and platforms see of it."""

from __future__ import annotations

import asyncio

import pytest

from tests.caching.asking import another_viewer, ask
from tests.clock import run, virtual
from tests.faults.upstreams import faulty, kind


@pytest.mark.parametrize("platform", ["acme", "club"])
def test_a_thousand_identical_lookups_at_once_are_one_call(platform: str) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].seconds = 0.1
            answers = await asyncio.gather(*(ask(gateway, 103, platform) for _ in range(1000)))
            assert {each.json()["status"] for each in answers} == {"pending_outgoing"}
            assert gateway.upstreams[platform].calls == 1

    run(main())


@pytest.mark.parametrize("platform", ["acme", "club"])
def test_a_thousand_different_ones_of_one_viewer_are_few_calls(platform: str) -> None:
    async def main() -> None:
        async with faulty() as gateway:
            gateway.upstreams[platform].seconds = 0.1
            answers = await asyncio.gather(*(ask(gateway, user, platform) for user in range(1000, 2000)))
            assert [each.json()["user_id"] for each in answers] == [str(user) for user in range(1000, 2000)]
            assert gateway.upstreams[platform].calls <= 20

    run(main())


@virtual
async def test_two_viewers_share_no_call() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.1
        other = another_viewer(gateway)
        mine, theirs = await asyncio.gather(ask(gateway, 103), ask(gateway, 103, token=other))
        assert (mine.json()["status"], theirs.json()["status"]) == ("pending_outgoing", "none")
        assert gateway.acme.calls == 2


@virtual
async def test_who_has_no_time_takes_nobody_along() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.5
        hasty = [ask(gateway, user, X_Request_Timeout_Ms="100") for user in (101, 1001, 1002)]
        others = [ask(gateway, user) for user in (101, 1001, 1002)]
        answers = await asyncio.gather(*hasty, *others)
        assert [kind(each) for each in answers] == ["platform-timeout"] * 3 + ["connected"] * 3


@virtual
async def test_a_user_for_whom_nobody_waits_any_more_is_not_asked() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.5
        patient = asyncio.gather(ask(gateway, 101), ask(gateway, 103))
        await asyncio.sleep(0.1)
        await asyncio.gather(*(ask(gateway, user, X_Request_Timeout_Ms="100") for user in range(1000, 1010)))
        await patient
        await asyncio.sleep(5)
        assert gateway.acme.calls == 1


@virtual
async def test_those_who_come_at_once_leave_at_once_together() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.5
        before = asyncio.get_running_loop().time()
        await asyncio.gather(*(ask(gateway, user) for user in range(1000, 1010)))
        assert asyncio.get_running_loop().time() - before == pytest.approx(0.5)
        assert gateway.acme.calls == 1


@virtual
async def test_a_second_one_need_not_wait_for_a_first_one_alone() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.5
        first = asyncio.create_task(ask(gateway, 101))
        await asyncio.sleep(0.1)
        before = asyncio.get_running_loop().time()
        await ask(gateway, 103)
        assert asyncio.get_running_loop().time() - before == pytest.approx(0.5)
        await first


@virtual
async def test_one_call_that_is_late_keeps_nobody_else_waiting() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.1
        await ask(gateway, 101)
        gateway.acme.seconds = 1.9
        late = asyncio.gather(ask(gateway, 101), ask(gateway, 103))
        await asyncio.sleep(0.1)
        gateway.acme.seconds = 0.1
        gathered = asyncio.create_task(ask(gateway, 1000))
        await asyncio.sleep(0.5)
        before = asyncio.get_running_loop().time()
        answers = [await ask(gateway, 1001), await gathered]
        assert asyncio.get_running_loop().time() - before == pytest.approx(0.1)
        assert [kind(each) for each in (*answers, *await late)] == ["connected"] * 3 + ["pending_outgoing"]
        assert gateway.acme.calls == 3


@virtual
async def test_if_that_is_late_too_the_platform_is_slow() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.1
        await ask(gateway, 101)
        gateway.acme.seconds = 1.5
        asked = []
        for user in range(1000, 1014):
            asked += [asyncio.create_task(ask(gateway, each)) for each in (user, 1000 + user)]
            await asyncio.sleep(0.1)
        assert gateway.acme.calls == 3
        await asyncio.gather(*asked)


@virtual
async def test_as_long_as_others_come_back_a_late_call_is_passed_again() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.1
        await ask(gateway, 101)
        gateway.acme.seconds = 1.9
        late = asyncio.gather(ask(gateway, 1000), ask(gateway, 1001))
        for user in (1002, 1003):
            await asyncio.sleep(0.6)
            gateway.acme.seconds = 0.1
            await ask(gateway, user)
        assert not late.done()
        await late
        assert gateway.acme.calls == 4


@virtual
async def test_what_is_late_is_told_by_how_long_calls_have_taken_lately() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.1
        await ask(gateway, 101)
        gateway.acme.seconds = 0.4
        for user in range(1000, 1040):
            await ask(gateway, user)
        calls = gateway.acme.calls
        gateway.acme.seconds = 1.0
        asked = [asyncio.create_task(ask(gateway, user)) for user in (2000, 2001)]
        await asyncio.sleep(0.6)  # which would have been late at first
        asked.append(asyncio.create_task(ask(gateway, 2002)))
        await asyncio.sleep(0.1)
        assert gateway.acme.calls == calls + 1
        await asyncio.gather(*asked)


@virtual
async def test_who_joins_somebody_hasty_is_asked_for_all_the_same() -> None:
    async with faulty() as gateway:
        gateway.acme.seconds = 0.5
        in_flight = asyncio.gather(ask(gateway, 101), ask(gateway, 103))
        await asyncio.sleep(0.1)
        hasty = asyncio.create_task(ask(gateway, 1000, X_Request_Timeout_Ms="100"))
        await asyncio.sleep(0.01)
        patient = asyncio.create_task(ask(gateway, 1000))
        assert [kind(await hasty), kind(await patient)] == ["platform-timeout", "connected"]
        await in_flight

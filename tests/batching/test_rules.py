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
        hasty = [ask(gateway, user, X_Request_Timeout_Ms="100") for user in range(1000, 1010)]
        await asyncio.gather(*hasty)
        await asyncio.sleep(5)
        assert gateway.acme.calls == 2

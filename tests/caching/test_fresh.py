"""What was said lately is told again without asking."""

from __future__ import annotations

import asyncio

import pytest

from tests.caching.asking import another_viewer, ask, keeping, origin
from tests.clock import virtual
from tests.gateways import running


@virtual
async def test_a_second_lookup_is_answered_without_asking() -> None:
    async with keeping() as gateway:
        first = await ask(gateway)
        await asyncio.sleep(3)
        second = await ask(gateway)
        assert (origin(first), first.headers["age"]) == ("fwd=miss", "0")
        assert (origin(second), second.headers["age"]) == ("hit", "3")
        assert second.content == first.content
        assert gateway.acme.calls == 1


@virtual
async def test_after_its_time_it_is_asked_again() -> None:
    async with keeping() as gateway:
        await ask(gateway)
        await asyncio.sleep(5)
        again = await ask(gateway)
        assert (origin(again), again.headers["age"], again.json()["stale"]) == ("fwd=stale", "0", False)
        assert gateway.acme.calls == 2


@virtual
async def test_none_is_kept_like_any_status() -> None:
    async with keeping() as gateway:
        assert (await ask(gateway, 105)).json()["status"] == "none"
        assert origin(await ask(gateway, 105)) == "hit"
        assert gateway.acme.calls == 1


@virtual
async def test_who_does_not_exist_is_asked_for_each_time() -> None:
    async with keeping() as gateway:
        for _ in range(2):
            assert (await ask(gateway, 404404, "club")).status_code == 404
        assert gateway.club.calls == 2


@virtual
async def test_what_one_viewer_was_told_is_not_told_to_another() -> None:
    async with keeping() as gateway:
        other = another_viewer(gateway)
        mine = await ask(gateway, 103)
        theirs = await ask(gateway, 103, token=other)
        assert (mine.json()["status"], theirs.json()["status"]) == ("pending_outgoing", "none")
        assert origin(theirs) == "fwd=miss"


@virtual
async def test_no_cache_asks_the_platform() -> None:
    async with keeping() as gateway:
        await ask(gateway)
        assert origin(await ask(gateway, Cache_Control="no-cache")) == "fwd=request"
        assert gateway.acme.calls == 2


@virtual
async def test_what_no_cache_brought_is_kept() -> None:
    async with keeping() as gateway:
        await ask(gateway, Cache_Control="no-cache")
        assert origin(await ask(gateway)) == "hit"


@virtual
async def test_no_cache_does_not_join_a_call_that_began_before() -> None:
    async with keeping() as gateway:
        gateway.acme.seconds = 1.0
        first = asyncio.create_task(ask(gateway))
        await asyncio.sleep(0.5)
        await asyncio.gather(first, ask(gateway, Cache_Control="no-cache"), ask(gateway))
        assert gateway.acme.calls == 2


@virtual
async def test_max_age_takes_nothing_older() -> None:
    async with keeping() as gateway:
        await ask(gateway)
        await asyncio.sleep(2)
        assert origin(await ask(gateway, Cache_Control="no-transform, max-age=2")) == "hit"
        assert origin(await ask(gateway, Cache_Control="max-age=1")) == "fwd=request"
        assert origin(await ask(gateway, Cache_Control='max-age="0"')) == "fwd=request"


@virtual
async def test_max_age_takes_nothing_that_is_not_fresh() -> None:
    async with keeping() as gateway:
        await ask(gateway)
        await asyncio.sleep(6)
        assert origin(await ask(gateway, Cache_Control=f"max-age={'9' * 30}")) == "fwd=stale"


@pytest.mark.parametrize("age", ["-1", "1.5", "soon", "", "\u0661"])
def test_a_max_age_that_is_no_number_is_refused(age: str) -> None:
    @virtual
    async def main() -> None:
        async with keeping() as gateway:
            path = "/v1/connections/acme/101"
            headers = [(b"cache-control", f"max-age={age}".encode()), (b"sessiontoken", b"demo")]
            answer = await gateway.client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
            assert gateway.acme.calls == 0

    main()


@virtual
async def test_a_lookup_of_many_takes_and_fills() -> None:
    async with keeping() as gateway:
        headers = {"sessionToken": "demo"}
        await ask(gateway, 101)
        users = [{"platform": "acme", "user_id": str(user)} for user in (101, 102, 103)]
        first = await gateway.client.post("/v1/lookup", json={"users": users}, headers=headers)
        await asyncio.sleep(2)
        again = await gateway.client.post("/v1/lookup", json={"users": users}, headers=headers)
        assert (origin(first), origin(again), again.headers["age"]) == ("fwd=miss", "hit", "2")
        assert first.json() == again.json()
        assert gateway.acme.calls == 2
        assert origin(await ask(gateway, 103)) == "hit"


@virtual
async def test_a_list_is_asked_for_each_time() -> None:
    async with keeping() as gateway:
        headers = {"X-Platform-Token": "acme=demo"}
        for _ in range(2):
            answer = await gateway.client.get("/v1/connections?platform=acme&user_id=101", headers=headers)
            assert origin(answer) == "fwd=bypass"
        assert gateway.acme.calls == 2


@virtual
async def test_fresh_for_0_keeps_nothing() -> None:
    async with keeping(fresh_for=0) as gateway:
        for _ in range(2):
            assert origin(await ask(gateway)) == "fwd=miss"
        gateway.acme.trouble = "dead"
        assert (await ask(gateway)).status_code == 502


async def test_a_platforms_own_times_win() -> None:
    for own, what in ((0, "fwd=miss"), (60.0, "hit")):
        async with running(each={"fresh_for": own}, cache={"fresh_for": 60.0 - own}) as gateway:
            await gateway.client.get("/v1/connections/acme/101")
            assert origin(await gateway.client.get("/v1/connections/acme/101")) == what

"""A caller has its answer in time; a call to a platform has a time of its own, and may outlive its caller."""

from __future__ import annotations

import asyncio
import gc

import pytest

from adapters.simulation.faults import Fault
from tests import clock
from tests.gateways import Gateway, running


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "1e3", "", "soon", "\u00b2", "+1", "0x10"])
async def test_a_deadline_that_is_none_is_refused(gateway: Gateway, value: str) -> None:
    headers = {"X-Request-Timeout-Ms": value.encode("latin-1")}
    answer = await gateway.client.get("/v1/connections/acme/101", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")
    assert answer.json()["detail"].startswith("X-Request-Timeout-Ms: expected")
    assert gateway.calls == 0


async def test_a_deadline_above_the_longest_is_clamped(gateway: Gateway) -> None:
    for value in ("9" * 5000, "0" * 5000 + "100"):
        headers = {"X-Request-Timeout-Ms": value}
        assert (await gateway.client.get("/v1/connections/acme/101", headers=headers)).status_code == 200


def test_a_caller_is_answered_at_its_own_deadline_and_the_read_goes_on() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=1.5))
            start = asyncio.get_running_loop().time()
            answer = await gateway.client.get("/v1/connections/club/101", headers={"X-Request-Timeout-Ms": "500"})
            assert (answer.status_code, answer.json()["type"]) == (504, "/problems/platform-timeout")
            assert asyncio.get_running_loop().time() - start == pytest.approx(0.5)
            gateway.club.misbehave()
            await asyncio.sleep(5)
            assert gateway.club.calls.calls == 1
            assert len(asyncio.all_tasks()) == 1

    clock.run(main())


def test_without_a_deadline_the_longest_counts() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=60))
            start = asyncio.get_running_loop().time()
            answer = await gateway.client.get("/v1/connections/club/101")
            assert answer.json()["type"] == "/problems/platform-timeout"
            assert asyncio.get_running_loop().time() - start == pytest.approx(2.0)

    clock.run(main())


def test_a_caller_cannot_wait_longer_than_the_longest() -> None:
    """A login and a read, each within its own deadline, together take longer."""

    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.acme.misbehave(Fault(delay=1.5))
            start = asyncio.get_running_loop().time()
            answer = await gateway.client.get("/v1/connections/acme/101", headers={"X-Request-Timeout-Ms": "60000"})
            assert answer.json()["type"] == "/problems/platform-timeout"
            assert asyncio.get_running_loop().time() - start == pytest.approx(2.0)

    clock.run(main())


def test_a_bug_in_a_read_that_nobody_waits_for_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: object) -> None:
        await asyncio.sleep(1)
        raise ZeroDivisionError

    monkeypatch.setattr("adapters.selfcommunity.SelfCommunityAdapter.read", broken)

    async def main() -> None:
        unseen: list[BaseException] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: unseen.append(context["exception"]))
        async with running() as gateway:
            await gateway.client.get("/v1/connections/club/101", headers={"X-Request-Timeout-Ms": "10"})
            await asyncio.sleep(5)
        assert [type(each) for each in unseen] == [ZeroDivisionError]

    clock.run(main())


def test_a_platforms_failure_that_nobody_waits_for_is_nobodys_news() -> None:
    async def main() -> None:
        unseen: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        async with running() as gateway:
            gateway.club.misbehave(Fault(delay=1, status=500))
            await gateway.client.get("/v1/connections/club/101", headers={"X-Request-Timeout-Ms": "10"})
            await asyncio.sleep(5)
        gc.collect()
        assert unseen == []

    clock.run(main())


def test_a_login_that_nobody_waits_for_ends_with_the_gateway() -> None:
    async def main() -> None:
        async with running(request_timeout=60.0) as gateway:
            gateway.acme.misbehave(Fault(path="/login/", delay=50))
            await gateway.client.get("/v1/connections/acme/101", headers={"X-Request-Timeout-Ms": "10"})
            assert gateway.acme.calls.logins == 1
        assert len(asyncio.all_tasks()) == 1

    clock.run(main())


def test_a_read_that_nobody_waits_for_ends_with_the_gateway() -> None:
    async def main() -> None:
        async with running(request_timeout=60.0) as gateway:
            gateway.club.misbehave(Fault(delay=50))
            await gateway.client.get("/v1/connections/club/101", headers={"X-Request-Timeout-Ms": "10"})
            assert len(asyncio.all_tasks()) > 1
        assert len(asyncio.all_tasks()) == 1

    clock.run(main())

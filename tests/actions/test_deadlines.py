"""An action has its time: for itself, for reading back, and for a caller who does not wait."""

from __future__ import annotations

import asyncio
import gc

import pytest

from adapters.simulation.faults import Fault
from gateway.platforms.actions import kept_for_reading_back
from tests import clock
from tests.actions.asking import act, slug
from tests.gateways import running


@pytest.mark.parametrize(("timeout", "kept"), [(0.2, 0.1), (0.6, 0.3), (1.0, 0.3), (2.0, 0.5), (60.0, 15.0)])
def test_time_is_kept_for_reading_back(timeout: float, kept: float) -> None:
    assert kept_for_reading_back(timeout) == pytest.approx(kept)


def test_an_action_without_an_answer_is_read_back_in_time() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=30, apply=True))
            answer = await act(gateway, "club", 102, "accept")
            assert answer.json()["status"] == "connected"
            assert asyncio.get_running_loop().time() == pytest.approx(1.5, abs=0.01)

    clock.run(main())


def test_an_action_without_an_answer_that_was_not_done_is_a_timeout() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=30))
            answer = await act(gateway, "club", 102, "accept")
            assert slug(answer) == "platform-timeout"
            assert "read back" in answer.json()["detail"]
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)

    clock.run(main())


def test_an_answer_that_comes_while_reading_back_counts() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=1.8))
            answer = await act(gateway, "club", 102, "accept")
            assert answer.json()["status"] == "connected"
            assert asyncio.get_running_loop().time() == pytest.approx(1.8, abs=0.01)

    clock.run(main())


def test_a_failure_that_comes_while_reading_back_leaves_it_unknown() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=1.8, status=500))
            assert slug(await act(gateway, "club", 102, "accept")) == "outcome-unknown"

    clock.run(main())


def test_a_certain_refusal_that_comes_while_reading_back_is_told() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(
                Fault(path="/accept/", delay=1.7, status=403),
                Fault(path="/connection_status/", times=1, delay=0.1),
                Fault(path="/connection_status/", status=500),
            )
            assert slug(await act(gateway, "club", 102, "accept")) == "platform-forbidden"

    clock.run(main())


def test_an_action_whose_first_read_hangs_sends_nothing() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.acme.misbehave(Fault(path="/login/", delay=1.5), Fault(delay=30))
            answer = await act(gateway, "acme", 102, "accept")
            assert slug(answer) == "platform-timeout"
            assert "nothing was sent" in answer.json()["detail"]
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)

    clock.run(main())


def test_a_platform_that_hangs_after_the_action_leaves_it_unknown() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/connection_status/", times=1, delay=0.1), Fault(delay=30))
            answer = await act(gateway, "club", 102, "accept")
            assert slug(answer) == "outcome-unknown"
            assert asyncio.get_running_loop().time() == pytest.approx(2.0, abs=0.05)

    clock.run(main())


def test_a_read_that_leaves_no_time_to_act_sends_nothing() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/connection_status/", delay=1.6))
            assert slug(await act(gateway, "club", 102, "accept")) == "platform-timeout"
            await asyncio.sleep(10)
            assert gateway.club.calls.calls == 1

    clock.run(main())


@pytest.mark.parametrize(
    ("patience", "problem"), [("100", "platform-timeout"), ("700", "outcome-unknown")], ids=["unsent", "sent"]
)
def test_an_impatient_caller_hears_what_is_known_and_the_action_runs_on(patience: str, problem: str) -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=0.4))
            answer = await act(gateway, "club", 102, "accept", **{"X-Request-Timeout-Ms": patience})
            assert slug(answer) == problem
            assert asyncio.get_running_loop().time() == pytest.approx(int(patience) / 1000, abs=0.05)
            assert gateway.club.platform.connection(1, 102) == "received_connection_request"
            await asyncio.sleep(10)
            assert gateway.club.platform.connection(1, 102) == "connected"
            assert gateway.club.calls.calls == 2

    clock.run(main())


def test_an_action_under_way_ends_before_the_gateway_does() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=0.4))
            await act(gateway, "club", 102, "accept", **{"X-Request-Timeout-Ms": "100"})
        assert gateway.club.platform.connection(1, 102) == "connected"
        assert len(asyncio.all_tasks()) == 1

    clock.run(main())


def test_a_reading_that_fails_as_the_action_succeeds_is_nobodys_news() -> None:
    """Both come back at the same moment."""

    async def main() -> None:
        unseen: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(
                Fault(path="/accept/", delay=1.75),
                Fault(path="/connection_status/", times=1, delay=0.25),
                Fault(path="/connection_status/", delay=0.5, status=500),
            )
            answer = await act(gateway, "club", 102, "accept")
            assert answer.json()["status"] == "connected"
            assert asyncio.get_running_loop().time() == 2.0
        gc.collect()
        assert unseen == []

    clock.run(main())


def test_an_action_that_outlives_its_attempt_ends_before_the_gateway_does() -> None:
    async def main() -> None:
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(path="/accept/", delay=1.8), Fault(delay=0.8))
            await act(gateway, "club", 102, "accept", **{"X-Request-Timeout-Ms": "100"})
        assert gateway.club.platform.connection(1, 102) == "connected"
        assert len(asyncio.all_tasks()) == 1

    clock.run(main())


def test_an_action_that_turns_out_impossible_when_nobody_waits_is_nobodys_news() -> None:
    async def main() -> None:
        unseen: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        async with running(request_timeout=2.0) as gateway:
            gateway.club.misbehave(Fault(delay=0.4))
            await act(gateway, "club", 103, "accept", **{"X-Request-Timeout-Ms": "100"})
            await asyncio.sleep(10)
        gc.collect()
        assert unseen == []

    clock.run(main())

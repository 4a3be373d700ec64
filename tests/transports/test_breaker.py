"""A platform that fails is left alone, and tried once."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from adapters.contract import Unavailable
from gateway.health import BreakerState
from gateway.transports.breaker import Breaker
from tests.clock import run, virtual
from tests.transports.scripted import Count, Outcome, Wire, ask, later, outcome_of

FAILURES = [
    500,
    502,
    503,
    later(503, "9"),
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.RemoteProtocolError,
]
SAYS_NOTHING = httpx.PoolTimeout
NO_FAILURES = [200, 301, 400, 401, 403, 404, 429, httpx.DecodingError]


def guarded(wire: Wire) -> Breaker:
    return Breaker(wire, platform="acme")


def state_of(breaker: Breaker) -> BreakerState:
    """Now: it moves with time."""
    return breaker.state


async def broken(wire: Wire) -> Breaker:
    """A breaker that has just opened."""
    breaker = guarded(wire)
    wire.outcomes = [500]
    for _ in range(5):
        await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.OPEN
    return breaker


@pytest.mark.parametrize("failure", FAILURES)
def test_five_failures_in_a_row_open_it(failure: Outcome) -> None:
    @virtual
    async def main() -> None:
        wire, refused = Wire([failure]), Count()
        breaker = Breaker(wire, platform="acme", refused=refused)
        for _ in range(5):
            assert state_of(breaker) is BreakerState.CLOSED
            await outcome_of(breaker)
        assert state_of(breaker) is BreakerState.OPEN
        assert [await outcome_of(breaker) for _ in range(3)] == [Unavailable] * 3
        assert (wire.calls, refused.times) == (5, 3)

    main()


@pytest.mark.parametrize("outcome", NO_FAILURES)
def test_nothing_else_is_a_failure(outcome: Outcome) -> None:
    wire = Wire([outcome])

    async def main() -> None:
        breaker = guarded(wire)
        for _ in range(100):
            await outcome_of(breaker)
        assert state_of(breaker) is BreakerState.CLOSED

    run(main())
    assert wire.calls == 100


@pytest.mark.parametrize("good", NO_FAILURES)
def test_a_row_ends_with_whatever_is_no_failure(good: Outcome) -> None:
    async def main() -> BreakerState:
        breaker = guarded(Wire([*[500] * 4, good, *[500] * 4]))
        for _ in range(9):
            await outcome_of(breaker)
        return breaker.state

    assert run(main()) is BreakerState.CLOSED


@pytest.mark.parametrize(("calls", "state"), [(18, BreakerState.CLOSED), (20, BreakerState.OPEN)])
def test_half_of_twenty_open_it(calls: int, state: BreakerState) -> None:
    @virtual
    async def main() -> None:
        breaker = guarded(Wire([200, 500] * 100))
        for _ in range(calls):
            await outcome_of(breaker)
        assert state_of(breaker) is state

    main()


@virtual
async def test_less_than_half_never_opens_it() -> None:
    breaker = guarded(Wire([200, 500, 200] * 100))
    for _ in range(300):
        await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.CLOSED


@virtual
async def test_what_was_longer_ago_than_ten_seconds_counts_no_more() -> None:
    breaker = guarded(Wire([200, 500] * 100))
    for _ in range(18):
        await outcome_of(breaker)
    await asyncio.sleep(11)
    for _ in range(18):
        await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.CLOSED


@virtual
async def test_while_it_is_open_it_says_until_when() -> None:
    breaker = await broken(Wire())
    await asyncio.sleep(0.25)
    with pytest.raises(Unavailable) as caught:
        await ask(breaker)
    assert caught.value.retry_after is not None
    assert 0.75 <= caught.value.retry_after <= 1
    assert caught.value.may_have_acted is False


@virtual
async def test_one_good_probe_closes_it() -> None:
    wire = Wire()
    breaker = await broken(wire)
    await asyncio.sleep(1)
    assert state_of(breaker) is BreakerState.HALF_OPEN
    wire.outcomes = [200]
    assert [await outcome_of(breaker) for _ in range(10)] == [200] * 10
    assert state_of(breaker) is BreakerState.CLOSED


@virtual
async def test_two_in_half_open_are_one_probe() -> None:
    wire = Wire()
    breaker = await broken(wire)
    await asyncio.sleep(1)
    wire.outcomes, wire.seconds = [200], 0.5
    answers = await asyncio.gather(*(outcome_of(breaker) for _ in range(100)))
    assert sorted(map(str, answers)) == sorted(map(str, [200, *[Unavailable] * 99]))
    assert wire.calls == 6


@virtual
async def test_only_the_probes_leave_while_it_does_not_recover_and_they_become_rare() -> None:
    wire = Wire()
    breaker = await broken(wire)
    for _ in range(2000):
        await outcome_of(breaker)
        await asyncio.sleep(0.1)
    gaps = [round(after - before) for before, after in zip(wire.left[4:], wire.left[5:], strict=False)]
    assert gaps == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]


@virtual
async def test_after_a_recovery_it_begins_with_one_second_again() -> None:
    wire = Wire([500])
    breaker = await broken(wire)
    await asyncio.sleep(1)
    await outcome_of(breaker)
    await asyncio.sleep(2)
    wire.outcomes = [200, 500]
    for _ in range(6):
        await outcome_of(breaker)
    with pytest.raises(Unavailable) as caught:
        await ask(breaker)
    assert caught.value.retry_after == pytest.approx(1)


@virtual
async def test_after_a_recovery_old_failures_are_forgotten() -> None:
    wire = Wire([500])
    breaker = await broken(wire)
    await asyncio.sleep(1)
    wire.outcomes = [200, *[500] * 4, 200]
    for _ in range(6):
        await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.CLOSED


@virtual
async def test_after_a_recovery_the_old_half_is_forgotten_too() -> None:
    wire = Wire([200, 500] * 10)
    breaker = guarded(wire)
    for _ in range(20):
        await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.OPEN
    await asyncio.sleep(1)
    wire.outcomes = [200, *[200, 500] * 9]
    for _ in range(18):
        await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.CLOSED


@virtual
async def test_who_is_refused_while_the_probe_is_under_way_may_come_back_in_a_second() -> None:
    wire = Wire()
    breaker = await broken(wire)
    await asyncio.sleep(1)
    wire.outcomes, wire.seconds = [200], 1.0
    probe = asyncio.create_task(ask(breaker))
    await asyncio.sleep(0.5)
    with pytest.raises(Unavailable) as caught:
        await ask(breaker)
    assert caught.value.retry_after == 1
    await probe


@virtual
async def test_a_probe_that_is_cancelled_says_nothing_and_the_next_call_is_another() -> None:
    wire = Wire()
    breaker = await broken(wire)
    await asyncio.sleep(1)
    wire.outcomes, wire.seconds = [200], 1.0
    probe = asyncio.create_task(ask(breaker))
    await asyncio.sleep(0.1)
    probe.cancel()
    await asyncio.wait([probe])
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert await outcome_of(breaker) == 200
    assert state_of(breaker) is BreakerState.CLOSED


@pytest.mark.parametrize("late", [200, 500])
def test_what_had_left_before_it_opened_counts_for_nothing(late: int) -> None:
    @virtual
    async def main() -> None:
        wire = Wire([late], seconds=0.5)
        breaker = guarded(wire)
        old = asyncio.create_task(outcome_of(breaker))
        await asyncio.sleep(0)
        wire.outcomes, wire.seconds = [500], 0.0
        for _ in range(5):
            await outcome_of(breaker)
        assert await old == late
        assert state_of(breaker) is BreakerState.OPEN
        await asyncio.sleep(0.5)
        assert state_of(breaker) is BreakerState.HALF_OPEN

    main()


@virtual
async def test_what_had_left_before_it_closed_does_not_open_it_again() -> None:
    wire = Wire([500], seconds=1.5)
    breaker = guarded(wire)
    old = [asyncio.create_task(outcome_of(breaker)) for _ in range(20)]
    await asyncio.sleep(0)
    wire.seconds = 0.0
    for _ in range(5):
        await outcome_of(breaker)
    await asyncio.sleep(1)
    wire.outcomes = [200]
    assert await outcome_of(breaker) == 200
    assert await asyncio.gather(*old) == [500] * 20
    assert state_of(breaker) is BreakerState.CLOSED


@virtual
async def test_a_call_that_was_never_tried_says_nothing() -> None:
    wire = Wire([500, 500, 500, 500, *[SAYS_NOTHING] * 50, 500])
    breaker = guarded(wire)
    for _ in range(54):
        await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.CLOSED
    await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.OPEN
    await asyncio.sleep(1)
    wire.outcomes = [SAYS_NOTHING, 200]
    await outcome_of(breaker)
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert await outcome_of(breaker) == 200


@pytest.mark.parametrize(
    ("waited", "state"), [(0.0, BreakerState.OPEN), (0.9, BreakerState.OPEN), (1.1, BreakerState.CLOSED)]
)
def test_a_timeout_after_a_long_wait_in_line_says_nothing(waited: float, state: BreakerState) -> None:
    @virtual
    async def main() -> None:
        breaker = guarded(Wire(seconds=30.0))
        for _ in range(20):
            await outcome_of(breaker, waited=waited)
        assert state_of(breaker) is state

    main()


@virtual
async def test_any_other_failure_after_a_long_wait_counts() -> None:
    breaker = guarded(Wire([httpx.ConnectError]))
    for _ in range(5):
        await outcome_of(breaker, waited=1.9)
    assert state_of(breaker) is BreakerState.OPEN

"""One more try: when, how often, and what is told."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from adapters.contract import Unavailable, Viewer
from adapters.settings import ThrottleScope
from gateway.transports.breaker import Breaker
from gateway.transports.limit import ConcurrencyLimit
from gateway.transports.retry import LATEST, SOONEST, Retry
from gateway.transports.throttle import Throttle
from tests.clock import run, virtual
from tests.transports.scripted import Count, Outcome, Wire, ask, later, least, outcome_of

LOST = httpx.ReadError
NEVER_LEFT = [httpx.ConnectError, httpx.ProxyError]
MAY_HAVE_LEFT = [httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]


@pytest.mark.parametrize("first", [*NEVER_LEFT, *MAY_HAVE_LEFT, 408, 502, 503, 504])
def test_a_safe_request_is_tried_again(first: Outcome) -> None:
    wire = Wire([first, 200])
    assert run(outcome_of(Retry(wire))) == 200
    assert wire.calls == 2


@pytest.mark.parametrize("first", NEVER_LEFT)
def test_any_request_that_never_left_is_tried_again(first: Outcome) -> None:
    wire = Wire([first, 200])
    assert run(outcome_of(Retry(wire), safe=False)) == 200
    assert wire.calls == 2


@pytest.mark.parametrize("first", [*MAY_HAVE_LEFT, 408, 502, 503, 504])
def test_what_may_have_left_is_not_sent_twice(first: Outcome) -> None:
    wire = Wire([first, 200])
    assert run(outcome_of(Retry(wire), safe=False)) == first
    assert wire.calls == 1


@pytest.mark.parametrize(
    "first",
    [
        200,
        302,
        400,
        401,
        403,
        404,
        429,
        500,
        501,
        later(408, "1"),
        later(503, "1"),
        later(502, "0"),
        httpx.DecodingError,
    ],
)
def test_what_another_try_would_not_change_is_not_tried_again(first: Outcome) -> None:
    wire = Wire([first, 204])
    assert run(outcome_of(Retry(wire))) == (first.status_code if isinstance(first, httpx.Response) else first)
    assert wire.calls == 1


def test_a_request_that_does_not_say_it_is_safe_is_not() -> None:
    async def main() -> int:
        request = httpx.Request("GET", "http://acme.example/", extensions={"deadline": 2.0})
        return (await Retry(Wire([503, 200])).handle_async_request(request)).status_code

    assert run(main()) == 503


def test_there_is_no_third_try() -> None:
    wire = Wire([503, 502, 200])
    assert run(outcome_of(Retry(wire))) == 502
    assert wire.calls == 2


@virtual
async def test_the_second_try_is_a_little_later_and_not_for_all_at_the_same_time() -> None:
    pauses = set()
    for _ in range(20):
        wire = Wire([503, 200])
        await ask(Retry(wire))
        pauses.add(wire.left[1] - wire.left[0])
    assert len(pauses) > 1
    assert all(SOONEST - 1e-9 <= pause <= LATEST + 1e-9 for pause in pauses)


@pytest.mark.parametrize(("took", "calls"), [(0.9, 2), (1.0, 1), (1.995, 1)])
def test_no_second_try_begins_without_the_time_that_the_first_took(took: float, calls: int) -> None:
    wire = Wire([503], seconds=took)
    assert run(outcome_of(Retry(wire), within=2.0)) == 503
    assert wire.calls == calls


def test_a_timeout_leaves_no_time_for_another() -> None:
    wire = Wire(seconds=30.0)
    assert run(outcome_of(Retry(wire))) is httpx.ReadTimeout
    assert wire.calls == 1


@pytest.mark.parametrize(("calls", "tries"), [(1, 2), (5, 6), (9, 10), (10, 12), (20, 24), (1000, 1200)])
def test_no_more_than_a_fifth_are_tried_again(calls: int, tries: int) -> None:
    async def main() -> None:
        retry = Retry(wire, retried=retried, spread=least)
        await asyncio.gather(*(outcome_of(retry) for _ in range(calls)))

    wire, retried = Wire([503]), Count()
    run(main())
    assert (wire.calls, retried.times) == (tries, tries - calls)


@virtual
async def test_the_budget_is_that_of_the_last_ten_seconds() -> None:
    wire = Wire([503, 503, 503, 503, 200, 503])
    retry = Retry(wire, spread=least)
    for _ in range(3):
        await ask(retry)
    assert wire.calls == 4
    await asyncio.sleep(11)
    for _ in range(2):
        await ask(retry)
    assert wire.calls == 7


@virtual
async def test_rare_calls_are_not_all_repeated_during_an_outage() -> None:
    wire = Wire([503])
    retry = Retry(wire, spread=least)
    for _ in range(20):
        await ask(retry)
        await asyncio.sleep(60)
    assert wire.calls == 21


@virtual
async def test_calls_that_a_gate_turned_away_are_no_calls() -> None:
    wire, retried = Wire([later(429, "1000")]), Count()
    retry = Retry(Throttle(wire, scope=ThrottleScope.VIEWER), spread=least, retried=retried)
    for _ in range(100):
        await ask(retry, viewer=Viewer.named("club", 1))
    wire.outcomes = [503]
    for _ in range(5):
        await ask(retry, viewer=Viewer.named("club", 2))
    assert (wire.calls, retried.times) == (1 + 5 + 1, 1)


@virtual
async def test_good_times_are_not_saved_up() -> None:
    wire = Wire([200])
    retry = Retry(wire, spread=least)
    for _ in range(100):
        await ask(retry)
    await asyncio.sleep(11)
    wire.outcomes = [503]
    for _ in range(5):
        await ask(retry)
    assert wire.calls == 100 + 5 + 1


@virtual
async def test_a_breaker_that_opens_meanwhile_leaves_the_first_failure() -> None:
    wire = Wire([500, 500, 500, LOST, 500, 200])
    retry = Retry(Breaker(wire, platform="acme"))
    for _ in range(3):
        await ask(retry)
    first = asyncio.create_task(outcome_of(retry))
    await asyncio.sleep(SOONEST / 2)
    assert await outcome_of(retry) == 500
    assert await outcome_of(retry) is Unavailable
    assert await first is LOST
    assert wire.calls == 5


@virtual
async def test_a_throttle_that_closes_meanwhile_leaves_the_first_failure() -> None:
    wire = Wire([503, later(429, "9"), 200])
    retry = Retry(Throttle(wire, scope=ThrottleScope.PLATFORM), spread=lambda _low, high: high)
    first = asyncio.create_task(outcome_of(retry))
    await asyncio.sleep(0.01)
    assert await outcome_of(retry) == 429
    assert await first == 503
    assert wire.calls == 2


@virtual
async def test_a_platform_that_throttles_the_second_try_is_believed() -> None:
    wire = Wire([503, later(429, "9")])
    assert await outcome_of(Retry(Throttle(wire, scope=ThrottleScope.PLATFORM))) == 429


@virtual
async def test_a_line_that_is_too_long_leaves_the_first_failure() -> None:
    wire = Wire([503, 200, 200], seconds=0.1)
    retry = Retry(ConcurrencyLimit(wire, platform="acme", most=1, line=10), spread=lambda _low, high: high)
    first = asyncio.create_task(outcome_of(retry, within=0.25))
    await asyncio.sleep(0.05)
    wire.seconds = 1.0
    assert await outcome_of(retry) == 200
    assert await first == 503


@virtual
async def test_who_leaves_while_it_waits_takes_its_second_try_along() -> None:
    wire = Wire([503])
    asking = asyncio.create_task(outcome_of(Retry(wire)))
    await asyncio.sleep(SOONEST / 2)
    asking.cancel()
    await asyncio.sleep(1)
    assert wire.calls == 1

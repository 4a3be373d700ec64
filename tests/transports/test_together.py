"""All four in their order, over a wire that fails at random: what none of them may let the others do."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import httpx
import pytest

from adapters.contract import DeadlineExceeded, Unavailable, Viewer
from adapters.settings import ThrottleScope
from gateway.health import BreakerState
from gateway.transports.breaker import Breaker
from gateway.transports.limit import ConcurrencyLimit
from gateway.transports.retry import Retry
from gateway.transports.throttle import Throttle, is_turned_away
from tests.clock import run, virtual
from tests.transports.scripted import Outcome, Wire, ask, later, outcome_of


class Together:
    """As `gateway.stack` puts them."""

    def __init__(self, wire: Wire, most: int = 4, scope: ThrottleScope = ThrottleScope.PLATFORM) -> None:
        self.breaker = Breaker(wire, platform="acme")
        self.throttle = Throttle(self.breaker, scope=scope)
        self.limit = ConcurrencyLimit(self.throttle, platform="acme", most=most, line=1000)
        self.outermost = Retry(self.limit)


@virtual
async def test_a_second_try_inside_a_window_does_not_leave() -> None:
    wire = Wire([503, later(429, "5"), 200], seconds=0.001)
    it = Together(wire)
    answers = await asyncio.gather(outcome_of(it.outermost), outcome_of(it.outermost))
    assert Counter(answers) == {503: 1, 429: 1}
    await asyncio.sleep(1)
    assert await outcome_of(it.outermost) == 429
    assert wire.calls == 2


@virtual
async def test_who_waits_for_a_place_behind_a_gate_that_closes_is_turned_away() -> None:
    wire = Wire([later(429, "5"), 200], seconds=0.1)
    it = Together(wire, most=1)
    answers = await asyncio.gather(*(ask(it.outermost) for _ in range(50)))
    assert wire.calls == 1
    assert [is_turned_away(each) for each in answers] == [False, *[True] * 49]


@virtual
async def test_who_waits_for_a_place_while_the_breaker_opens_is_refused() -> None:
    wire = Wire([500], seconds=0.01)
    it = Together(wire, most=1)
    answers = await asyncio.gather(*(outcome_of(it.outermost) for _ in range(50)))
    assert Counter(answers) == {500: 5, Unavailable: 45}
    assert wire.calls == 5


@virtual
async def test_a_probe_that_is_throttled_has_recovered_and_the_window_holds() -> None:
    wire = Wire([500])
    it = Together(wire)
    for _ in range(5):
        await outcome_of(it.outermost)
    await asyncio.sleep(1)
    wire.outcomes = [later(429, "5"), 200]
    assert [await outcome_of(it.outermost) for _ in range(3)] == [429] * 3
    assert it.breaker.state is BreakerState.CLOSED
    assert wire.calls == 6


@virtual
async def test_a_window_spends_no_probe() -> None:
    """The throttle stands before the breaker: whom it turns away was no try."""
    wire = Wire([*[500] * 4, later(503, "5"), 200])
    it = Together(wire)
    for _ in range(5):
        await outcome_of(it.outermost)
    assert it.breaker.state is BreakerState.OPEN
    await asyncio.sleep(2)
    assert await outcome_of(it.outermost) == 429
    await asyncio.sleep(3)
    assert await outcome_of(it.outermost) == 200
    assert wire.calls == 6


@virtual
async def test_a_second_try_is_not_the_probes_and_does_not_hold_its_place() -> None:
    wire = Wire([500])
    it = Together(wire, most=1)
    for _ in range(5):
        await outcome_of(it.outermost)
    await asyncio.sleep(1)
    wire.outcomes = [503, 200]
    assert await outcome_of(it.outermost) == 503
    assert (wire.calls, it.limit.active) == (6, 0)


@virtual
async def test_refusals_cost_the_budget_nothing_that_matters_and_the_platform_nothing_at_all() -> None:
    wire = Wire([httpx.ConnectError])
    it = Together(wire)
    for _ in range(1000):
        await outcome_of(it.outermost)
    assert wire.calls <= 7


@virtual
async def test_places_are_free_after_whatever_happened() -> None:
    wire = Wire(seconds=30.0)
    it = Together(wire, most=2)
    answers = await asyncio.gather(*(outcome_of(it.outermost) for _ in range(20)))
    assert Counter(answers) == {httpx.ReadTimeout: 2, DeadlineExceeded: 18}
    assert (it.limit.active, it.limit.queued) == (0, 0)


OUTCOMES: list[Outcome] = [
    *[200] * 4,
    404,
    429,
    500,
    503,
    later(429, "2"),
    later(503, "1"),
    httpx.ConnectError,
    httpx.ReadError,
]


class Noting(Wire):
    """Checks at the moment at which a call leaves what must hold then."""

    def __init__(self, scope: ThrottleScope) -> None:
        super().__init__()
        self.it = Together(self, scope=scope)
        self.broken: list[str] = []
        self._scope = scope
        self._closed_until: dict[object, float] = {}
        self._probes = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        now = asyncio.get_running_loop().time
        whom = request.extensions["viewer"] if self._scope is ThrottleScope.VIEWER else None
        probing = self.it.breaker.state is BreakerState.HALF_OPEN
        self._probes += probing
        held = {
            "left inside a window": now() >= self._closed_until.get(whom, 0.0),
            "beyond the limit": self.under_way < 4,
            "after its deadline": now() <= request.extensions["deadline"],
            "two probes": self._probes <= 1,
        }
        self.broken += [promise for promise, kept in held.items() if not kept]
        try:
            answer = await super().handle_async_request(request)
        finally:
            self._probes -= probing
        if answer.status_code == 429 or "retry-after" in answer.headers:
            until = now() + float(answer.headers.get("retry-after", "1"))
            self._closed_until[whom] = max(until, self._closed_until.get(whom, 0.0))
        return answer


@pytest.mark.parametrize("scope", ThrottleScope)
@pytest.mark.parametrize("seed", range(40))
def test_any_mixture_keeps_every_promise(seed: int, scope: ThrottleScope) -> None:
    chance = random.Random(seed)  # noqa: S311  not for secrets

    async def main() -> None:
        wire = Noting(scope)
        asking = []
        for _ in range(600):
            wire.outcomes, wire.seconds = [chance.choice(OUTCOMES)], chance.choice((0.0, 0.02, 0.3, 3.0))
            asked = outcome_of(
                wire.it.outermost,
                within=chance.choice((0.1, 2.0)),
                safe=chance.random() < 0.7,
                viewer=Viewer.named("acme", chance.randrange(1, 4)),
            )
            asking.append(asyncio.create_task(asked))
            if chance.random() < 0.1:
                chance.choice(asking).cancel()
            await asyncio.sleep(chance.choice((0.0, 0.0, 0.05, 0.3)))
        await asyncio.gather(*asking, return_exceptions=True)
        assert wire.broken == []
        assert (wire.it.limit.active, wire.it.limit.queued) == (0, 0)
        await asyncio.sleep(60)
        wire.outcomes, wire.seconds = [200], 0.0
        assert [await outcome_of(wire.it.outermost) for _ in range(5)] == [200] * 5

    run(main())

"""Whoever is told to come back later does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from adapters.contract import Viewer
from adapters.settings import ThrottleScope
from gateway.transports.throttle import CAPACITY, Throttle, is_turned_away
from tests.clock import virtual
from tests.transports.scripted import Count, Wire, ask, later, outcome_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ANN, BEN = Viewer.named("club", 1), Viewer.named("club", 2)


def throttled(wire: Wire, scope: ThrottleScope = ThrottleScope.PLATFORM) -> Throttle:
    return Throttle(wire, scope=scope, now=NOW.timestamp)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        pytest.param(later(429, "7"), 7, id="429, in seconds"),
        pytest.param(later(503, "7"), 7, id="503, in seconds"),
        pytest.param(later(429, format_datetime(NOW + timedelta(seconds=7), usegmt=True)), 7, id="429, as a date"),
        pytest.param(later(503, format_datetime(NOW + timedelta(seconds=7), usegmt=True)), 7, id="503, as a date"),
        pytest.param(later(429), 1, id="429, without"),
        pytest.param(later(429, "soon"), 1, id="429, in no form"),
        pytest.param(later(429, "0"), 1, id="429, at once"),
        pytest.param(later(429, "86400"), 300, id="429, tomorrow"),
        pytest.param(later(429, "29.7"), 30, id="429, a fraction"),
        pytest.param(later(503, "30.0"), 30, id="503, a fraction that is none"),
        pytest.param(later(429, "0.2"), 1, id="429, almost at once"),
        pytest.param(later(503, "7 s"), 7, id="503, with a unit"),
        pytest.param(later(429, "1m30s"), 90, id="429, with units"),
        pytest.param(later(429, (NOW + timedelta(seconds=7)).isoformat()), 7, id="429, as a time in ISO 8601"),
    ],
)
def test_no_call_leaves_before_then(answer: httpx.Response, seconds: int) -> None:
    @virtual
    async def main() -> None:
        wire, refused = Wire([answer, 200]), Count()
        gate = Throttle(wire, scope=ThrottleScope.PLATFORM, now=NOW.timestamp, refused=refused)
        first = await ask(gate)
        assert (first.status_code, first.headers["retry-after"]) == (answer.status_code, str(seconds))
        for _ in range(10):
            await asyncio.sleep(seconds / 11)
            again = await ask(gate)
            assert again.status_code == 429
            assert is_turned_away(again)
            assert int(again.headers["retry-after"]) >= 1
        assert (wire.calls, refused.times, gate.is_active) == (1, 10, True)
        await asyncio.sleep(seconds / 11 + 0.001)  # eleven parts may add up to less than the whole
        assert gate.is_active is False
        assert (await ask(gate)).status_code == 200
        assert wire.calls == 2

    main()


@pytest.mark.parametrize("answer", [200, 404, 500, later(502, "9"), 503])
def test_any_other_answer_holds_nobody_back(answer: int | httpx.Response) -> None:
    @virtual
    async def main() -> None:
        wire = Wire([answer, 200])
        gate = throttled(wire)
        await ask(gate)
        assert await outcome_of(gate) == 200

    main()


@virtual
async def test_without_a_hint_the_pauses_double_to_half_a_minute() -> None:
    wire = Wire([429])
    gate = throttled(wire)
    for _ in range(9):
        answer = await ask(gate)
        await asyncio.sleep(float(answer.headers["retry-after"]))
    gaps = [after - before for before, after in zip(wire.left, wire.left[1:], strict=False)]
    assert gaps == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30])


@virtual
async def test_a_pause_that_the_platform_names_doubles_nothing() -> None:
    gate = throttled(Wire([later(429, "3"), later(429, "3"), 429, 429]))
    pauses = []
    for _ in range(4):
        answer = await ask(gate)
        pauses.append(answer.headers["retry-after"])
        await asyncio.sleep(4)
    assert pauses == ["3", "3", "1", "2"]


@pytest.mark.parametrize("good", [200, 404])
def test_a_success_sets_the_pauses_back(good: int) -> None:
    @virtual
    async def main() -> None:
        gate = throttled(Wire([429, 429, good, 429]))
        pauses = []
        for _ in range(4):
            answer = await ask(gate)
            pauses.append(answer.headers.get("retry-after"))
            await asyncio.sleep(3)
        assert pauses == ["1", "2", None, "1"]

    main()


@virtual
async def test_a_failure_sets_nothing_back() -> None:
    gate = throttled(Wire([429, 500, 429]))
    pauses = []
    for _ in range(3):
        answer = await ask(gate)
        pauses.append(answer.headers.get("retry-after"))
        await asyncio.sleep(3)
    assert pauses == ["1", None, "2"]


@virtual
async def test_many_told_at_once_are_one_pause() -> None:
    wire = Wire([429], seconds=0.1)
    gate = throttled(wire)
    answers = await asyncio.gather(*(ask(gate) for _ in range(64)))
    assert {each.headers["retry-after"] for each in answers} == {"1"}
    await asyncio.sleep(1)
    assert (await ask(gate)).headers["retry-after"] == "2"
    assert wire.calls == 65


@virtual
async def test_one_who_had_left_before_is_told_so_after_the_pause_and_begins_it_again() -> None:
    wire = Wire([429], seconds=1.5)
    gate = throttled(wire)
    old = asyncio.create_task(ask(gate))
    await asyncio.sleep(0)
    wire.seconds = 0.1
    await ask(gate)
    assert (await old).headers["retry-after"] == "1"
    assert await outcome_of(gate) == 429
    assert wire.calls == 2


@virtual
async def test_the_longest_that_was_named_counts() -> None:
    wire = Wire([later(429, "9"), later(429, "2"), 200], seconds=0.1)
    gate = throttled(wire)
    await asyncio.gather(ask(gate), ask(gate))
    await asyncio.sleep(8.8)
    assert (await outcome_of(gate), wire.calls) == (429, 2)


@virtual
async def test_a_success_that_had_left_before_opens_nothing() -> None:
    wire = Wire([200, later(429, "9")], seconds=0.5)
    gate = throttled(wire)
    before = asyncio.create_task(ask(gate))
    await asyncio.sleep(0.1)
    wire.seconds = 0.1
    await ask(gate)
    assert (await before).status_code == 200
    assert await outcome_of(gate) == 429
    assert wire.calls == 2


@virtual
async def test_one_viewer_of_a_community_is_not_another() -> None:
    wire = Wire([later(429, "9"), 200])
    gate = throttled(wire, ThrottleScope.VIEWER)
    assert await outcome_of(gate, viewer=ANN) == 429
    assert await outcome_of(gate, viewer=BEN) == 200
    assert await outcome_of(gate, viewer=ANN) == 429
    assert wire.calls == 2


@virtual
async def test_all_viewers_of_a_pod_are_one() -> None:
    wire = Wire([later(429, "9"), 200])
    gate = throttled(wire)
    assert await outcome_of(gate, viewer=ANN) == 429
    assert await outcome_of(gate, viewer=BEN) == 429
    assert wire.calls == 1


@virtual
async def test_pauses_that_are_over_are_forgotten_first() -> None:
    wire = Wire([later(429, "300")])
    gate = throttled(wire, ThrottleScope.VIEWER)
    await ask(gate, viewer=ANN)
    wire.outcomes = [later(429, "9")]
    await ask(gate, viewer=BEN)
    wire.outcomes = [later(429, "300")]
    for user in range(3, CAPACITY + 1):
        await ask(gate, viewer=Viewer.named("club", user))
    await asyncio.sleep(10)
    await ask(gate, viewer=Viewer.named("club", CAPACITY + 1))
    calls = wire.calls
    for user in (1, *range(3, CAPACITY + 2)):
        assert await outcome_of(gate, viewer=Viewer.named("club", user)) == 429
    assert wire.calls == calls

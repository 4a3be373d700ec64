"""No more than so many at once, and nobody's place is lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import httpx
import pytest

from adapters.contract import DeadlineExceeded, Overloaded
from gateway.transports.limit import ConcurrencyLimit
from tests.clock import run, virtual
from tests.transports.scripted import Count, Wire, ask, outcome_of


def limited(wire: Wire, most: int = 2, line: int = 1000) -> ConcurrencyLimit:
    return ConcurrencyLimit(wire, platform="acme", most=most, line=line)


@virtual
async def test_no_more_than_so_many_are_on_the_wire() -> None:
    wire = Wire(seconds=0.1)
    limit = limited(wire)
    await asyncio.gather(*(ask(limit) for _ in range(10)))
    assert (wire.calls, wire.most) == (10, 2)


@virtual
async def test_first_come_first_served() -> None:
    order: list[int] = []

    async def one(number: int) -> None:
        await ask(limit, within=100.0)
        order.append(number)

    limit = limited(Wire(seconds=0.1), most=1)
    await asyncio.gather(*(one(number) for number in range(20)))
    assert order == list(range(20))


@virtual
async def test_who_is_in_line_at_its_deadline_never_leaves() -> None:
    wire = Wire(seconds=5.0)
    limit = limited(wire, most=1)
    asking = [asyncio.create_task(ask(limit, within=within)) for within in (5.0, 1.0, 6.0)]
    with pytest.raises(DeadlineExceeded) as caught:
        await asking[1]
    assert (wire.calls, limit.queued, caught.value.may_have_acted) == (1, 1, False)
    await asking[0]
    with pytest.raises(httpx.ReadTimeout):
        await asking[2]
    assert (wire.calls, limit.active, limit.queued) == (2, 0, 0)


@virtual
async def test_nobody_joins_a_line_that_is_too_long() -> None:
    wire, refused = Wire(seconds=1.0), Count()
    limit = ConcurrencyLimit(wire, platform="acme", most=1, line=2, refused=refused)
    asking = [asyncio.create_task(outcome_of(limit, within=9.0)) for _ in range(5)]
    await asyncio.sleep(0.5)
    assert (limit.active, limit.queued, refused.times) == (1, 2, 2)
    assert Counter(await asyncio.gather(*asking)) == {200: 3, Overloaded: 2}
    with pytest.raises(Overloaded) as caught:
        await asyncio.gather(*(ask(limit) for _ in range(4)))
    assert (caught.value.retry_after, caught.value.may_have_acted) == (1.0, False)


@virtual
async def test_a_failure_frees_its_place() -> None:
    wire = Wire([httpx.ConnectError])
    limit = limited(wire, most=1)
    assert [await outcome_of(limit) for _ in range(3)] == [httpx.ConnectError] * 3
    assert limit.active == 0


@virtual
async def test_who_leaves_the_line_takes_no_place_along() -> None:
    limit = limited(Wire(seconds=0.1), most=1)
    asking = [asyncio.create_task(ask(limit)) for _ in range(3)]
    await asyncio.sleep(0.05)
    asking[1].cancel()
    await asking[2]
    assert (limit.active, limit.queued) == (0, 0)


@virtual
async def test_who_leaves_at_the_moment_of_being_called_hands_the_place_on() -> None:
    limit = limited(Wire(seconds=0.1), most=1)
    asking = [asyncio.create_task(ask(limit)) for _ in range(3)]
    asking[0].add_done_callback(lambda _ended: asking[1].cancel())
    await asking[2]
    assert asking[1].cancelled()
    assert (limit.active, limit.queued) == (0, 0)


@pytest.mark.parametrize("seed", range(50))
def test_any_order_of_comings_and_goings_ends_with_all_places_free(seed: int) -> None:
    """Cancelled, timed out, failed or answered, at any moment; a lost place would stop those who come after."""
    chance = random.Random(seed)  # noqa: S311  not for secrets

    async def main() -> None:
        wire = Wire(seconds=0.1)
        limit = limited(wire, most=3)
        asking: list[asyncio.Task[object]] = []
        for _ in range(200):
            wire.seconds = chance.choice((0.0, 0.05, 0.1))
            asking.append(asyncio.create_task(outcome_of(limit, within=chance.choice((0.05, 0.1, 1.0)))))
            if chance.random() < 0.3:
                chance.choice(asking).cancel()
            if chance.random() < 0.5:
                await asyncio.sleep(chance.choice((0.0, 0.01, 0.05)))
        await asyncio.gather(*asking, return_exceptions=True)
        assert (limit.active, limit.queued) == (0, 0)
        assert wire.most <= 3
        wire.seconds, wire.most = 0.1, 0
        await asyncio.gather(*(ask(limit) for _ in range(3)))
        assert wire.most == 3

    run(main())

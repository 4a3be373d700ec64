"""One bad request is no outage, however often it is sent."""

from __future__ import annotations

import asyncio
from itertools import count

import httpx
import pytest

from adapters.contract import Unavailable, Viewer
from adapters.secret import Token
from gateway.health import BreakerState
from gateway.transports.breaker import Breaker
from gateway.transports.distinct_failures import CAPACITY, DistinctFailures
from tests.clock import run, virtual
from tests.transports.scripted import Outcome, Wire, outcome_of

OWN = Viewer.own("acme")
TOKENS = (Viewer("acme", b"key %d" % number, Token(f"text{number}")) for number in count())
AFTER_IT_LEFT: list[Outcome] = [500, 503, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError]
AFTER = pytest.mark.parametrize("failure", AFTER_IT_LEFT)


def guarded(*outcomes: Outcome) -> Breaker:
    return Breaker(Wire(outcomes), platform="acme")


@AFTER
def test_one_user_who_makes_it_fail_never_opens_it(failure: Outcome) -> None:
    async def main() -> None:
        breaker = guarded(failure)
        for _ in range(100):
            assert await outcome_of(breaker, viewer=next(TOKENS), users=(1,)) == failure
        assert breaker.state is BreakerState.CLOSED

    run(main())


@AFTER
def test_one_token_that_makes_it_fail_never_opens_it(failure: Outcome) -> None:
    async def main() -> None:
        breaker, viewer = guarded(failure), next(TOKENS)
        for user in range(100):
            assert await outcome_of(breaker, viewer=viewer, users=(user,)) == failure
        assert breaker.state is BreakerState.CLOSED

    run(main())


@virtual
async def test_one_user_never_opens_it_even_over_hours() -> None:
    breaker = guarded(500)
    for _ in range(100):
        await outcome_of(breaker, viewer=OWN, users=(1,))
        await asyncio.sleep(60)
    assert breaker.state is BreakerState.CLOSED


@virtual
async def test_four_users_in_turn_do_not_open_it() -> None:
    breaker = guarded(500)
    for number in range(100):
        await outcome_of(breaker, viewer=OWN, users=(number % 4,))
    assert breaker.state is BreakerState.CLOSED


@virtual
async def test_one_user_among_others_for_whom_it_works_does_not_open_it() -> None:
    """It is a failure among few, whatever share of the calls it is."""
    breaker = guarded(*[500, 500, 500, 200] * 50)
    for number in range(200):
        await outcome_of(breaker, viewer=OWN, users=(1,) if number % 4 < 3 else (number,))
    assert breaker.state is BreakerState.CLOSED


@AFTER
@pytest.mark.parametrize("viewers", ["one of ours", "many"])
def test_five_different_users_open_it_as_fast_as_ever(failure: Outcome, viewers: str) -> None:
    async def main() -> None:
        breaker = guarded(failure)
        for user in range(5):
            assert breaker.state is BreakerState.CLOSED
            await outcome_of(breaker, viewer=OWN if viewers == "one of ours" else next(TOKENS), users=(user,))
        assert breaker.state is not BreakerState.CLOSED

    run(main())


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError])
def test_nobody_is_to_blame_where_there_is_no_connection(failure: Outcome) -> None:
    async def main() -> None:
        breaker = guarded(failure)
        for _ in range(5):
            await outcome_of(breaker, viewer=OWN, users=(1,))
        assert breaker.state is not BreakerState.CLOSED

    run(main())


@virtual
async def test_logins_with_our_own_credential_blame_nobody() -> None:
    breaker = guarded(500)
    for _ in range(5):
        await outcome_of(breaker, viewer=None)
    assert breaker.state is BreakerState.OPEN


@virtual
async def test_a_login_for_one_user_is_about_that_user() -> None:
    breaker = guarded(500)
    for _ in range(100):
        await outcome_of(breaker, viewer=None, users=(1,))
    assert breaker.state is BreakerState.CLOSED


@virtual
async def test_one_page_of_a_list_is_one_question() -> None:
    breaker = guarded(500)
    for _ in range(100):
        assert await outcome_of(breaker, viewer=OWN, path="/list?offset=99999999") == 500
    for offset in range(4):
        assert await outcome_of(breaker, viewer=OWN, path=f"/list?offset={offset}") == 500
    assert breaker.state is BreakerState.OPEN


@virtual
async def test_batches_with_one_user_in_common_may_all_be_that_users_fault() -> None:
    breaker = guarded(500)
    for number in range(100):
        await outcome_of(breaker, viewer=OWN, users=(1, 1000 + number, 2000 + number))
    assert breaker.state is BreakerState.CLOSED


@virtual
async def test_who_shared_a_batch_with_the_one_to_blame_is_not_blamed_as_well() -> None:
    breaker = guarded(500)
    await outcome_of(breaker, viewer=OWN, users=(1, 2, 3, 4, 5))
    for user in range(1, 6):
        assert breaker.state is BreakerState.CLOSED
        await outcome_of(breaker, viewer=OWN, users=(user,))
    assert breaker.state is BreakerState.OPEN


@virtual
async def test_within_the_window_one_user_is_counted_once_whatever_works_meanwhile() -> None:
    breaker = guarded(*[500, 200] * 9, *[500] * 10)
    for user in range(9):
        await outcome_of(breaker, viewer=OWN, users=(user,))
        await outcome_of(breaker, viewer=OWN, users=(100,))
    for user in range(9):
        await outcome_of(breaker, viewer=OWN, users=(user,))
    assert breaker.state is BreakerState.CLOSED


@virtual
async def test_after_a_success_and_the_window_it_counts_again() -> None:
    breaker = guarded(500, 200, 500)
    await outcome_of(breaker, viewer=OWN, users=(0,))
    await outcome_of(breaker, viewer=OWN, users=(100,))
    await asyncio.sleep(11)
    for user in range(5):
        assert breaker.state is BreakerState.CLOSED
        await outcome_of(breaker, viewer=OWN, users=(user,))
    assert breaker.state is BreakerState.OPEN


@virtual
async def test_one_bad_request_can_not_be_every_probe() -> None:
    """Somebody who asks it all the time would find the breaker half-open before anybody else does."""
    wire = Wire([500])
    breaker = Breaker(wire, platform="acme")
    for user in range(5):
        await outcome_of(breaker, viewer=OWN, users=(user,))
    wire.outcomes = [200]
    await asyncio.sleep(1)
    assert await outcome_of(breaker, viewer=OWN, users=(0,)) is Unavailable
    assert await outcome_of(breaker, viewer=OWN, users=(100,)) == 200
    assert breaker.state is BreakerState.CLOSED


@virtual
async def test_a_bad_request_that_nobody_follows_is_a_probe_a_little_later() -> None:
    wire = Wire([500])
    breaker = Breaker(wire, platform="acme")
    for user in range(5):
        await outcome_of(breaker, viewer=OWN, users=(user,))
    wire.outcomes = [200]
    await asyncio.sleep(2)
    assert await outcome_of(breaker, viewer=OWN, users=(0,)) == 200
    assert breaker.state is BreakerState.CLOSED


def test_no_more_are_remembered_than_there_is_room_for() -> None:
    failures = DistinctFailures(10.0)
    for user in range(CAPACITY + 5):
        assert failures.add(0.0, frozenset({user}))
    assert [failures.has(0.0, frozenset({user})) for user in (0, 4, 5, CAPACITY)] == [False, False, True, True]

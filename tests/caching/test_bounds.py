"""However much is kept, there is a bound, and what is kept costs no lookup anything."""

from __future__ import annotations

import asyncio
import gc
import math
import sys
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest

from adapters.contract import Connection, Status, Viewer
from gateway.platforms.lookup.cache import PlatformCache, ResponseCache
from gateway.platforms.lookup.encoded import CachedConnection
from tests.caching.asking import ask, keeping, origin
from tests.clock import virtual
from tests.gateways import running

VIEWER = Viewer("acme", b"viewer")


def known(user: int, at: float = 0.0) -> CachedConnection:
    times = "2016-08-01T02:21:13.812Z", "2016-08-12T16:07:56.255Z"
    said = Connection(
        "acme", str(user), Status.PENDING_OUTGOING, "PENDING_OUTGOING", (), *times, 1, times[0], stale=False
    )
    return CachedConnection.of(said, at)


def fill(cache: PlatformCache, users: Iterable[int], at: float = 0.0) -> None:
    for user in users:
        cache.put(VIEWER.key, user, known(user, at))


def kept(cache: PlatformCache, users: Iterable[int]) -> list[int]:
    """Of these users, those of whom there is an entry, whatever its age."""
    return [user for user in users if cache.get_stale(VIEWER, user, -math.inf)]


@virtual
async def test_there_is_never_more_than_there_may_be_and_the_oldest_goes_first() -> None:
    cache = ResponseCache(10)
    one, other = cache.platform(5.0, 60.0), cache.platform(5.0, 60.0)
    fill(one, range(1, 8))
    fill(other, range(1, 8))
    assert len(cache) == 10
    assert kept(one, range(1, 8)) == [5, 6, 7]
    assert kept(other, range(1, 8)) == [*range(1, 8)]


@virtual
async def test_what_is_said_anew_is_the_youngest() -> None:
    whole = ResponseCache(3)
    cache = whole.platform(5.0, 60.0)
    fill(cache, (1, 2, 3, 1, 4))
    assert kept(cache, (1, 2, 3, 4)) == [1, 3, 4]


@virtual
async def test_what_is_too_old_goes_when_others_come() -> None:
    whole = ResponseCache(1000)
    cache = whole.platform(5.0, 60.0)
    fill(cache, range(100))
    await asyncio.sleep(61)
    fill(cache, range(100, 150), at=61.0)
    assert kept(cache, range(150)) == [*range(100, 150)]
    assert len(whole) == 50


@virtual
async def test_a_closed_cache_is_empty_and_stays_so() -> None:
    whole = ResponseCache(10)
    cache = whole.platform(5.0, 60.0)
    fill(cache, range(5))
    cache.close()
    fill(cache, range(5))
    assert len(whole) == 0


@pytest.mark.no_cover  # tracing would be measured as well
@virtual
async def test_an_entry_takes_at_most_a_kilobyte() -> None:
    """Even where each has a viewer of its own."""
    whole = ResponseCache(100_000)
    cache = whole.platform(5.0, 60.0)
    viewers = [b"viewer %010d" % number for number in range(20_000)]
    tracemalloc.start()
    try:
        for number, viewer in enumerate(viewers):
            cache.put(viewer, 10**12 + number, known(10**12 + number))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(viewers) < 1024


async def test_the_bound_is_the_configurations() -> None:
    async with running(cache={"max_entries": 3}) as gateway:
        for user in range(1000, 1004):
            await gateway.client.get(f"/v1/connections/club/{user}")
        found = [origin(await gateway.client.get(f"/v1/connections/club/{user}")) for user in (1003, 1000)]
        assert found == ["hit", "fwd=miss"]


@virtual
async def test_a_hit_takes_as_many_steps_among_many_entries_as_among_few() -> None:
    async with keeping(fresh_for=600.0) as gateway:
        steps = []
        for users in (range(1000, 1010), range(1010, 2000)):
            for user in users:
                await ask(gateway, user)
            steps.append(await _steps(gateway))
        assert abs(steps[1] - steps[0]) < 50  # a callback or two have their turn meanwhile; 990 would be one for each
        assert gateway.acme.calls == 1000


async def _steps(gateway: Any) -> int:
    """Calls of functions, Python's and C's, in one lookup of what is kept."""
    await ask(gateway, 1005)
    counted = 0

    def count(_frame: Any, event: str, _what: Any) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        answer = await ask(gateway, 1005)
    finally:
        sys.setprofile(before)
    assert origin(answer) == "hit"
    return counted

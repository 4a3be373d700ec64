"""What a platform lists."""

from __future__ import annotations

import httpx
import pytest

from adapters.contract import (
    Connection,
    Entry,
    Forbidden,
    InvalidAnswer,
    InvalidPosition,
    PlatformError,
    Position,
    ServerError,
    Status,
    Throttled,
)
from adapters.simulation.faults import Fault
from adapters.user_ids import UserKey
from tests.contract.dialects import BROKEN_EVERYWHERE, Platform, where
from tests.wire import InProcess

PENDING = {Status.PENDING_INCOMING, Status.PENDING_OUTGOING}
ALL = set(Status) - {Status.NONE}


async def whole(platform: Platform, statuses: set[Status], limit: int = 500) -> list[Entry]:
    """Page by page, from the start to the end."""
    entries: list[Entry] = []
    position: Position | None = None
    while True:
        page = await platform.adapter.list(platform.viewer, statuses, position, limit)
        assert len(page.entries) <= limit
        entries += page.entries
        position = page.next
        if position is None:
            return entries


def users(entries: list[Entry]) -> set[UserKey]:
    return {entry.user_id for entry in entries if entry.user_id is not None}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (PENDING, {102, 103}),
        ({Status.PENDING_INCOMING}, {102}),
        ({Status.PENDING_OUTGOING}, {103}),
        ({Status.REJECTED}, {104}),
        ({Status.CONNECTED}, {101, *range(1000, 2000)}),
        ({Status.PENDING_INCOMING, Status.REJECTED}, {102, 104}),
        (ALL, {101, 102, 103, 104, *range(1000, 2000)}),
    ],
)
async def test_a_list_lists_exactly_the_statuses_asked_for(
    platform: Platform, statuses: set[Status], expected: set[int]
) -> None:
    if Status.REJECTED not in platform.adapter.STATUSES:
        expected = expected - {104}
    statuses = statuses & platform.adapter.STATUSES
    if not statuses:
        return
    entries = await whole(platform, statuses)
    assert users(entries) == set(platform.ids(*expected))
    assert len(entries) == len(expected)
    assert {entry.found.status for entry in entries if isinstance(entry.found, Connection)} == statuses


async def test_an_entry_says_what_a_lookup_says(platform: Platform) -> None:
    for entry in await whole(platform, PENDING):
        assert entry.user_id is not None
        alone = await platform.read(entry.user_id)
        assert isinstance(entry.found, Connection)
        assert (entry.found.status, entry.found.native_status) == (alone.status, alone.native_status)
        assert (entry.found.user_id, entry.found.actions) == (str(entry.user_id), alone.actions)


async def test_a_request_says_when_it_was_made(platform: Platform) -> None:
    for entry in await whole(platform, PENDING):
        assert isinstance(entry.found, Connection)
        assert entry.found.first_requested_at is not None


@pytest.mark.parametrize("limit", [1, 7, 100, 500])
async def test_pages_of_any_size_hold_the_same(platform: Platform, limit: int) -> None:
    entries = await whole(platform, ALL & platform.adapter.STATUSES if limit > 1 else PENDING, limit)
    everybody = 1003 + (Status.REJECTED in platform.adapter.STATUSES)
    assert len(users(entries)) == len(entries) == (everybody if limit > 1 else 2)


async def test_a_page_may_be_cut_behind_any_entry(platform: Platform) -> None:
    first = await platform.adapter.list(platform.viewer, {Status.CONNECTED}, None, 50)
    seen = {entry.user_id for entry in first.entries[:20]}
    rest = await platform.adapter.list(platform.viewer, {Status.CONNECTED}, first.entries[19].position, 50)
    assert rest.entries[0].user_id == first.entries[20].user_id
    assert users(list(rest.entries)).isdisjoint(seen)


@where(lambda dialect: dialect.counts)
async def test_a_list_says_how_many_more_there_are(platform: Platform) -> None:
    page = await platform.adapter.list(platform.viewer, {Status.CONNECTED}, None, 50)
    assert page.remaining == 1001 - 50


@pytest.mark.parametrize("position", [Position(255, 0), Position(255, 102), Position(3, 1)])
async def test_a_position_that_is_not_its_own_is_refused_before_anything_is_asked(
    platform: Platform, position: Position
) -> None:
    with pytest.raises(InvalidPosition):
        await platform.adapter.list(platform.viewer, PENDING, position, 10)
    assert platform.simulator.calls.by_path == {}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=403), Forbidden),
        (Fault(status=429), Throttled),
        (Fault(status=500), ServerError),
        (Fault(status=404), InvalidAnswer),
        (Fault(status=400), InvalidAnswer),
    ],
)
async def test_a_list_that_is_refused_is_typed(platform: Platform, fault: Fault, kind: type[PlatformError]) -> None:
    await platform.adapter.identify()
    platform.simulator.misbehave(fault)
    with pytest.raises(kind):
        await platform.adapter.list(platform.viewer, PENDING, None, 10)


@pytest.mark.parametrize("body", BROKEN_EVERYWHERE.values(), ids=BROKEN_EVERYWHERE)
async def test_nonsense_is_an_invalid_answer(platform: Platform, body: str) -> None:
    if len(body) > 1024 * 1024:
        body = '"' + "x" * 17 * 1024 * 1024 + '"'
    platform.simulator.misbehave(Fault(path=platform.dialect.list_path, body=body))
    with pytest.raises(InvalidAnswer):
        await platform.adapter.list(platform.viewer, PENDING, None, 10)


async def test_a_list_is_safe_to_repeat(platform: Platform) -> None:
    seen: list[httpx.Request] = []

    async def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return await InProcess(platform.simulator).handle_async_request(request)

    await platform.connect(httpx.MockTransport(note)).list(platform.viewer, ALL & platform.adapter.STATUSES, None, 10)
    assert {request.extensions["safe"] for request in seen} == {True}

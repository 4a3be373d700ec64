"""Entries of lists that make no sense, or are written in a rarer way: none spoils another."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.contract import Connection, Entry, InvalidAnswer, Status
from adapters.simulation.faults import Fault
from tests.contract.dialects import DIALECTS, Platform, where

INCOMING = {Status.PENDING_INCOMING}
NAMELESS = [
    pytest.param(dialect, entry, id=f"{dialect.adapter}-{what}")
    for dialect in DIALECTS
    for what, entry in dialect.nameless.items()
]


async def listed(platform: Platform, *entries: Any, limit: int = 10) -> list[Entry]:
    """What the adapter makes of these entries, page by page."""
    body = platform.dialect.listed(list(entries))
    platform.simulator.misbehave(Fault(path=platform.dialect.list_path, body=body))
    found: list[Entry] = []
    page = await platform.adapter.list(platform.viewer, INCOMING, None, limit)
    found += page.entries
    while page.next is not None and len(found) < 2 * len(entries):
        page = await platform.adapter.list(platform.viewer, INCOMING, page.next, limit)
        found += page.entries
    return found


@pytest.mark.parametrize(("dialect", "nameless"), NAMELESS, indirect=["dialect"])
async def test_an_entry_that_names_no_user_is_an_error_alone(platform: Platform, nameless: Any) -> None:
    incoming = platform.dialect.incoming
    first, last = platform.ids(101, 103)
    entries = await listed(platform, incoming(first), nameless, incoming(last))
    good = [entry for entry in entries if isinstance(entry.found, Connection)]
    assert [entry.user_id for entry in good] == [first, last]
    (bad,) = [entry for entry in entries if entry not in good]
    assert (bad.user_id, type(bad.found)) == (None, InvalidAnswer)


async def test_a_list_of_nothing_else_is_no_failure(platform: Platform) -> None:
    nameless = list(platform.dialect.nameless.values())
    entries = await listed(platform, *nameless)
    assert {(entry.user_id, type(entry.found)) for entry in entries} == {(None, InvalidAnswer)}


async def test_an_odd_entry_is_told_on_one_page(platform: Platform) -> None:
    """Also where it would be one more than fits."""
    nameless = next(iter(platform.dialect.nameless.values()))
    named = platform.ids(101, 102)
    body = platform.dialect.listed([*map(platform.dialect.incoming, named), nameless])
    platform.simulator.misbehave(Fault(path=platform.dialect.list_path, body=body))
    page = await platform.adapter.list(platform.viewer, INCOMING, None, 2)
    assert [entry.user_id for entry in page.entries] == [*named]
    assert page.next is not None


AMONG_MANY = [
    pytest.param(dialect, entry, id=f"{dialect.adapter}-{what}")
    for dialect in DIALECTS
    if dialect.many is not None and isinstance(dialect.many({}), list)
    for what, entry in dialect.nameless.items()
]
"""A read of many that goes by user has no entry that names none."""


@pytest.mark.parametrize(("dialect", "nameless"), AMONG_MANY, indirect=["dialect"])
async def test_an_odd_entry_spoils_nobody_whom_a_read_of_many_names(platform: Platform, nameless: Any) -> None:
    """Whom that leaves out may be the one whom it should have named, and is not called `none`."""
    user, left_out = platform.ids(101, 102)
    body = [*platform.many({user: platform.word(Status.CONNECTED)}), nameless]
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, body=body))
    found = await platform.adapter.read(platform.viewer, (user, left_out))
    assert isinstance(found[user], Connection)
    assert isinstance(found[left_out], InvalidAnswer)


ISO = where(lambda dialect: dialect.incoming_at is not None)


@where(lambda dialect: dialect.incoming_at is not None)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05t09:30:00z", "2026-01-05T09:30:00.000Z"),
        ("2026-01-05t10:30:00.5+01:00", "2026-01-05T09:30:00.500Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
        ("2016-12-31T23:59:60.25z", "2016-12-31T23:59:59.999Z"),
        ("2017-01-01T00:59:60+01:00", "2016-12-31T23:59:59.999Z"),
        ("20161231T235960Z", "2016-12-31T23:59:59.999Z"),
    ],
)
async def test_a_time_may_be_written_as_rfc_3339_allows(platform: Platform, text: str, expected: str) -> None:
    assert platform.dialect.incoming_at is not None
    (entry,) = await listed(platform, platform.dialect.incoming_at(platform.id(102), text))
    assert isinstance(entry.found, Connection)
    assert entry.found.first_requested_at == expected


@ISO
@pytest.mark.parametrize("text", ["2026-01-05T09:30:61Z", "2026-01-05T09:60:60Z", "60", ":60", "x:60Z"])
async def test_a_time_that_is_none_is_its_entrys_alone(platform: Platform, text: str) -> None:
    incoming, incoming_at = platform.dialect.incoming, platform.dialect.incoming_at
    assert incoming_at is not None
    first, second, third = platform.ids(101, 102, 103)
    entries = await listed(platform, incoming(first), incoming_at(second, text), incoming(third))
    assert [type(entry.found) for entry in entries] == [Connection, InvalidAnswer, Connection]

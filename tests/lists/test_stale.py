"""Pending requests of a platform that can't be asked are told as they were lately, and say that they are stale."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.contract import Connection, Entry, Forbidden, Position, Status, Unreachable, UserNotFound, Viewer
from adapters.simulation.faults import Fault
from gateway.platforms.list_cache import ListCache, PageKey
from gateway.platforms.platform_page import PlatformPage
from tests import clock
from tests.gateways import CALLERS, OWN, Gateway, running
from tests.lists.asking import PENDING, get, listed, names, slugs

CACHED = {"fresh_for": 5, "stale_for": 60}


@pytest.fixture
async def cached() -> AsyncIterator[Gateway]:
    async with running(OWN, cache=CACHED) as gateway:
        yield gateway


def stale(page: dict[str, Any]) -> list[str]:
    return [f"{each['platform']}/{each['user_id']}" for each in page["connections"] if each["stale"]]


@pytest.mark.parametrize(
    ("fault", "slug"),
    [
        (Fault(status=500), "platform-error"),
        (Fault(drop=True), "platform-unreachable"),
        (Fault(status=429, retry_after=9), "platform-throttled"),
    ],
    ids=str,
)
async def test_a_platform_that_fails_is_told_as_stale(cached: Gateway, fault: Fault, slug: str) -> None:
    before = await listed(cached)
    cached.club.misbehave(fault)
    answer = await get(cached)
    page = answer.json()
    assert names(page) == PENDING
    assert stale(page) == ["club/102", "club/103"]
    assert [each["as_of"] for each in page["connections"][2:]] == [
        each["as_of"] for each in before["connections"][2:]
    ]
    assert (slugs(page), page["complete"]) == ({"club": slug}, False)
    assert answer.headers["cache-status"] == f"connection-gateway; fwd=stale; detail={slug}"


def test_its_age_is_told_and_ends() -> None:
    async def main() -> None:
        async with running(OWN, cache=CACHED, request_timeout=2.0) as gateway:
            await listed(gateway)
            gateway.club.misbehave(Fault(delay=100))
            await asyncio.sleep(20)
            answer = await get(gateway)
            assert (stale(answer.json()), answer.headers["age"]) == (["club/102", "club/103"], "22")
            await asyncio.sleep(60)
            page = await listed(gateway)
            assert (names(page), slugs(page)) == (PENDING[:2], {"club": "platform-timeout"})

    clock.run(main())


async def test_lists_are_read_live_as_long_as_that_works(cached: Gateway) -> None:
    await listed(cached)
    cached.club.platform.set_connection(1, 102, None)
    page = await listed(cached)
    assert (names(page), stale(page)) == ([*PENDING[:2], "club/103"], [])


async def test_what_was_read_last_is_told(cached: Gateway) -> None:
    await listed(cached)
    cached.club.platform.set_connection(1, 102, None)
    await listed(cached)
    cached.club.misbehave(Fault(status=500))
    assert stale(await listed(cached)) == ["club/103"]


@pytest.mark.parametrize("header", ["no-cache", "max-age=30"])
async def test_who_wants_no_stale_answer_gets_none(cached: Gateway, header: str) -> None:
    await listed(cached)
    cached.club.misbehave(Fault(status=500))
    page = await listed(cached, **{"Cache-Control": header})
    assert (names(page), slugs(page)) == (PENDING[:2], {"club": "platform-error"})


@pytest.mark.parametrize("query", [(("status", "connected"),), (("status", "all"),), (("user_id", 102),)])
async def test_only_pending_requests_are_kept(cached: Gateway, query: tuple[tuple[str, str | int], ...]) -> None:
    before = await listed(cached, ("platform", "club"), *query)
    assert names(before)
    cached.club.misbehave(Fault(status=500))
    assert names(await listed(cached, ("platform", "club"), *query)) == []


async def test_each_page_goes_on_with_the_next(cached: Gateway) -> None:
    query = (("platform", "acme"), ("limit", 1))
    first = await listed(cached, *query)
    second = await listed(cached, *query, ("cursor", first["next_cursor"]))
    cached.acme.misbehave(Fault(status=500))
    again = await listed(cached, *query)
    assert (stale(again), again["next_cursor"]) == (["acme/102"], first["next_cursor"])
    page = await listed(cached, *query, ("cursor", again["next_cursor"]))
    assert (stale(page), page["next_cursor"]) == (names(second), None)


async def test_an_action_ends_what_was_kept(cached: Gateway) -> None:
    await listed(cached)
    assert (await cached.client.post("/v1/connections/club/102/accept")).status_code == 200
    cached.club.misbehave(Fault(path="connection", status=500))
    assert names(await listed(cached)) == PENDING[:2]


async def test_what_began_before_an_action_ended_is_not_kept(cached: Gateway) -> None:
    cached.club.misbehave(Fault(path="requests_sent", delay=0.2, times=1))
    reading = asyncio.create_task(listed(cached))
    await asyncio.sleep(0.05)
    assert (await cached.client.post("/v1/connections/club/102/accept")).status_code == 200
    assert "club/102" in names(await reading)
    cached.club.misbehave(Fault(path="connection", status=500))
    assert names(await listed(cached)) == PENDING[:2]


async def test_a_refused_credential_ends_what_was_kept() -> None:
    headers = {"sessionToken": "demo", "Authorization": "Bearer demo"}
    async with running(CALLERS, cache=CACHED) as gateway:
        await listed(gateway, **headers)
        gateway.club.misbehave(Fault(path="connection", status=401))
        assert slugs(await listed(gateway, **headers)) == {"club": "credential-refused"}
        gateway.club.misbehave(Fault(path="connection", status=500))
        assert names(await listed(gateway, **headers)) == PENDING[:2]


async def test_nobody_is_told_what_another_viewer_saw() -> None:
    async with running(CALLERS, cache=CACHED) as gateway:
        gateway.club.platform.tokens.accept("token-of-105", 105)
        await listed(gateway, Authorization="Bearer demo")
        gateway.club.misbehave(Fault(path="connection", status=500))
        page = await listed(gateway, ("platform", "club"), Authorization="Bearer token-of-105")
        assert (names(page), slugs(page)) == ([], {"club": "platform-error"})


async def test_without_a_cache_nothing_is_kept(gateway: Gateway) -> None:
    await listed(gateway)
    gateway.club.misbehave(Fault(status=500))
    assert names(await listed(gateway)) == PENDING[:2]


VIEWER, OTHER = Viewer.named("club", 1), Viewer.named("club", 2)
INBOX = frozenset({Status.PENDING_INCOMING})


def page_of(*users: int) -> PlatformPage:
    found = (
        Connection("club", str(user), Status.PENDING_INCOMING, None, (), None, None, None, "2026-11-21T21:41:00.123Z")
        for user in users
    )
    return PlatformPage([Entry(int(each.user_id), each, Position(0, 1)) for each in found])


def key(limit: int = 100) -> PageKey:
    return PageKey(INBOX, None, limit)


def test_all_pages_together_are_bounded() -> None:
    cache = ListCache(10)
    lists = [cache.platform(5, 60), cache.platform(5, 60)]
    for number in range(100):
        with lists[number % 2].reading(VIEWER) as read:
            lists[number % 2].put(VIEWER, key(number + 1), read, page_of(*range(1, 1 + number % 12)), 0.0)
        assert len(cache) <= 10
    assert len(cache) > 0
    for each in lists:
        each.close()
    assert len(cache) == 0


@pytest.mark.parametrize(
    ("error", "user", "is_kept"),
    [
        (UserNotFound("club", ""), 7, False),
        (Forbidden("club", ""), 7, False),
        (UserNotFound("club", ""), 8, True),
        (Forbidden("club", ""), None, False),
        (Unreachable("club", ""), None, True),
    ],
    ids=str,
)
def test_a_refusal_ends_the_pages_that_it_is_about(error: Any, user: int | None, is_kept: bool) -> None:
    lists = ListCache(100).platform(5, 60)
    for viewer in (VIEWER, OTHER):
        with lists.reading(viewer) as read:
            lists.put(viewer, key(), read, page_of(7), 0.0)
    lists.on_refusal(VIEWER, user, error)
    assert (lists.get(VIEWER, key(), 1.0) is not None) is is_kept
    assert lists.get(OTHER, key(), 1.0) is not None

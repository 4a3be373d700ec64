"""What a platform says about one user, in the common schema."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from adapters.contract import Action, PlatformError, Status, UserNotFound, Viewer
from adapters.simulation.faults import Fault
from tests.contract.dialects import DIALECTS, Dialect, Platform

WORDS = [
    pytest.param(each, word, status, id=f"{each.adapter}-{word}")
    for each in DIALECTS
    for word, status in each.words.items()
]


@pytest.mark.parametrize(("dialect", "word", "status"), WORDS, indirect=["dialect"])
async def test_every_word_has_its_status(platform: Platform, word: str | None, status: Status) -> None:
    platform.simulator.platform.set_connection(platform.id(1), platform.user, word)
    found = await platform.read()
    assert (found.status, found.native_status) == (status, None if platform.dialect.is_wordless else word)


@pytest.mark.parametrize(("dialect", "word", "status"), WORDS, indirect=["dialect"])
async def test_actions_are_those_declared_for_the_status(
    platform: Platform, word: str | None, status: Status
) -> None:
    platform.simulator.platform.set_connection(platform.id(1), platform.user, word)
    assert (await platform.read()).actions == platform.adapter.ACTIONS[status]


async def test_an_answer_names_its_platform_and_user(platform: Platform) -> None:
    platform.simulator.platform.set_connection(platform.id(1), platform.user, next(iter(platform.dialect.words)))
    found = await platform.read()
    assert (found.platform, found.user_id, found.stale) == ("acme", str(platform.user), False)


async def test_an_answer_says_when_the_platform_said_so(platform: Platform) -> None:
    before = datetime.now(UTC)
    as_of = datetime.fromisoformat((await platform.read(platform.id(101))).as_of)
    assert abs((as_of - before).total_seconds()) < 60


async def test_absent_fields_are_null(platform: Platform) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), body=platform.dialect.good))
    found = await platform.read()
    assert (found.first_requested_at, found.updated_at, found.request_count) == (None, None, None)


async def test_unknown_fields_are_ignored(platform: Platform) -> None:
    body = platform.dialect.good.replace("{", '{"new": {"deep": [1, null]}, ', 1)
    platform.simulator.misbehave(Fault(path=str(platform.user), body=body))
    assert (await platform.read()).status is Status.CONNECTED


async def test_a_404_is_read_as_the_platform_means_it(platform: Platform) -> None:
    if platform.dialect.says_who_exists:
        with pytest.raises(UserNotFound):
            await platform.read(platform.stranger)
    else:
        found = await platform.read(platform.stranger)
        assert (found.status, found.native_status, found.actions) == (Status.NONE, None, (Action.REQUEST,))


async def test_each_404_in_the_platforms_own_words_counts(platform: Platform) -> None:
    dialect = platform.dialect
    first: Status | type[PlatformError] = UserNotFound if dialect.says_who_exists else Status.NONE
    for body, meaning in {dialect.not_found: first, **dialect.more_not_found}.items():
        platform.simulator.misbehave(Fault(path=str(platform.user), status=404, body=body))
        if isinstance(meaning, Status):
            assert (await platform.read()).status is meaning
        else:
            with pytest.raises(meaning):
                await platform.read()


async def test_the_largest_user_id_survives(platform: Platform) -> None:
    me, largest = platform.ids(1, 2**63 - 1)
    platform.simulator.platform.set_connection(me, largest, next(iter(platform.dialect.words)))
    assert (await platform.read(largest)).user_id == str(largest)


async def test_a_read_is_one_call(platform: Platform) -> None:
    await platform.read(platform.id(101))
    assert platform.simulator.calls.calls == 1


async def test_every_call_says_what_the_policies_must_know(platform: Platform) -> None:
    seen: list[httpx.Request] = []

    async def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return await httpx.ASGITransport(platform.simulator).handle_async_request(request)

    before = asyncio.get_running_loop().time()
    await platform.read(platform.id(101), platform.connect(httpx.MockTransport(note), timeout=5.0))
    after = asyncio.get_running_loop().time()
    *logins, read = (request.extensions for request in seen)
    assert (read["safe"], read["viewer"]) == (True, platform.viewer)
    assert all((each["safe"], each["viewer"]) == (True, None) for each in logins)
    assert all(before + 5.0 <= each["deadline"] <= after + 5.0 for each in (*logins, read))


async def test_the_platform_says_whom_it_takes_us_for(platform: Platform) -> None:
    identity = await platform.adapter.identify()
    assert identity is not None
    assert (identity.user_id, identity.name) == (platform.id(1), platform.dialect.own_name)


def test_the_declarations_are_total(platform: Platform) -> None:
    assert set(platform.adapter.ACTIONS) == set(Status)
    assert {status for status, actions in platform.adapter.ACTIONS.items() if actions} <= platform.adapter.STATUSES
    assert Status.NONE in platform.adapter.STATUSES
    assert platform.adapter.batch_size >= 1


def test_every_status_the_platform_can_say_is_in_the_dialect(dialect: Dialect) -> None:
    """A rejected request may be told in lists alone."""
    assert set(dialect.words.values()) | {Status.REJECTED} >= dialect.statuses >= set(dialect.words.values())


async def test_a_viewer_of_another_platform_is_another_viewer(platform: Platform) -> None:
    assert Viewer.own("acme") == platform.viewer
    assert len({Viewer.own("acme"), platform.viewer, Viewer.own("club")}) == 2

"""What a platform says about many users at once: the same as of each alone."""

from __future__ import annotations

import httpx
import pytest

from adapters.contract import (
    Connection,
    InvalidAnswer,
    OwnCredentialRefused,
    PlatformError,
    ServerError,
    Status,
    Throttled,
    UserNotFound,
)
from adapters.simulation.faults import Fault
from tests.contract.dialects import BATCHING, BROKEN_EVERYWHERE, Platform
from tests.wire import InProcess

MANY = range(1000, 1200)
pytestmark = BATCHING


async def test_a_user_stands_where_it_stands_alone(platform: Platform) -> None:
    words = platform.dialect.words.values()
    users = dict(zip(platform.ids(*range(5000, 5000 + len(words))), words, strict=True))
    for user, status in users.items():
        platform.set(user, status)
    found = await platform.adapter.read(platform.viewer, tuple(users))
    alone = {user: await platform.read(user) for user in users}
    for user, status in users.items():
        connection = found[user]
        assert isinstance(connection, Connection)
        assert connection.status is status
        assert (connection.platform, connection.user_id) == ("acme", str(user))
        assert connection.native_status == platform.word(status)
        assert connection.actions == alone[user].actions
        assert connection.updated_at == alone[user].updated_at


async def test_two_hundred_users_are_one_call(platform: Platform) -> None:
    found = await platform.adapter.read(platform.viewer, platform.ids(*MANY))
    assert {each.status for each in found.values() if isinstance(each, Connection)} == {Status.CONNECTED}
    assert (len(found), platform.simulator.calls.calls) == (200, 1)


async def test_a_full_batch_of_the_longest_ids_fits(platform: Platform) -> None:
    largest = 2**63 - 1
    users = platform.ids(*range(largest - platform.adapter.batch_size, largest))
    platform.set(users[0], Status.CONNECTED)
    sent: list[httpx.Request] = []

    async def note(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return await InProcess(platform.simulator).handle_async_request(request)

    found = await platform.connect(httpx.MockTransport(note)).read(platform.viewer, users)
    assert set(found) == set(users)
    assert all(len(request.url.raw_path) < 7000 for request in sent)


async def test_whom_the_platform_leaves_out_is_as_it_means_it(platform: Platform) -> None:
    found = await platform.adapter.read(platform.viewer, (platform.id(101), platform.stranger))
    stranger = found[platform.stranger]
    if platform.dialect.says_who_exists:
        assert isinstance(stranger, UserNotFound)
    else:
        assert isinstance(stranger, Connection)
        assert stranger.status is Status.NONE


async def test_whom_nobody_asked_for_is_ignored(platform: Platform) -> None:
    word = platform.word(Status.CONNECTED)
    first, second, third = platform.ids(101, 102, 103)
    body = platform.many({first: word, second: word, third: word})
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, body=body))
    assert set(await platform.adapter.read(platform.viewer, (first, second))) == {first, second}


async def test_a_word_that_makes_no_sense_is_its_users_alone(platform: Platform) -> None:
    first, second = platform.ids(101, 102)
    body = platform.many({first: platform.word(Status.CONNECTED), second: "blocked"})
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, body=body))
    found = await platform.adapter.read(platform.viewer, (first, second))
    assert isinstance(found[first], Connection)
    assert isinstance(found[second], InvalidAnswer)
    assert "blocked" not in str(found[second])


@pytest.mark.parametrize("body", BROKEN_EVERYWHERE.values(), ids=BROKEN_EVERYWHERE)
async def test_nonsense_is_an_invalid_answer_for_all(platform: Platform, body: str) -> None:
    if len(body) > 1024 * 1024:
        body = '"' + "x" * 17 * 1024 * 1024 + '"'
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, body=body))
    with pytest.raises(InvalidAnswer) as caught:
        await platform.adapter.read(platform.viewer, platform.ids(101, 102))
    assert caught.value.refusal is None


@pytest.mark.parametrize("status", [400, 403, 404, 413, 414])
async def test_a_batch_that_is_refused_as_such_says_so(platform: Platform, status: int) -> None:
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, status=status))
    with pytest.raises(PlatformError) as caught:
        await platform.adapter.read(platform.viewer, platform.ids(101, 102))
    assert caught.value.refusal == status


@pytest.mark.parametrize(
    ("status", "kind"), [(401, OwnCredentialRefused), (429, Throttled), (500, ServerError), (405, InvalidAnswer)]
)
async def test_a_batch_that_fails_otherwise_does_not(
    platform: Platform, status: int, kind: type[PlatformError]
) -> None:
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, status=status))
    with pytest.raises(kind) as caught:
        await platform.adapter.read(platform.viewer, platform.ids(101, 102))
    assert caught.value.refusal is None


async def test_a_read_of_many_is_safe_to_repeat(platform: Platform) -> None:
    seen: list[httpx.Request] = []

    async def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return await InProcess(platform.simulator).handle_async_request(request)

    await platform.connect(httpx.MockTransport(note)).read(platform.viewer, platform.ids(105, 101))
    assert {request.extensions["safe"] for request in seen} == {True}
    assert seen[-1].extensions["viewer"] == platform.viewer

"""A credential that can speak for any user: each viewer's own answers, sessions and refusals."""

from __future__ import annotations

import asyncio

import pytest

from adapters.contract import Action, Adapter, PlatformError, Status, Viewer
from adapters.settings import ViewerSource
from adapters.simulation.faults import Fault
from tests.contract.dialects import NAMING, Platform
from tests.wire import InProcess

pytestmark = NAMING
VIEWERS = [101, 102, 103]
STATUSES = [Status.CONNECTED, Status.PENDING_OUTGOING, Status.PENDING_INCOMING]
"""How each of them stands with viewer 1."""


@pytest.fixture
def speaking(platform: Platform) -> Adapter:
    return platform.connect(InProcess(platform.simulator), **(platform.dialect.named or {}))


async def statuses_of(platform: Platform, speaking: Adapter) -> list[Status]:
    found = await asyncio.gather(*(platform.read(1, speaking, Viewer.named("acme", viewer)) for viewer in VIEWERS))
    return [each.status for each in found]


async def test_the_mode_says_that_viewers_are_named(platform: Platform, speaking: Adapter) -> None:
    assert speaking.viewer_source is ViewerSource.NAMED
    assert platform.adapter.viewer_source is ViewerSource.OWN


async def test_each_viewer_has_its_own_answer(platform: Platform, speaking: Adapter) -> None:
    assert await statuses_of(platform, speaking) == STATUSES


async def test_each_viewer_keeps_its_own_answer_when_all_sessions_expire(
    platform: Platform, speaking: Adapter
) -> None:
    for _ in range(3):
        assert await statuses_of(platform, speaking) == STATUSES
        platform.simulator.misbehave(Fault(expire_sessions=True))


async def test_each_viewer_has_its_own_list(speaking: Adapter) -> None:
    for viewer, status in zip(VIEWERS, STATUSES, strict=True):
        page = await speaking.list(Viewer.named("acme", viewer), {status}, None, 10)
        assert [entry.user_id for entry in page.entries] == [1]


async def test_each_viewer_acts_for_itself(platform: Platform, speaking: Adapter) -> None:
    viewer = Viewer.named("acme", 103)
    done = await speaking.act(viewer, 1, Action.ACCEPT, await speaking.read_before(viewer, 1))
    assert done.status is Status.CONNECTED
    assert await statuses_of(platform, speaking) == [Status.CONNECTED, Status.PENDING_OUTGOING, Status.CONNECTED]


async def test_a_call_is_repeated_once(platform: Platform, speaking: Adapter) -> None:
    await statuses_of(platform, speaking)
    platform.simulator.calls.reset()
    platform.simulator.misbehave(Fault(expire_sessions=True))
    await statuses_of(platform, speaking)
    assert platform.simulator.calls.calls == 2 * len(VIEWERS)


async def test_a_viewer_who_does_not_exist_is_refused_and_spoils_no_other(
    platform: Platform, speaking: Adapter
) -> None:
    with pytest.raises(PlatformError) as caught:
        await platform.read(1, speaking, Viewer.named("acme", 404404))
    assert "404404" not in f"{caught.value!r} {caught.value.detail}"
    assert await statuses_of(platform, speaking) == STATUSES


async def test_a_viewer_who_is_not_named_is_a_bug_of_ours(platform: Platform, speaking: Adapter) -> None:
    with pytest.raises(RuntimeError):
        await platform.read(1, speaking, Viewer.own("acme"))


async def test_to_be_checked_it_needs_no_viewer(speaking: Adapter) -> None:
    identity = await speaking.identify()
    assert identity is None or identity.user_id is None

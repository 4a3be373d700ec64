"""Statuses that machines in between give, and the ways in which platforms refuse an action."""

from __future__ import annotations

import pytest

from adapters.contract import (
    Action,
    ActionFailed,
    ActionRefused,
    Forbidden,
    InvalidAnswer,
    ServerError,
    Status,
    Unreachable,
)
from adapters.simulation.faults import Fault
from tests.contract.dialects import BATCHING, LOGGING_IN, Platform
from tests.wire import InProcess

FOREIGN = pytest.mark.parametrize("body", ["<html>blocked</html>", "", "[]", "null", '{"blocked":true}', '"no"'])
"""Bodies that no platform gives with an error."""


@FOREIGN
async def test_a_403_that_is_not_the_platforms_own_says_nothing_of_two_users(platform: Platform, body: str) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=403, body=body, content_type="text/html"))
    with pytest.raises(InvalidAnswer, match="403"):
        await platform.read()


@BATCHING
@FOREIGN
async def test_a_403_that_is_not_the_platforms_own_says_nothing_of_many_users(platform: Platform, body: str) -> None:
    """It may be the length of the call that a firewall minds, so its status is told as a refusal of the whole."""
    platform.simulator.misbehave(Fault(path=platform.dialect.many_path, status=403, body=body))
    with pytest.raises(InvalidAnswer, match="403") as caught:
        await platform.adapter.read(platform.viewer, platform.ids(101, 102))
    assert caught.value.refusal == 403


@FOREIGN
async def test_a_403_that_is_not_the_platforms_own_says_nothing_of_a_list(platform: Platform, body: str) -> None:
    platform.simulator.misbehave(Fault(path=platform.dialect.list_path, status=403, body=body))
    with pytest.raises(InvalidAnswer, match="403"):
        await platform.adapter.list(platform.viewer, {Status.PENDING_INCOMING}, None, 10)


@FOREIGN
async def test_a_403_that_is_not_the_platforms_own_says_nothing_of_an_action(platform: Platform, body: str) -> None:
    act = await platform.ready(Action.REQUEST)
    platform.misbehave_acting(status=403, body=body)
    with pytest.raises(InvalidAnswer, match="403") as caught:
        await act()
    assert caught.value.may_have_acted


async def test_a_403_in_the_platforms_own_words_counts_even_where_they_are_no_text(platform: Platform) -> None:
    own = platform.dialect.not_found.replace('"no"', r'"\ud800"')
    assert own != platform.dialect.not_found
    platform.simulator.misbehave(Fault(path=str(platform.user), status=403, body=own))
    with pytest.raises(Forbidden):
        await platform.read()


@pytest.mark.parametrize("body", ["<html>", "", '{"detail":"x"}'])
async def test_408_is_a_connection_that_was_closed(platform: Platform, body: str) -> None:
    platform.simulator.misbehave(Fault(path=str(platform.user), status=408, body=body))
    with pytest.raises(Unreachable, match="408"):
        await platform.read()


async def test_408_leaves_open_whether_an_action_was_applied(platform: Platform) -> None:
    act = await platform.ready(Action.REQUEST)
    platform.misbehave_acting(status=408)
    with pytest.raises(Unreachable) as caught:
        await act()
    assert caught.value.may_have_acted


@LOGGING_IN
@pytest.mark.parametrize("body", ["<html>blocked</html>", "", "[]", "null", '"no"'])
async def test_a_login_that_a_firewall_refuses_says_nothing_of_the_credential(platform: Platform, body: str) -> None:
    """But no login is tried for a while, as after any other that was refused."""
    act = await platform.ready(Action.REQUEST, platform.connect(InProcess(platform.simulator)))
    platform.simulator.calls.reset()
    platform.simulator.misbehave(Fault(status=403, body=body))
    for _ in range(2):
        with pytest.raises(InvalidAnswer, match="403") as caught:
            await act()
        assert not caught.value.may_have_acted
    assert (platform.simulator.calls.logins, platform.simulator.calls.calls) == (1, 0)


REFUSALS = pytest.mark.parametrize("status", [400, 404, 409, 410, 412, 422, 423])


@REFUSALS
async def test_an_action_may_be_refused_with_any_of_these(platform: Platform, status: int) -> None:
    act = await platform.ready(Action.REQUEST)
    platform.misbehave_acting(status=status)
    with pytest.raises(ActionRefused) as caught:
        await act()
    assert not caught.value.may_have_acted


@REFUSALS
@FOREIGN
async def test_an_action_is_refused_only_in_the_platforms_own_words(
    platform: Platform, status: int, body: str
) -> None:
    act = await platform.ready(Action.REQUEST)
    platform.misbehave_acting(status=status, body=body)
    with pytest.raises(InvalidAnswer, match=str(status)) as caught:
        await act()
    assert caught.value.may_have_acted


async def test_500_in_the_platforms_own_words_may_be_a_refusal(platform: Platform) -> None:
    act = await platform.ready(Action.REQUEST)
    platform.misbehave_acting(status=500)
    with pytest.raises(ActionFailed, match="500") as caught:
        await act()
    assert caught.value.may_have_acted


@FOREIGN
async def test_any_other_500_is_a_failure(platform: Platform, body: str) -> None:
    act = await platform.ready(Action.REQUEST)
    platform.misbehave_acting(status=500, body=body)
    with pytest.raises(ServerError):
        await act()

"""What a platform does when it is told to, and what is known when that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from adapters.contract import (
    Action,
    ActionFailed,
    ActionRefused,
    Connection,
    CredentialRefused,
    DeadlineExceeded,
    Forbidden,
    InvalidAnswer,
    OwnCredentialRefused,
    PlatformError,
    ServerError,
    Status,
    Throttled,
    Unreachable,
    Viewer,
)
from adapters.secret import Token
from adapters.simulation.faults import Fault
from gateway.platforms.actions import GOALS
from tests.contract.dialects import DIALECTS, LOGGING_IN, Dialect, Platform
from tests.wire import InProcess

POSSIBLE = [
    pytest.param(dialect, status, action, id=f"{dialect.adapter}-{status}-{action}")
    for dialect in DIALECTS
    for status in dialect.words.values()
    for action in Platform(dialect).adapter.ACTIONS[status]
]


@pytest.mark.parametrize(("dialect", "status", "action"), POSSIBLE, indirect=["dialect"])
async def test_what_is_possible_reaches_its_goal(platform: Platform, status: Status, action: Action) -> None:
    platform.set(platform.user, status)
    act = await platform.ready(action)
    after = await act()
    assert after.status in GOALS[action]
    assert (after.platform, after.user_id, after.stale) == ("acme", str(platform.user), False)
    assert after.actions == platform.adapter.ACTIONS[after.status]
    assert (await platform.read()).status is after.status


@pytest.mark.parametrize(("dialect", "status", "action"), POSSIBLE, indirect=["dialect"])
async def test_an_action_ends_with_the_one_call_that_must_not_be_repeated(
    platform: Platform, status: Status, action: Action
) -> None:
    platform.set(platform.user, status)
    seen: list[httpx.Request] = []

    async def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return await InProcess(platform.simulator).handle_async_request(request)

    adapter = platform.connect(httpx.MockTransport(note))
    act = await platform.ready(action, adapter)
    await adapter.identify()
    seen.clear()
    await act()
    *before, sent = seen
    assert len(before) == (action in platform.dialect.preparing)
    assert all((each.method, each.extensions["safe"]) == ("GET", True) for each in before)
    assert (sent.method == "GET", sent.extensions["safe"]) == (False, False)
    assert platform.dialect.acting_path in sent.url.path
    assert {each.extensions["viewer"] for each in seen} == {platform.viewer}


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 404}, {"drop": True}, {"body": "<html>"}, {"delay": 30}], ids=str
)
@pytest.mark.parametrize(
    ("dialect", "action"),
    [pytest.param(each, action, id=f"{each.adapter}-{action}") for each in DIALECTS for action in each.preparing],
    indirect=["dialect"],
)
async def test_what_fails_before_the_call_that_acts_has_not_acted(
    platform: Platform, action: Action, fault: dict[str, Any]
) -> None:
    platform.set(
        platform.user, next(status for status, actions in platform.adapter.ACTIONS.items() if action in actions)
    )
    adapter = platform.connect(InProcess(platform.simulator), timeout=0.05 if "delay" in fault else 5.0)
    act = await platform.ready(action, adapter)
    platform.simulator.calls.reset()
    platform.simulator.misbehave(Fault(**fault))
    with pytest.raises(PlatformError) as caught:
        await act()
    assert not caught.value.may_have_acted
    assert platform.simulator.calls.calls == 1


@LOGGING_IN
@pytest.mark.parametrize(("status", "action"), [(Status.NONE, Action.REQUEST), (Status.CONNECTED, Action.REMOVE)])
async def test_an_action_that_meets_an_expired_session_is_repeated_once(
    platform: Platform, status: Status, action: Action
) -> None:
    platform.set(platform.user, status)
    act = await platform.ready(action)
    platform.simulator.calls.reset()
    platform.simulator.misbehave(Fault(expire_sessions=True))
    after = await act()
    assert after.status in GOALS[action]
    assert (platform.simulator.calls.calls, platform.simulator.calls.logins) == (2, 1)


IMPOSSIBLE = [
    pytest.param(dialect, status, action, id=f"{dialect.adapter}-{status}-{action}")
    for dialect in DIALECTS
    for status, action in [
        (Status.NONE, Action.ACCEPT),
        (Status.NONE, Action.REJECT),
        (Status.NONE, Action.REMOVE),
        (Status.CONNECTED, Action.REJECT),
        (Status.PENDING_OUTGOING, Action.ACCEPT),
        (Status.PENDING_INCOMING, Action.REMOVE),
        (Status.PENDING_OUTGOING, Action.REQUEST),
    ]
    if (status, action) not in dialect.unguarded
]


@pytest.mark.parametrize(("dialect", "status", "action"), IMPOSSIBLE, indirect=["dialect"])
async def test_what_has_become_impossible_is_not_done(platform: Platform, status: Status, action: Action) -> None:
    """The connection changes after it was read. A platform refuses, or answers with what is."""
    platform.set(
        platform.user, next(status for status, actions in platform.adapter.ACTIONS.items() if action in actions)
    )
    act = await platform.ready(action)
    platform.set(platform.user, status)
    (after,) = await asyncio.gather(act(), return_exceptions=True)
    if isinstance(after, Connection):
        assert after.status is status
    else:
        assert isinstance(after, (ActionRefused, ActionFailed))
    assert (await platform.read()).status is status


async def test_nobody_can_be_asked_who_does_not_exist(platform: Platform) -> None:
    (nobodys,) = platform.ids(105)
    before = await platform.adapter.read_before(platform.viewer, nobodys)
    with pytest.raises(ActionRefused):
        await platform.adapter.act(platform.viewer, platform.stranger, Action.REQUEST, before)


@pytest.mark.parametrize("status", [400, 404, 409])
@pytest.mark.parametrize("body", ["<html>no</html>", "[]", '"no"'])
async def test_a_refusal_that_is_not_the_platforms_own_leaves_all_open(
    platform: Platform, status: int, body: str
) -> None:
    platform.set(platform.user, Status.NONE)
    act = await platform.ready(Action.REQUEST)
    platform.misbehave_acting(status=status, body=body)
    with pytest.raises(InvalidAnswer) as caught:
        await act()
    assert caught.value.may_have_acted


@pytest.mark.parametrize(
    ("fault", "kind", "may_have_acted"),
    [
        ({"status": 401}, OwnCredentialRefused, False),
        ({"status": 403}, Forbidden, False),
        ({"status": 429}, Throttled, False),
        ({"status": 400}, ActionRefused, False),
        ({"status": 404}, ActionRefused, False),
        ({"status": 409}, ActionRefused, False),
        ({"status": 500}, ActionFailed, True),
        ({"status": 502}, ServerError, True),
        ({"status": 503, "retry_after": 1}, ServerError, True),
        ({"status": 302}, InvalidAnswer, True),
        ({"status": 405}, InvalidAnswer, True),
        ({"status": 201}, InvalidAnswer, True),
        ({"body": "<html>"}, InvalidAnswer, True),
        ({"body": "[]"}, InvalidAnswer, True),
        ({"drop": True}, Unreachable, True),
        ({"delay": 30}, DeadlineExceeded, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("action", [Action.REQUEST, Action.REMOVE])
async def test_a_failure_says_whether_it_may_have_acted(
    platform: Platform, fault: dict[str, Any], kind: type[PlatformError], may_have_acted: bool, action: Action
) -> None:
    adapter = platform.connect(InProcess(platform.simulator), timeout=0.05 if "delay" in fault else 5.0)
    await adapter.identify()
    platform.set(
        platform.user, next(status for status, actions in platform.adapter.ACTIONS.items() if action in actions)
    )
    act = await platform.ready(action, adapter)
    platform.misbehave_acting(**fault)
    with pytest.raises(kind) as caught:
        await act()
    assert caught.value.may_have_acted is may_have_acted


async def ready_to_fail(platform: Platform, failure: type[httpx.RequestError]) -> Callable[[], Awaitable[Connection]]:
    """An action whose last call fails like this."""

    async def refuse(request: httpx.Request) -> httpx.Response:
        if not request.extensions["safe"]:
            raise failure("no")
        return await InProcess(platform.simulator).handle_async_request(request)

    platform.set(platform.user, Status.NONE)
    adapter = platform.connect(httpx.MockTransport(refuse), mode="caller")
    return await platform.ready(Action.REQUEST, adapter, viewer=Viewer("acme", b"1", Token("demo")))


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
async def test_what_never_left_has_not_acted(platform: Platform, failure: type[httpx.RequestError]) -> None:
    act = await ready_to_fail(platform, failure)
    with pytest.raises(PlatformError) as caught:
        await act()
    assert not caught.value.may_have_acted


@pytest.mark.parametrize("failure", [httpx.ReadError, httpx.WriteError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_what_left_may_have_acted(platform: Platform, failure: type[httpx.RequestError]) -> None:
    act = await ready_to_fail(platform, failure)
    with pytest.raises(PlatformError) as caught:
        await act()
    assert caught.value.may_have_acted


@LOGGING_IN
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 403, "body": "<html>"}, {"drop": True}, {"body": "<html>"}, {"delay": 30}],
    ids=str,
)
async def test_an_action_whose_login_fails_never_left(platform: Platform, fault: dict[str, Any]) -> None:
    adapter = platform.connect(InProcess(platform.simulator), timeout=0.05 if "delay" in fault else 5.0)
    platform.set(platform.user, Status.NONE)
    act = await platform.ready(Action.REQUEST, adapter)
    platform.simulator.calls.reset()
    platform.simulator.misbehave(Fault(**fault))
    with pytest.raises(PlatformError) as caught:
        await act()
    assert not caught.value.may_have_acted
    assert platform.simulator.calls.calls == 0


async def test_a_callers_refused_token_has_not_acted(platform: Platform) -> None:
    adapter = platform.connect(InProcess(platform.simulator), mode="caller")
    platform.set(platform.user, Status.NONE)
    act = await platform.ready(Action.REQUEST, adapter, viewer=Viewer("acme", b"1", Token("expired")))
    with pytest.raises(CredentialRefused) as caught:
        await act()
    assert not caught.value.may_have_acted


def test_every_action_has_its_goal(dialect: Dialect) -> None:
    offered = {action for actions in Platform(dialect).adapter.ACTIONS.values() for action in actions}
    assert offered <= set(GOALS) == set(Action)

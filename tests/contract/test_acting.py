"""What a platform does when it is told to, and what is known when that fails."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.contract import (
    Action,
    ActionFailed,
    ActionRefused,
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
from tests.contract.dialects import DIALECTS, STRANGER, USER, Dialect, Platform
from tests.wire import InProcess

LOGGING_IN = [dialect for dialect in DIALECTS if dialect.logs_in]
POSSIBLE = [
    pytest.param(dialect, status, action, id=f"{dialect.adapter}-{status}-{action}")
    for dialect in DIALECTS
    for status in dialect.words.values()
    for action in Platform(dialect).adapter.ACTIONS[status]
]


@pytest.mark.parametrize(("dialect", "status", "action"), POSSIBLE, indirect=["dialect"])
async def test_what_is_possible_reaches_its_goal(platform: Platform, status: Status, action: Action) -> None:
    platform.set(USER, status)
    after = await platform.adapter.act(platform.viewer, USER, action)
    assert after.status in GOALS[action]
    assert (after.platform, after.user_id, after.stale) == ("acme", str(USER), False)
    assert after.actions == platform.adapter.ACTIONS[after.status]
    assert (await platform.read()).status is after.status


@pytest.mark.parametrize(("dialect", "status", "action"), POSSIBLE, indirect=["dialect"])
async def test_an_action_is_one_call_that_must_not_be_repeated(
    platform: Platform, status: Status, action: Action
) -> None:
    platform.set(USER, status)
    seen: list[httpx.Request] = []

    async def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return await InProcess(platform.simulator).handle_async_request(request)

    adapter = platform.connect(httpx.MockTransport(note))
    await adapter.identify()
    seen.clear()
    await adapter.act(platform.viewer, USER, action)
    (sent,) = seen
    assert (sent.method, sent.extensions["safe"]) == ("POST", False)
    assert sent.extensions["viewer"] == platform.viewer


@pytest.mark.parametrize("dialect", LOGGING_IN, ids=lambda dialect: dialect.adapter, indirect=True)
@pytest.mark.parametrize(("status", "action"), [(Status.NONE, Action.REQUEST), (Status.CONNECTED, Action.REMOVE)])
async def test_an_action_that_meets_an_expired_session_is_repeated_once(
    platform: Platform, status: Status, action: Action
) -> None:
    await platform.adapter.identify()
    platform.set(USER, status)
    platform.simulator.calls.reset()
    platform.simulator.misbehave(Fault(expire_sessions=True))
    after = await platform.adapter.act(platform.viewer, USER, action)
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
]


@pytest.mark.parametrize(("dialect", "status", "action"), IMPOSSIBLE, indirect=["dialect"])
async def test_what_is_not_possible_is_refused(platform: Platform, status: Status, action: Action) -> None:
    platform.set(USER, status)
    with pytest.raises(ActionRefused):
        await platform.adapter.act(platform.viewer, USER, action)
    assert (await platform.read()).status is status


async def test_nobody_can_be_asked_who_does_not_exist(platform: Platform) -> None:
    with pytest.raises(ActionRefused):
        await platform.adapter.act(platform.viewer, STRANGER, Action.REQUEST)


@pytest.mark.parametrize("status", [400, 404, 409])
@pytest.mark.parametrize("body", ["<html>no</html>", "[]", '"no"'])
async def test_a_refusal_that_is_not_the_platforms_own_leaves_all_open(
    platform: Platform, status: int, body: str
) -> None:
    await platform.adapter.identify()
    platform.simulator.misbehave(Fault(status=status, body=body))
    with pytest.raises(InvalidAnswer) as caught:
        await platform.adapter.act(platform.viewer, USER, Action.REQUEST)
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
    platform.simulator.misbehave(Fault(**fault))
    with pytest.raises(kind) as caught:
        await adapter.act(platform.viewer, USER, action)
    assert caught.value.may_have_acted is may_have_acted


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
async def test_what_never_left_has_not_acted(platform: Platform, failure: type[httpx.RequestError]) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise failure("no")

    adapter = platform.connect(httpx.MockTransport(refuse), mode="caller")
    with pytest.raises(PlatformError) as caught:
        await adapter.act(Viewer("acme", b"1", Token("demo")), USER, Action.REQUEST)
    assert not caught.value.may_have_acted


@pytest.mark.parametrize("failure", [httpx.ReadError, httpx.WriteError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_what_left_may_have_acted(platform: Platform, failure: type[httpx.RequestError]) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise failure("no")

    adapter = platform.connect(httpx.MockTransport(refuse), mode="caller")
    with pytest.raises(PlatformError) as caught:
        await adapter.act(Viewer("acme", b"1", Token("demo")), USER, Action.REQUEST)
    assert caught.value.may_have_acted


@pytest.mark.parametrize("dialect", LOGGING_IN, ids=lambda dialect: dialect.adapter, indirect=True)
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 403, "body": "<html>"}, {"drop": True}, {"body": "<html>"}, {"delay": 30}],
    ids=str,
)
async def test_an_action_whose_login_fails_never_left(platform: Platform, fault: dict[str, Any]) -> None:
    adapter = platform.connect(InProcess(platform.simulator), timeout=0.05 if "delay" in fault else 5.0)
    platform.simulator.misbehave(Fault(**fault))
    with pytest.raises(PlatformError) as caught:
        await adapter.act(platform.viewer, USER, Action.REQUEST)
    assert not caught.value.may_have_acted
    assert platform.simulator.calls.calls == 0


async def test_a_callers_refused_token_has_not_acted(platform: Platform) -> None:
    adapter = platform.connect(InProcess(platform.simulator), mode="caller")
    with pytest.raises(CredentialRefused) as caught:
        await adapter.act(Viewer("acme", b"1", Token("expired")), USER, Action.REQUEST)
    assert not caught.value.may_have_acted


def test_every_action_has_its_goal(dialect: Dialect) -> None:
    offered = {action for actions in Platform(dialect).adapter.ACTIONS.values() for action in actions}
    assert offered <= set(GOALS) == set(Action)

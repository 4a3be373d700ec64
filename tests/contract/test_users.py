"""Each request says whom it is about: one of them may be why it fails, and that is no outage."""

from __future__ import annotations

import httpx
import pytest

from adapters.contract import PlatformError, Status, Viewer
from tests.contract.dialects import BATCHING, NAMING, Platform
from tests.wire import InProcess

NAMED = 769658112379


class Noting(httpx.AsyncBaseTransport):
    """Passes requests on to the simulator, and remembers them."""

    def __init__(self, platform: Platform) -> None:
        self.seen: list[httpx.Request] = []
        self._inner = InProcess(platform.simulator)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return await self._inner.handle_async_request(request)

    @property
    def users(self) -> set[tuple[int, ...]]:
        """Of the requests that a viewer's token went out with."""
        return {request.extensions["users"] for request in self.seen if request.extensions["viewer"] is not None}


async def test_a_read_of_one_is_about_that_user(platform: Platform) -> None:
    wire = Noting(platform)
    await platform.read(platform.id(101), platform.connect(wire))
    assert wire.users == {platform.ids(101)}


@BATCHING
async def test_a_read_of_many_is_about_all_of_them(platform: Platform) -> None:
    wire = Noting(platform)
    asked = platform.ids(105, 101)
    await platform.connect(wire).read(platform.viewer, asked)
    assert asked in wire.users
    assert {user for users in wire.users for user in users} == set(asked)


async def test_an_action_is_about_its_user(platform: Platform) -> None:
    wire = Noting(platform)
    adapter = platform.connect(wire)
    for status, actions in adapter.ACTIONS.items():
        for action in actions:
            platform.set(platform.user, status)
            act = await platform.ready(action, adapter)
            await act()
    acting = [request for request in wire.seen if not request.extensions["safe"]]
    assert {request.extensions["users"] for request in acting} == {(platform.user,)}
    assert wire.users <= {(platform.user,), ()}


async def test_a_list_is_about_nobody_in_particular(platform: Platform) -> None:
    wire = Noting(platform)
    await platform.connect(wire).list(platform.viewer, {Status.CONNECTED}, None, 10)
    assert wire.users == {()}


async def test_a_login_with_our_own_credential_is_about_nobody(platform: Platform) -> None:
    wire = Noting(platform)
    await platform.read(platform.id(101), platform.connect(wire))
    logins = [request for request in wire.seen if request.extensions["viewer"] is None]
    assert [request.extensions.get("users", ()) for request in logins] == [()] * platform.dialect.logs_in


@NAMING
async def test_a_request_that_names_the_viewer_in_its_path_is_about_the_viewer(platform: Platform) -> None:
    """Such as the login on behalf of a user: callers choose whose it is."""
    wire = Noting(platform)
    adapter = platform.connect(wire, **(platform.dialect.named or {}))
    with pytest.raises(PlatformError):
        await platform.read(101, adapter, Viewer.named("acme", NAMED))
    for request in wire.seen:
        if str(NAMED) in request.url.path:
            assert request.extensions["users"] == (NAMED,)

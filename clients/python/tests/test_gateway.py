"""Every failure of a real gateway and of its platforms, over TCP and over a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from connection_gateway import AsyncGateway, Gateway, GatewayUnreachable, IncompleteList, Problem, Status, problems
from connection_gateway.demo import Demo, demo

from tests.clients.gateway_process import GatewayProcess
from tests.gateways import key_of

UNHURRIED = 5.0
"""Seconds that a call may take."""


@pytest.fixture(scope="module")
def platforms() -> Iterator[Demo]:
    with demo() as running:
        yield running


@pytest.fixture(scope="module", params=["tcp", "unix"])
def process(
    request: pytest.FixtureRequest, platforms: Demo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("gateway"), platforms, request.param) as running:
        yield running


@pytest.fixture
def gateway(process: GatewayProcess) -> Iterator[Gateway]:
    with Gateway(process.url, api_key=key_of("bot"), timeout=UNHURRIED) as client:
        yield client


@pytest.mark.parametrize(
    ("platform", "user", "action", "raised"),
    [
        ("nowhere", 1, "accept", problems.UnknownPlatform),
        ("club", 404404, "request", problems.UserNotFound),
        ("acme", 103, "cancel", problems.ActionNotOffered),
        ("acme", 103, "accept", problems.ActionNotPossible),
        ("team", 102, "accept", problems.InvalidRequest),
    ],
)
def test_an_action_that_is_refused(
    gateway: Gateway, platform: str, user: int, action: Any, raised: type[Problem]
) -> None:
    with pytest.raises(raised) as error:
        gateway.act((platform, user), action)
    problem = error.value
    assert (problem.platform, problem.user_id) in {(platform, str(user)), (None, None), (platform, None)}
    assert problem.detail
    assert problem.request_id
    if problem.connection is not None:
        assert problem.connection.status is Status.PENDING_OUTGOING
    assert isinstance(problem, problems.ActionNotPossible) is (problem.connection is not None)


def test_a_key_that_is_refused_and_one_that_may_not_act(process: GatewayProcess) -> None:
    with Gateway(process.url, api_key=key_of("stranger")) as client, pytest.raises(problems.InvalidAPIKey):
        client.platforms()
    with Gateway(process.url, api_key=key_of("reader")) as client:
        assert client.lookup("acme", 101, timeout=UNHURRIED).status is Status.CONNECTED
        with pytest.raises(problems.NotAllowed):
            client.act(("acme", 102), "accept")


def test_each_view_asks_as_its_own_user(gateway: Gateway) -> None:
    mine, theirs = (gateway.on_behalf_of(team=viewer) for viewer in (1, 102))
    assert mine.lookup("team", 102).status is Status.PENDING_INCOMING
    assert theirs.lookup("team", 1).status is Status.PENDING_OUTGOING
    with pytest.raises(problems.InvalidRequest, match="credential of its own"):
        gateway.with_tokens(team="a-token-of-nobody").lookup("team", 101)


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ({"status": 500}, problems.PlatformError),
        ({"drop": True}, problems.PlatformUnreachable),
        ({"body": "<html>", "content_type": "text/html"}, problems.PlatformInvalidAnswer),
        ({"delay": 1.0}, problems.PlatformTimeout),
    ],
    ids=str,
)
def test_a_platform_that_fails(
    process: GatewayProcess, gateway: Gateway, fault: dict[str, Any], raised: type[Problem]
) -> None:
    timeout = fault.get("delay", 2 * UNHURRIED) / 2
    with process.fault("community", **fault):
        with pytest.raises(raised) as error:
            gateway.lookup("club", 102, timeout=timeout)
        with pytest.raises(IncompleteList) as incomplete:
            list(gateway.connections(platform=["club", "spare"], timeout=timeout))
    assert error.value.platform == "club"
    assert error.value.retryable
    assert {each.platform for each in incomplete.value.problems} >= {"club"}
    assert gateway.lookup("club", 102).status is Status.PENDING_INCOMING  # and so its breaker stays closed


async def test_a_throttled_platform_is_left_alone(process: GatewayProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    request = httpx.AsyncClient.request

    async def counted(self: httpx.AsyncClient, method: str, url: str, **rest: Any) -> httpx.Response:
        sent.append(url)
        return await request(self, method, url, **rest)

    async with AsyncGateway(process.url, api_key=key_of("bot"), timeout=UNHURRIED) as gateway:
        with process.fault("community", status=429, retry_after=300), pytest.raises(problems.PlatformThrottled):
            await gateway.lookup("spare", 102)
        asked = process.calls("community")
        monkeypatch.setattr(httpx.AsyncClient, "request", counted)
        lookups = [gateway.lookup("spare", user) for user in range(101, 201)]
        results = await asyncio.gather(*lookups, gateway.act(("spare", 102), "accept"), return_exceptions=True)
        results += await gateway.lookup_many([("spare", 103), ("spare", 104)])
        assert [type(each) for each in results] == [problems.PlatformThrottled] * 103
        assert (sent, process.calls("community")) == ([], asked)
        found, refused = await gateway.lookup_many([("acme", 101), ("spare", 101)])
        mixed = await asyncio.gather(gateway.lookup("acme", 101), gateway.lookup("spare", 1), return_exceptions=True)
        assert [type(each) for each in mixed] == [type(found), type(refused)]
        assert (len(sent), process.calls("community")) == (2, asked)


async def test_a_gateway_restarts_between_two_pages(process: GatewayProcess) -> None:
    async with AsyncGateway(process.url, api_key=key_of("bot"), timeout=UNHURRIED) as gateway:
        found: list[str] = []
        async for each in gateway.connections(platform="acme", status=Status.CONNECTED):
            if len(found) in {100, 500}:
                await asyncio.to_thread(process.stop)
                await asyncio.to_thread(process.start)
            found.append(each.user_id)
        assert len(set(found)) == len(found) > 1000


@pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")  # httpcore leaves it
def test_a_gateway_stops_between_two_pages(process: GatewayProcess) -> None:
    with Gateway(process.url, api_key=key_of("bot"), timeout=UNHURRIED) as client:
        pages = client.connections(platform="acme", status=Status.CONNECTED)
        found = [next(pages)]
        process.stop()
        try:
            with pytest.raises(GatewayUnreachable, match="is it running") as error:
                found.extend(pages)
        finally:
            process.start()
        assert not error.value.sent
        assert len(found) == 100

"""Symphony's own bot kit, unmodified, as an app that speaks for users of the simulated pod."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from symphony.bdk.core.config.model.bdk_config import BdkConfig
from symphony.bdk.core.service.connection.connection_service import OboConnectionService
from symphony.bdk.core.service.connection.model.connection_status import ConnectionStatus
from symphony.bdk.core.symphony_bdk import SymphonyBdk
from symphony.bdk.gen import ApiException

from adapters.simulation import Simulator, serving, simulator
from adapters.simulation.faults import Fault
from tests.simulation.clients import KEY

AT_ONCE = {"initialIntervalMillis": 1, "maxIntervalMillis": 1}
APP = "POST /login/pubkey/app/authenticate"
BY_ID = "POST /login/pubkey/app/user/{id}/authenticate"
BY_NAME = "POST /login/pubkey/app/username/user-103/authenticate"
INFO = "GET /pod/v1/connection/user/{id}/info"


@pytest.fixture
def pod() -> Simulator:
    return simulator("symphony")


@pytest.fixture
async def kit(pod: Simulator) -> AsyncIterator[SymphonyBdk]:
    async with serving(pod) as url:
        where = urlsplit(url)
        config = {"scheme": where.scheme, "host": where.hostname, "port": where.port, "retry": AT_ONCE}
        bot = {"username": "demo", "privateKey": {"content": KEY}}
        app = {"appId": "app", "privateKey": {"content": KEY}}
        async with SymphonyBdk(BdkConfig(**config, bot=bot, app=app)) as bdk:
            yield bdk


@asynccontextmanager
async def speaking_for(
    kit: SymphonyBdk, user_id: int | None = None, username: str | None = None
) -> AsyncIterator[OboConnectionService]:
    async with kit.obo_services(kit.obo(user_id=user_id, username=username)) as services:
        yield services.connections()


async def test_the_bdk_reads_a_connection_as_the_user_of_an_id(kit: SymphonyBdk, pod: Simulator) -> None:
    async with speaking_for(kit, user_id=103) as connections:
        found = await connections.get_connection(1)
    assert (found.user_id, found.status) == (1, "PENDING_INCOMING")
    assert pod.calls.by_path == {APP: 1, BY_ID: 1, INFO: 1}


async def test_the_bdk_reads_a_connection_as_the_user_of_a_name(kit: SymphonyBdk, pod: Simulator) -> None:
    async with speaking_for(kit, username="user-103") as connections:
        found = await connections.get_connection(1)
    assert (found.user_id, found.status) == (1, "PENDING_INCOMING")
    assert pod.calls.by_path == {APP: 1, BY_NAME: 1, INFO: 1}


async def test_the_bdk_lists_the_users_connections(kit: SymphonyBdk) -> None:
    async with speaking_for(kit, user_id=103) as connections:
        found = await connections.list_connections(ConnectionStatus.ALL)
    assert [(each.user_id, each.status) for each in found] == [(1, "PENDING_INCOMING")]


async def test_the_bdk_accepts_for_the_user(kit: SymphonyBdk, pod: Simulator) -> None:
    async with speaking_for(kit, user_id=103) as connections:
        answer = await connections.accept_connection(1)
    assert (answer.user_id, answer.status) == (1, "ACCEPTED")
    assert pod.platform.connection(103, 1) == "ACCEPTED"


async def test_the_bdk_renews_expired_sessions_and_repeats_the_call(kit: SymphonyBdk, pod: Simulator) -> None:
    async with speaking_for(kit, user_id=103) as connections:
        await connections.get_connection(1)
        pod.misbehave(Fault(expire_sessions=True))
        pod.calls.reset()
        await connections.get_connection(1)
    assert pod.calls.by_path == {APP: 1, BY_ID: 1, INFO: 2}


async def test_the_bdk_is_told_of_a_user_who_is_not_there(kit: SymphonyBdk) -> None:
    async with speaking_for(kit, user_id=404404) as connections:
        with pytest.raises(ApiException) as caught:
            await connections.get_connection(1)
    assert caught.value.status == 403

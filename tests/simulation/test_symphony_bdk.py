"""Symphony's own bot kit, unmodified, against the simulated pod."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from symphony.bdk.core.config.model.bdk_config import BdkConfig
from symphony.bdk.core.service.connection.connection_service import ConnectionService
from symphony.bdk.core.service.connection.model.connection_status import ConnectionStatus
from symphony.bdk.core.symphony_bdk import SymphonyBdk

from adapters.simulation import Simulator, serving, simulator
from adapters.simulation.faults import Fault
from tests.simulation.clients import KEY

AT_ONCE = {"initialIntervalMillis": 1, "maxIntervalMillis": 1}
LOGIN = {"POST /login/pubkey/authenticate": 1}
RENEWAL = LOGIN | {"POST /relay/pubkey/authenticate": 1}
PATHS = {
    "get_connection": "GET /pod/v1/connection/user/{id}/info",
    "list_connections": "GET /pod/v1/connection/list",
    "create_connection": "POST /pod/v1/connection/create",
    "accept_connection": "POST /pod/v1/connection/accept",
    "reject_connection": "POST /pod/v1/connection/reject",
    "remove_connection": "POST /pod/v1/connection/user/{id}/remove",
}
INCOMING = 5000
USERS = {
    "get_connection": 103,
    "create_connection": 105,
    "accept_connection": 102,
    "reject_connection": INCOMING,
    "remove_connection": 101,
}


@pytest.fixture
def pod() -> Simulator:
    simulated = simulator("symphony")
    simulated.platform.set_connection(1, INCOMING, "PENDING_INCOMING")
    return simulated


@pytest.fixture
async def kit(pod: Simulator) -> AsyncIterator[ConnectionService]:
    async with serving(pod) as url:
        where = urlsplit(url)
        config = {"scheme": where.scheme, "host": where.hostname, "port": where.port, "retry": AT_ONCE}
        bot = {"username": "demo", "privateKey": {"content": KEY}}
        async with SymphonyBdk(BdkConfig(**config, bot=bot)) as bdk:
            yield bdk.connections()


async def call(kit: ConnectionService, name: str) -> None:
    await getattr(kit, name)(*[USERS[name]] if name in USERS else [])


async def test_the_bdk_reads_a_connection(kit: ConnectionService) -> None:
    found = await kit.get_connection(103)
    assert (found.user_id, found.status) == (103, "PENDING_OUTGOING")
    assert (found.first_requested_at, found.updated_at, found.request_counter) == (1470018073812, 1471018076255, 1)


async def test_the_bdk_reads_an_implicit_connection(kit: ConnectionService) -> None:
    found = await kit.get_connection(106)
    assert (found.status, found.updated_at) == ("ACCEPTED", None)


@pytest.mark.parametrize(
    ("status", "user_ids", "expected"),
    [
        (ConnectionStatus.PENDING_OUTGOING, None, {103: "PENDING_OUTGOING"}),
        (ConnectionStatus.ALL, [103, 104, 105], {103: "PENDING_OUTGOING", 104: "REJECTED"}),
        (ConnectionStatus.ACCEPTED, [101, 102, 106], {101: "ACCEPTED", 106: "ACCEPTED"}),
    ],
)
async def test_the_bdk_lists_connections(
    kit: ConnectionService, status: ConnectionStatus, user_ids: list[int] | None, expected: dict[int, str]
) -> None:
    found = await kit.list_connections(status, user_ids)
    assert {each.user_id: each.status for each in found} == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("create_connection", "PENDING_OUTGOING"),
        ("accept_connection", "ACCEPTED"),
        ("reject_connection", "REJECTED"),
    ],
)
async def test_the_bdk_acts(kit: ConnectionService, pod: Simulator, name: str, expected: str) -> None:
    answer = await getattr(kit, name)(USERS[name])
    assert (answer.user_id, answer.status) == (USERS[name], expected)
    assert pod.platform.connection(1, USERS[name]) == expected


async def test_the_bdk_removes_a_connection(kit: ConnectionService, pod: Simulator) -> None:
    await kit.remove_connection(101)
    assert pod.platform.connection(1, 101) is None


async def test_the_bdk_makes_all_calls_in_one_session(kit: ConnectionService, pod: Simulator) -> None:
    for name in PATHS:
        await call(kit, name)
    assert pod.calls.by_path == LOGIN | dict.fromkeys(PATHS.values(), 1)


@pytest.mark.parametrize("name", PATHS)
async def test_the_bdk_renews_an_expired_session_and_repeats_the_call(
    kit: ConnectionService, pod: Simulator, name: str
) -> None:
    await kit.get_connection(106)
    pod.misbehave(Fault(expire_sessions=True))
    pod.calls.reset()
    await call(kit, name)
    assert pod.calls.by_path == RENEWAL | {PATHS[name]: 2}

"""SelfCommunity's published client for node, unmodified, against the simulated community."""

from __future__ import annotations

import asyncio
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.selfcommunity.simulator import SECRET
from adapters.simulation import Simulator, serving, simulator

FOLDER = Path(__file__).with_name("node")
NODE = shutil.which("node") or ""
INCOMING = 5000

pytestmark = [
    pytest.mark.skipif(not NODE, reason="there is no node"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules").is_dir(),
        reason="there are no node_modules, which `make test` installs with npm",
    ),
]


@pytest.fixture
def community() -> Simulator:
    simulated = simulator("selfcommunity")
    simulated.platform.set_connection(1, INCOMING, "received_connection_request")
    return simulated


@pytest.fixture
async def answers(community: Simulator) -> dict[str, Any]:
    """What each call of `connections.js` came back with. Its environment is empty: no proxy is in the way."""
    async with serving(community) as url:
        node = await asyncio.create_subprocess_exec(
            NODE, FOLDER / "connections.js", url, SECRET, stdout=PIPE, stderr=PIPE, env={}
        )
        output, errors = await asyncio.wait_for(node.communicate(), timeout=30)
    assert node.returncode == 0, errors.decode()
    return msgspec.json.decode(output, type=dict[str, Any])


async def test_the_api_client_logs_in(answers: dict[str, Any]) -> None:
    assert answers["me"] == {"id": 1, "username": "demo"}


async def test_the_api_client_reads_connections(answers: dict[str, Any]) -> None:
    assert answers["status"] == {"connection_status": "sent_connection_request"}
    assert answers["statuses"] == {
        "connection_statuses": {"101": "connected", "102": "received_connection_request", "104": None}
    }


async def test_the_api_client_lists_requests(answers: dict[str, Any]) -> None:
    assert [each["from_user"]["id"] for each in answers["received"]["results"]] == [102, INCOMING]
    assert answers["sent"]["count"] == 2
    assert [(each["to_user"]["id"], each["rejected"]) for each in answers["sent"]["results"]] == [
        (104, "2026-01-06T18:00:00Z")
    ]


async def test_the_api_client_lists_connections(answers: dict[str, Any]) -> None:
    assert answers["connections"]["count"] == 1001
    assert answers["connections"]["results"] == [{"id": user, "username": f"user-{user}"} for user in (1000, 1001)]


async def test_the_api_client_acts(community: Simulator, answers: dict[str, Any]) -> None:
    for action, user, expected in (
        ("request", 105, "sent_connection_request"),
        ("accept", 102, "connected"),
        ("reject", INCOMING, None),
        ("cancel", 103, None),
        ("remove", 101, None),
    ):
        assert answers[action] == {"connection_status": expected}
        assert community.platform.connection(1, user) == expected


async def test_the_api_client_is_refused(answers: dict[str, Any]) -> None:
    assert answers["refused"] == 400


async def test_the_api_client_makes_each_call_once(community: Simulator, answers: dict[str, Any]) -> None:
    assert (community.calls.calls, community.calls.logins) == (len(answers), 0)

"""What becomes of an action whose answer is spoilt, late, or awaited by nobody."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulation.clients import set_faults, status

PENDING = {"symphony": "PENDING_INCOMING", "selfcommunity": "received_connection_request"}
CONNECTED = {"symphony": "ACCEPTED", "selfcommunity": "connected"}
HASTY = httpx.Timeout(5.0, read=0.05)
SLOW = 0.4


async def accept(client: httpx.AsyncClient, adapter: str, **options: Any) -> httpx.Response:
    """The request of user 102."""
    if adapter == "symphony":
        return await client.post("/pod/v1/connection/accept", json={"userId": 102}, **options)
    return await client.post("/api/v2/user/102/connection/accept/", **options)


def outcome(adapter: str, *, apply: bool) -> str:
    return CONNECTED[adapter] if apply else PENDING[adapter]


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 200, "body": "<html>"}, {"delay": 0.01, "status": 500}]
)
async def test_an_action_with_a_spoilt_answer_takes_effect_only_where_it_is_applied(
    client: httpx.AsyncClient, adapter: str, fault: dict[str, Any], apply: bool
) -> None:
    await set_faults(client, {"times": 1, "apply": apply} | fault)
    assert (await accept(client, adapter)).status_code == fault["status"]
    assert await status(client, adapter, 102) == outcome(adapter, apply=apply)


@pytest.mark.parametrize("apply", [True, False])
async def test_a_dropped_action_takes_effect_only_where_it_is_applied(
    client: httpx.AsyncClient, adapter: str, apply: bool
) -> None:
    await set_faults(client, {"times": 1, "apply": apply, "drop": True})
    with pytest.raises(httpx.RemoteProtocolError):
        await accept(client, adapter)
    assert await status(client, adapter, 102) == outcome(adapter, apply=apply)


@pytest.mark.parametrize("apply", [True, False])
async def test_a_slow_action_takes_effect_for_who_waits(client: httpx.AsyncClient, adapter: str, apply: bool) -> None:
    await set_faults(client, {"times": 1, "apply": apply, "delay": 0.01})
    assert (await accept(client, adapter)).status_code == 200
    assert await status(client, adapter, 102) == CONNECTED[adapter]


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize("spoilt", [{}, {"status": 500}, {"drop": True}])
async def test_a_slow_action_whose_caller_leaves_takes_effect_only_where_it_is_applied(
    client: httpx.AsyncClient, adapter: str, spoilt: dict[str, Any], apply: bool
) -> None:
    await set_faults(client, {"times": 1, "apply": apply, "delay": SLOW} | spoilt, {"delay": SLOW})
    with pytest.raises(httpx.ReadTimeout):
        await accept(client, adapter, timeout=HASTY)
    read_as_slowly = await status(client, adapter, 102)
    assert read_as_slowly == outcome(adapter, apply=apply)


async def test_an_applied_action_takes_effect_before_its_late_answer(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"times": 1, "apply": True, "delay": 60})
    with pytest.raises(httpx.ReadTimeout):
        await accept(client, adapter, timeout=HASTY)
    assert await status(client, adapter, 102) == CONNECTED[adapter]


async def test_a_late_action_that_is_refused_is_answered_so(client: httpx.AsyncClient, adapter: str) -> None:
    await set_faults(client, {"path": "accept", "apply": True, "delay": 0.01})
    codes = [(await accept(client, adapter)).status_code for _ in range(2)]
    assert codes == [200, 400]

"""An action leaves nothing behind of what was said before it."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.simulation.faults import Fault
from gateway.config.converter import from_tables
from tests.caching.asking import ask, keeping, origin
from tests.clock import virtual
from tests.faults.upstreams import Faulty
from tests.gateways import OWN, running, tables


async def act(gateway: Faulty, user: int, action: str, **headers: str) -> Any:
    named = {"X-Platform-Token": "acme=demo", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return (await gateway.client.post(f"/v1/connections/acme/{user}/{action}", headers=named)).json()


@virtual
async def test_a_lookup_after_an_action_shows_what_it_did() -> None:
    async with keeping() as gateway:
        assert (await ask(gateway, 102)).json()["status"] == "pending_incoming"
        assert (await act(gateway, 102, "accept"))["status"] == "connected"
        after = await ask(gateway, 102)
        assert (after.json()["status"], origin(after)) == ("connected", "fwd=miss")


@virtual
async def test_other_users_stay() -> None:
    async with keeping() as gateway:
        await ask(gateway, 101)
        await act(gateway, 102, "accept")
        assert origin(await ask(gateway, 101)) == "hit"


@virtual
async def test_a_lookup_that_began_before_an_action_ended_fills_nothing_and_is_not_joined() -> None:
    async with keeping() as gateway:
        pod = gateway.acme.simulator
        pod.misbehave(Fault(path="/102/info", delay=1.0, times=1))
        before = asyncio.create_task(ask(gateway, 102))
        await asyncio.sleep(0.1)
        pod.misbehave()
        await act(gateway, 102, "accept")
        calls = gateway.acme.calls
        after = await ask(gateway, 102)
        assert (after.json()["status"], gateway.acme.calls) == ("connected", calls + 1)
        await before
        assert (await ask(gateway, 102)).json()["status"] == "connected"


@virtual
async def test_an_action_that_outlives_its_caller_leaves_nothing_either() -> None:
    async with keeping() as gateway:
        pod = gateway.acme.simulator
        pod.misbehave(Fault(path="/accept", delay=1.0, apply=True, times=1))
        said = await act(gateway, 102, "accept", X_Request_Timeout_Ms="100")
        assert said["type"] == "/problems/outcome-unknown"
        await asyncio.sleep(0.5)
        await ask(gateway, 102)
        await asyncio.sleep(1)
        assert origin(await ask(gateway, 102)) == "fwd=miss"


@virtual
async def test_a_goal_that_was_met_already_drops_what_said_otherwise() -> None:
    async with keeping() as gateway:
        await ask(gateway, 102)
        gateway.acme.simulator.platform.set_connection(1, 102, "ACCEPTED")
        assert (await act(gateway, 102, "accept"))["status"] == "connected"
        assert (await ask(gateway, 102)).json()["status"] == "connected"


async def test_another_credential_has_nothing_of_what_was_said_under_the_old_one() -> None:
    kept = {"fresh_for": 60.0}
    async with running({"club": OWN["club"]}, each=kept) as gateway:
        path = "/v1/connections/club/103"
        assert (await gateway.client.get(path)).json()["status"] == "pending_outgoing"
        gateway.club.platform.tokens.accept("token-of-103", 103)
        other = {"club": {"mode": "token", "token": "token-of-103"}}
        gateway.app.state.snapshots.reload(from_tables(tables(other, each=kept)))
        answer = await gateway.client.get("/v1/connections/club/1")
        assert (answer.json()["status"], origin(answer)) == ("pending_incoming", "fwd=miss")
        assert origin(await gateway.client.get(path)) == "fwd=miss"

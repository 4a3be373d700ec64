"""Logins that are accepted while their tokens are refused: how often the gateway logs in then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.selfcommunity.simulator import SECRET
from adapters.sessions import PAUSE
from adapters.simulation.faults import Fault
from tests import clock
from tests.clock import virtual
from tests.credentials.oauth import Community, ask, with_refresh_token
from tests.gateways import NAMED, OWN, Gateway, caller, running

OAUTH2 = {"mode": "oauth2", "client_id": "demo", "client_secret": SECRET, "username": "demo", "password": "demo"}
WEB = caller("web", on_behalf_of=["*"])
VIEWER = {"X-On-Behalf-Of": "1"}
MODES: dict[str, tuple[str, dict[str, Any], dict[str, str], int]] = {
    "bot": ("acme", OWN["acme"], {}, 2),
    "obo": ("acme", NAMED["acme"], VIEWER, 3),
    "jwt": ("club", NAMED["club"], VIEWER, 0),
    "oauth2": ("club", OAUTH2, {}, 2),
}
"""Platform, credentials, headers, and the calls to log in of the first lookup: for a session, and for a new one."""


async def lookup(gateway: Gateway, name: str, headers: dict[str, str], user: int = 103) -> dict[str, Any]:
    answer = await gateway.as_caller("web").get(f"/v1/connections/{name}/{user}", headers=headers)
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("mode", MODES)
def test_new_tokens_that_are_refused_begin_a_pause(mode: str) -> None:
    async def main() -> None:
        name, credentials, headers, logins = MODES[mode]
        async with running({name: credentials}, [WEB]) as gateway:
            platform = gateway.simulators[name]
            platform.misbehave(Fault(path="/connection", status=401))
            for _ in range(30):
                problem = await lookup(gateway, name, headers)
                assert problem["type"] == "/problems/platform-credential-refused"
                assert 0 < problem["retry_after"] <= PAUSE
                await asyncio.sleep(0.01)
            assert platform.calls.logins == logins
            await asyncio.sleep(PAUSE)
            await lookup(gateway, name, headers)
            assert platform.calls.logins <= logins + 1
            platform.misbehave()
            assert (await lookup(gateway, name, headers))["status"] == "pending_outgoing"

    clock.run(main())


@virtual
async def test_thirty_lookups_at_once_share_the_logins_and_the_pause() -> None:
    async with running({"acme": OWN["acme"]}, [WEB]) as gateway:
        gateway.acme.misbehave(Fault(path="/connection", status=401, delay=0.1))
        found = await asyncio.gather(*(lookup(gateway, "acme", {}, 1000 + number) for number in range(30)))
        assert {each["type"] for each in found} == {"/problems/platform-credential-refused"}
        assert gateway.acme.calls.logins == 2


def test_refresh_tokens_are_not_used_up_for_tokens_that_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        community = Community()
        adapter = community.connect(await with_refresh_token(tmp_path, community))
        community.simulator.misbehave(Fault(path="/connection", status=401))
        for _ in range(20):
            with pytest.raises(Exception, match="a new token was refused as well"):
                await ask(adapter)
        assert len(community.forms) == 2

    clock.run(main())


@virtual
async def test_the_pause_does_not_last_longer_because_others_ask() -> None:
    async with running({"acme": OWN["acme"]}, [WEB]) as gateway:
        gateway.acme.misbehave(Fault(path="/connection", status=401))
        begun = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < begun + PAUSE + 0.5:
            await lookup(gateway, "acme", {})
            await asyncio.sleep(0.1)
        assert gateway.acme.calls.logins == 3


@virtual
async def test_a_user_for_whom_every_token_is_refused_takes_the_session_from_nobody() -> None:
    """The token that was refused for one user stays in use for the others."""
    async with running({"acme": OWN["acme"]}, [WEB]) as gateway:
        gateway.acme.misbehave(Fault(path="/user/666/info", status=401))
        for _ in range(10):
            assert (await lookup(gateway, "acme", {}, 666))["status"] == 502
            assert (await lookup(gateway, "acme", {}, 103))["status"] == "pending_outgoing"
        assert gateway.acme.calls.logins == 2


@virtual
async def test_a_token_that_becomes_good_during_the_pause_is_used() -> None:
    """As on a platform whose servers learn of a new session one after the other."""
    async with running({"acme": OWN["acme"]}, [WEB]) as gateway:
        gateway.acme.misbehave(Fault(path="/connection", status=401, times=3))
        for _ in range(2):
            await lookup(gateway, "acme", {})
        assert (await lookup(gateway, "acme", {}))["status"] == "pending_outgoing"
        assert gateway.acme.calls.logins == 2


@virtual
async def test_viewers_whose_tokens_are_refused_pause_alone() -> None:
    async with running({"club": NAMED["club"]}, [WEB]) as gateway:
        for _ in range(10):
            problem = await lookup(gateway, "club", {"X-On-Behalf-Of": "404404"})
            assert problem["type"] == "/problems/platform-credential-refused"
            assert (await lookup(gateway, "club", VIEWER))["status"] == "pending_outgoing"


@virtual
async def test_an_app_whose_tokens_are_refused_logs_in_once_in_a_pause_whoever_is_named() -> None:
    async with running({"acme": NAMED["acme"]}, [WEB]) as gateway:
        gateway.acme.misbehave(Fault(path="/login/pubkey/app/user/", status=401))
        for viewer in range(1000, 1030):
            problem = await lookup(gateway, "acme", {"X-On-Behalf-Of": str(viewer)})
            assert problem["type"] == "/problems/platform-forbidden"
        assert gateway.acme.calls.by_path["POST /login/pubkey/app/authenticate"] == 2

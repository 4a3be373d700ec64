"""A platform's clock may differ from ours: no credential mode minds."""

from __future__ import annotations

import typing
from typing import Any

import pytest

from adapters import ADAPTERS
from adapters.selfcommunity.simulator import SECRET
from tests import clock
from tests.gateways import CALLERS, NAMED, OWN, caller, running

OAUTH2 = {"mode": "oauth2", "client_id": "demo", "client_secret": SECRET, "username": "demo", "password": "demo"}
VIEWER = {"X-On-Behalf-Of": "1"}
MODES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "symphony/caller": ("acme", CALLERS["acme"], {"sessionToken": "demo"}),
    "symphony/bot": ("acme", OWN["acme"], {}),
    "symphony/obo": ("acme", NAMED["acme"], VIEWER),
    "selfcommunity/caller": ("club", CALLERS["club"], {"Authorization": "Bearer demo"}),
    "selfcommunity/token": ("club", OWN["club"], {}),
    "selfcommunity/jwt": ("club", NAMED["club"], VIEWER),
    "selfcommunity/jwt of one user": ("club", NAMED["club"] | {"user_id": 1}, {}),
    "selfcommunity/oauth2": ("club", OAUTH2, {}),
    "buddypress/caller": ("site", {"mode": "caller"}, {"Authorization": "Bearer demo"}),
    "buddypress/password": ("site", {"mode": "password", "username": "demo", "password": "demo"}, {}),
    "buddypress/token": ("site", {"mode": "token", "token": "demo"}, {}),
}
"""Platform, credentials, and the headers of a caller who asks as viewer 1."""
WEB = caller("web", on_behalf_of=["*"])


def test_every_mode_is_tried() -> None:
    modes = {
        f"{kind.__struct_config__.tag}/{credentials.__struct_config__.tag}"
        for kind in ADAPTERS
        for credentials in typing.get_args(typing.get_type_hints(kind)["credentials"])
    }
    assert {mode.partition(" ")[0] for mode in MODES} == modes


@pytest.mark.parametrize("ahead", [-59, -30, -12, -1, 1, 30, 200])
@pytest.mark.parametrize("mode", MODES)
def test_a_platform_whose_clock_differs_is_asked_all_the_same(mode: str, ahead: int) -> None:
    """`ahead`: seconds by which its clock is ahead of ours."""

    async def main() -> None:
        name, credentials, headers = MODES[mode]
        async with running({name: credentials}, [WEB]) as gateway:
            gateway.simulators[name].platform.clock_offset = ahead
            client = gateway.as_caller("web")
            answer = await client.get(f"/v1/connections/{name}/103", headers=headers)
            assert answer.json()["status"] == "pending_outgoing"

    clock.run(main())


@pytest.mark.parametrize(
    ("mode", "ahead"), [("symphony/bot", -62), ("selfcommunity/jwt", -62), ("symphony/bot", 242)]
)
def test_a_simulator_checks_times_by_its_own_clock(mode: str, ahead: int) -> None:
    """Or the test above could not fail."""

    async def main() -> None:
        name, credentials, headers = MODES[mode]
        async with running({name: credentials}, [WEB]) as gateway:
            gateway.simulators[name].platform.clock_offset = ahead
            client = gateway.as_caller("web")
            answer = await client.get(f"/v1/connections/{name}/103", headers=headers)
            assert answer.json()["type"] == "/problems/platform-credential-refused"

    clock.run(main())

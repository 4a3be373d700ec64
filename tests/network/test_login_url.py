"""`login_url`: where logins go, and nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from adapters.simulation import serving, simulator
from tests.network.asking import BOT, INFO, LOGIN, OAUTH2, OBO, ask
from tests.network.servers import Port


class Mode(NamedTuple):
    """A credential mode that logs in: what it asks for user 103, and where."""

    table: dict[str, Any]
    viewer: int | None
    login: str
    """the path that `login_url` stands for"""
    logins: list[str]
    call: str


MODES = {
    "bot": Mode(BOT, None, "/login", [LOGIN], INFO),
    "obo": Mode(OBO, 1, "/login", ["/login/pubkey/app/authenticate", "/login/pubkey/app/user/1/authenticate"], INFO),
    "oauth2": Mode(OAUTH2, None, "/oauth", ["/oauth/token/"], "/api/v2/user/103/connection_status/"),
}
each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


@each_mode
async def test_logins_go_to_the_login_url_and_everything_else_to_the_base_url(mode: Mode) -> None:
    platform = simulator(mode.table["adapter"])
    base, login = Port(platform), Port(platform)
    async with serving(base) as base_url, serving(login) as login_url:
        answer = await ask(mode.table | {"base_url": base_url, "login_url": login_url + mode.login}, mode.viewer)
    assert (login.paths, base.paths, answer) == (mode.logins, [mode.call], "pending_outgoing")


@each_mode
async def test_without_a_login_url_logins_go_to_the_base_url(mode: Mode) -> None:
    base = Port(simulator(mode.table["adapter"]))
    async with serving(base) as base_url:
        answer = await ask(mode.table | {"base_url": base_url}, mode.viewer)
    assert (base.paths, answer) == ([*mode.logins, mode.call], "pending_outgoing")


@each_mode
async def test_both_urls_may_have_a_path(mode: Mode) -> None:
    platform = simulator(mode.table["adapter"])
    base, login = Port(platform, "/of/acme"), Port(platform, "/sign-in", mode.login)
    async with serving(base) as base_url, serving(login) as login_url:
        urls = {"base_url": f"{base_url}/of/acme/", "login_url": f"{login_url}/sign-in/"}
        answer = await ask(mode.table | urls, mode.viewer)
    assert login.paths == [each.replace(mode.login, "/sign-in", 1) for each in mode.logins]
    assert (base.paths, answer) == ([f"/of/acme{mode.call}"], "pending_outgoing")

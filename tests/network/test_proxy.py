"""`proxy`: the way that every call to a platform goes, and no call to another."""

from __future__ import annotations

from typing import Any, Final

import pytest

from adapters.contract import Action, Before, Connection, PlatformError, Status, Unreachable, Viewer
from adapters.simulation import Simulator, serving, simulator
from tests import wire
from tests.network.asking import BOT, INFO, LOGIN, NOWHERE, TOKEN, ask, assert_untrusted, lookup, wired
from tests.network.servers import Proxy, over_tls
from tests.tls import Authority


async def test_every_http_call_goes_through_the_proxy(pod: Simulator) -> None:
    async with serving(pod) as url:
        proxy = Proxy(url)
        async with proxy.running() as way:
            assert await ask(BOT | {"base_url": f"http://{NOWHERE}", "proxy": way}) == "pending_outgoing"
    assert proxy.asked == [f"POST http://{NOWHERE}{LOGIN}", f"GET http://{NOWHERE}{INFO}"]


async def test_every_https_call_goes_through_a_tunnel_of_the_proxy(pod: Simulator, authority: Authority) -> None:
    table = BOT | {"base_url": f"https://{NOWHERE}", "ca_file": str(authority.file)}
    async with over_tls(pod, authority) as url:
        proxy = Proxy(url)
        async with proxy.running() as way:
            assert await ask(table | {"proxy": way}) == "pending_outgoing"
    assert set(proxy.asked) == {f"CONNECT {NOWHERE}"}


async def test_who_is_at_the_end_of_a_tunnel_must_be_trusted_as_well(pod: Simulator, authority: Authority) -> None:
    table = BOT | {"base_url": f"https://{NOWHERE}"}
    async with (
        over_tls(pod, authority) as url,
        Proxy(url).running() as way,
        wired(acme=table | {"proxy": way}) as platforms,
    ):
        await assert_untrusted(platforms["acme"])


async def test_a_login_elsewhere_goes_through_the_proxy_too(pod: Simulator) -> None:
    table = BOT | {"base_url": f"http://{NOWHERE}", "login_url": "http://login.example/login"}
    async with serving(pod) as url:
        proxy = Proxy(url)
        async with proxy.running() as way:
            await ask(table | {"proxy": way})
    assert proxy.asked == [f"POST http://login.example{LOGIN}", f"GET http://{NOWHERE}{INFO}"]


async def test_one_platforms_proxy_is_not_anothers(pod: Simulator) -> None:
    async with serving(pod) as url:
        table = BOT | {"base_url": url}
        async with wired(acme=table | {"proxy": f"http://{NOWHERE}"}, bank=table) as platforms:
            assert await lookup(platforms["bank"]) == "pending_outgoing"


BEFORE: Final = Before(Connection("club", "105", Status.NONE, None, (), None, None, None, ""))


async def failure_of_an_action(table: dict[str, Any]) -> PlatformError:
    """Under a token that needs no login, so that the action itself is what fails."""
    async with wired(club=TOKEN | table) as platforms:
        with pytest.raises(PlatformError) as caught:
            await platforms["club"].adapter.act(Viewer.own("club"), 105, Action.REQUEST, BEFORE)
    return caught.value


@pytest.mark.parametrize("refusal", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
async def test_a_proxy_that_refuses_a_tunnel_is_no_connection_and_nothing_left(refusal: str) -> None:
    proxy = Proxy(f"http://{NOWHERE}", refusal)
    async with proxy.running() as way:
        failure = await failure_of_an_action({"base_url": f"https://{NOWHERE}", "proxy": way})
    assert (type(failure), failure.may_have_acted) == (Unreachable, False)
    assert set(proxy.asked) == {f"CONNECT {NOWHERE}"}


async def test_a_proxy_that_wants_credentials_is_told_as_such() -> None:
    """It answers in place of a platform that speaks plain HTTP, which has never heard of the action."""
    refusal = wire.answer(b"<html>", "Proxy-Authenticate: Basic", status="407 Proxy Authentication Required")
    async with wire.scripted(wire.sending(refusal)) as proxy:
        failure = await failure_of_an_action({"base_url": f"http://{NOWHERE}", "proxy": proxy.url})
    assert (type(failure), failure.may_have_acted) == (Unreachable, False)
    assert failure.detail == "the proxy wants credentials"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there_is_no_connection_and_nothing_left(authority: Authority, scheme: str) -> None:
    """Although the platform is there, and would answer."""
    club = simulator("selfcommunity")
    async with serving(club) if scheme == "http" else over_tls(club, authority) as url:
        table = {"base_url": url, "ca_file": str(authority.file), "proxy": f"http://{NOWHERE}"}
        failure = await failure_of_an_action(table)
    assert (type(failure), failure.may_have_acted) == (Unreachable, False)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_environments_proxy_is_not_followed(
    pod: Simulator, authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
) -> None:
    for each in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(each, raising=False)
    for each in (name, name.lower()):
        monkeypatch.setenv(each, f"http://{NOWHERE}")
    async with serving(pod) if scheme == "http" else over_tls(pod, authority) as url:
        assert await ask(BOT | {"base_url": url, "ca_file": str(authority.file)}) == "pending_outgoing"

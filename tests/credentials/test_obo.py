"""An app on a pod that speaks on behalf of users: its own session, and one for each of them."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from adapters import connect
from adapters.contract import Adapter, Connection, Forbidden, OwnCredentialRefused, PlatformError, Unreachable, Viewer
from adapters.sessions import PAUSE
from adapters.simulation import Simulator, simulator
from adapters.simulation.faults import Fault
from gateway.config.converter import from_tables
from tests import clock
from tests.clock import virtual
from tests.gateways import NAMED, tables
from tests.wire import Bounded, InProcess

APP = "POST /login/pubkey/app/authenticate"
USER = "POST /login/pubkey/app/user/{id}/authenticate"
INFO = "GET /pod/v1/connection/user/{id}/info"


class App:
    """The simulated pod, and an adapter that logs in as an app."""

    def __init__(self) -> None:
        self.pod: Simulator = simulator("symphony")
        settings = from_tables(tables({"acme": NAMED["acme"]}, callers=[CALLER])).platforms["acme"]
        self.adapter: Adapter = connect("acme", settings, Bounded(InProcess(self.pod)), timeout=2.0)

    async def ask(self, viewer: int = 101, target: int = 1) -> Connection:
        found = (await self.adapter.read(Viewer.named("acme", viewer), (target,)))[target]
        assert isinstance(found, Connection)
        return found

    @property
    def calls(self) -> Counter[str]:
        return Counter(self.pod.calls.by_path)


CALLER = {"name": "web", "key_sha256": "0" * 64}


@virtual
async def test_one_session_of_the_app_and_one_of_each_viewer() -> None:
    app = App()
    for viewer in (101, 102, 101, 103, 102):
        await app.ask(viewer)
    assert app.calls == {APP: 1, USER: 3, INFO: 5}


@virtual
async def test_a_thousand_lookups_that_meet_expired_sessions_are_one_login_per_viewer() -> None:
    app = App()
    viewers = [101, 102, 103, 1000]
    await asyncio.gather(*(app.ask(viewer) for viewer in viewers))
    app.pod.misbehave(Fault(expire_sessions=True, delay=0.1))  # all are on their way when the first is refused
    app.pod.calls.reset()
    await asyncio.gather(*(app.ask(viewers[number % 4]) for number in range(1000)))
    assert app.calls == {APP: 1, USER: 2 * len(viewers), INFO: 2000}  # each viewer's first login meets the app's 401


@virtual
async def test_while_the_apps_session_lives_a_viewers_login_is_one_call() -> None:
    app = App()
    await app.ask(101)
    app.pod.misbehave(Fault(path="/info", status=401, times=1))
    app.pod.calls.reset()
    await asyncio.gather(*(app.ask(101) for _ in range(100)))
    assert app.calls[USER] == 1
    assert app.calls[APP] == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_viewer_for_whom_the_app_may_not_speak_is_forbidden_and_pauses_alone(status: int) -> None:
    async def main() -> None:
        app = App()
        await app.ask(101)
        app.pod.misbehave(Fault(path="/app/user/102/", status=status))
        with pytest.raises(Forbidden, match="speak for this viewer") as caught:
            await app.ask(102)
        assert caught.value.retry_after is None
        app.pod.misbehave()
        app.pod.calls.reset()
        await asyncio.sleep(PAUSE - 1)
        with pytest.raises(Forbidden, match="no login is tried") as caught:
            await app.ask(102)
        assert caught.value.retry_after == pytest.approx(1.0)
        await app.ask(103)
        assert app.calls[USER] == 1
        await asyncio.sleep(1)
        assert (await app.ask(102)).status == "pending_outgoing"

    clock.run(main())


@virtual
async def test_an_app_that_is_refused_pauses_for_all_viewers_and_no_longer() -> None:
    app = App()
    app.pod.misbehave(Fault(path="/app/authenticate", status=401))
    for viewer in (101, 102):
        with pytest.raises(OwnCredentialRefused):
            await app.ask(viewer)
    assert app.calls == {APP: 1}
    await asyncio.sleep(PAUSE - 0.1)
    with pytest.raises(OwnCredentialRefused):
        await app.ask(103)
    app.pod.misbehave()
    await asyncio.sleep(0.1)
    for viewer in (101, 102, 103):
        await app.ask(viewer)


@virtual
async def test_an_app_that_cannot_log_in_is_no_refusal() -> None:
    app = App()
    app.pod.misbehave(Fault(path="/app/authenticate", drop=True))
    with pytest.raises(Unreachable) as caught:
        await app.ask()
    assert caught.value.may_have_acted is False
    app.pod.misbehave()
    await app.ask()


@virtual
async def test_the_apps_own_session_is_no_users() -> None:
    app = App()
    await app.ask()
    (token,) = [each for each in app.pod.platform.tokens if app.pod.platform.tokens.user(each) == 0]
    answer = await InProcess(app.pod).handle_async_request(
        httpx.Request("GET", "http://acme.example/pod/v2/sessioninfo", headers={"sessionToken": token})
    )
    assert answer.status_code == 401


@virtual
async def test_check_logs_in_as_the_app_and_as_nobody_else() -> None:
    app = App()
    identity = await app.adapter.identify()
    assert identity is not None
    assert (identity.name, identity.user_id) == ("app", None)
    assert app.calls == {APP: 1}


@virtual
async def test_what_the_pod_answers_to_a_login_may_be_nonsense() -> None:
    app = App()
    for path in ("/app/authenticate", "/app/user/"):
        for body in ("<html>", "{}", '{"token": ""}', '{"token": "a b"}', '{"token": null}', "[" * 100_000):
            app.pod.misbehave(Fault(path=path, body=body))
            with pytest.raises(PlatformError):
                await app.ask()
    app.pod.misbehave()
    await app.ask()

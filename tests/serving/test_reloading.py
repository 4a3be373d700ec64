"""SIGHUP: callers and credentials are read anew, and one reference is swapped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from adapters.selfcommunity.simulator import SECRET
from adapters.simulation.faults import Fault
from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError, Settings
from gateway.runtime.reload import Reloader
from tests import clock
from tests.clock import virtual
from tests.gateways import CALLERS, KEY, NAMED, OWN, UNHURRIED, Gateway, caller, running, tables
from tests.wire import InProcess

ANY = caller("web", on_behalf_of=["*"], may=["read", "act"])
BOT_101 = OWN | {"acme": {"mode": "bot", "username": "user-101", "private_key": KEY}}


class Reloadable:
    """A gateway, and a way to give it another configuration."""

    def __init__(self, gateway: Gateway, tables: dict[str, Any]) -> None:
        self.gateway = gateway
        self.tables = tables
        self.reads = 0
        self._reloading = Reloader(self._read, gateway.app.state.snapshots, gateway.log)

    def _read(self) -> Settings:
        self.reads += 1
        return from_tables(self.tables)

    def hang_up(self) -> None:
        self._reloading.start()

    async def reload(
        self,
        credentials: Mapping[str, Mapping[str, Any]],
        callers: Sequence[Mapping[str, Any]] = (),
        **server: Any,
    ) -> list[dict[str, Any]]:
        """What the log says of it."""
        self.tables = tables(credentials, server, callers)
        before = len(self.gateway.lines)
        self.hang_up()
        await asyncio.sleep(1)
        lines = self.gateway.logged()[before:]
        return [
            {name: value for name, value in line.items() if name != "time"}
            for line in lines
            if line.get("warning") != "unencrypted"  # as all platforms here are
        ]

    async def status(self, path: str = "acme/103", **headers: str) -> str:
        """The connection's status, or the problem."""
        answer = await self.gateway.client.get(f"/v1/connections/{path}", headers=headers)
        said = answer.json()
        return str(said["status"] if answer.is_success else said["type"].removeprefix("/problems/"))


@asynccontextmanager
async def reloadable(
    credentials: Mapping[str, Mapping[str, Any]] = OWN, callers: Sequence[Mapping[str, Any]] = ()
) -> AsyncIterator[Reloadable]:
    async with running(credentials, callers) as gateway:
        yield Reloadable(gateway, tables(credentials, callers=callers))


IN_VAIN = [
    {
        "level": "warning",
        "event": "configuration",
        "setting": "callers[0].on_behalf_of[0]",
        "warning": "without-effect",
    }
]
DONE = {"level": "info", "event": "reloaded"}


@virtual
async def test_a_revoked_key_fails_at_its_next_request() -> None:
    async with reloadable(OWN, [ANY, caller("bot")]) as it:
        key = {"X-API-Key": "key-of-bot-2f6c9d41"}
        assert await it.status(**key) == "pending_outgoing"
        assert await it.reload(OWN, [ANY]) == [DONE | {"changed": ["callers"]}, *IN_VAIN]
        assert await it.status(**key) == "invalid-api-key"


@virtual
async def test_a_new_policy_counts_from_the_next_request() -> None:
    async with reloadable(NAMED, [ANY]) as it:
        headers = {"X-API-Key": "key-of-web-2f6c9d41", "X-On-Behalf-Of": "101"}
        assert await it.status("acme/1", **headers) == "connected"
        await it.reload(NAMED, [ANY | {"on_behalf_of": ["acme=102"]}])
        assert await it.status("acme/1", **headers) == "not-allowed"
        assert await it.status("acme/1", **headers | {"X-On-Behalf-Of": "102"}) == "pending_outgoing"


@virtual
async def test_the_first_caller_closes_the_gateway_and_the_last_opens_it() -> None:
    async with reloadable() as it:
        assert await it.status() == "pending_outgoing"
        assert await it.status(Host="gateway.example") == "not-allowed"
        await it.reload(OWN, [ANY])
        assert await it.status() == "invalid-api-key"
        assert await it.status(Host="gateway.example") == "invalid-api-key"
        await it.reload(OWN)
        assert await it.status() == "pending_outgoing"
        assert await it.status(Host="gateway.example") == "not-allowed"


@virtual
async def test_another_credential_is_another_viewer() -> None:
    async with reloadable() as it:
        assert await it.status("acme/1") == "none"
        assert await it.reload(BOT_101) == [DONE | {"changed": ["platforms.acme.credentials"]}]
        assert await it.status("acme/1") == "connected"
        assert await it.status("club/103") == "pending_outgoing"


@virtual
async def test_sessions_of_what_did_not_change_are_kept() -> None:
    async with reloadable() as it:
        await it.status()
        logins = it.gateway.acme.calls.logins
        await it.reload(OWN | {"club": {"mode": "token", "token": "other"}})
        await it.status()
        assert it.gateway.acme.calls.logins == logins
        assert await it.status("club/101") == "platform-credential-refused"


@virtual
async def test_the_mode_may_change() -> None:
    async with reloadable() as it:
        await it.reload(CALLERS)
        assert await it.status() == "missing-credential"
        assert await it.status(sessionToken="demo") == "pending_outgoing"
        await it.reload(NAMED, [ANY])
        headers = {"X-API-Key": "key-of-web-2f6c9d41", "X-On-Behalf-Of": "101"}
        assert await it.status("acme/1", **headers) == "connected"


@virtual
async def test_what_is_under_way_ends_as_it_began() -> None:
    async with reloadable() as it:
        await it.status()
        it.gateway.acme.misbehave(Fault(path="/info", delay=1.5), Fault(path="/accept", delay=1.4))
        asking = asyncio.create_task(it.status())
        acting = asyncio.create_task(
            it.gateway.client.post("/v1/connections/acme/102/accept", headers={"X-Request-Timeout-Ms": "100"})
        )
        await asyncio.sleep(0.2)
        assert await it.reload(BOT_101) != []
        assert await asking == "pending_outgoing"
        assert (await acting).json()["type"] == "/problems/platform-timeout"
        it.gateway.acme.misbehave()
        assert await it.status("acme/1") == "connected"
        await asyncio.sleep(10)
        assert (
            it.gateway.acme.platform.connection(1, 102) == "ACCEPTED"
        )  # the action ran to its end, as its caller had begun it


@virtual
async def test_a_request_lives_in_one_snapshot() -> None:
    """Its key was good when it came; what it waits for was asked with the old credential."""
    async with reloadable(OWN, [ANY]) as it:
        it.gateway.acme.misbehave(Fault(path="/login", delay=1.5))
        asking = asyncio.create_task(it.status("acme/1", **{"X-API-Key": "key-of-web-2f6c9d41"}))
        await asyncio.sleep(0.1)
        await it.reload(BOT_101, [caller("other")])
        assert await asking == "none"


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({"server": {"port": 9000}}, ["server.port"]),
        ({"server": {"request_timeout": 1.0, "hosts": ["a.example"]}}, ["server.hosts", "server.request_timeout"]),
        ({"base_url": "http://other.example"}, ["platforms.acme.base_url", "platforms.acme.credentials"]),
        ({"proxy": "http://proxy.example"}, ["platforms.acme.credentials", "platforms.acme.proxy"]),
        ({"adapter": "selfcommunity", "credentials": {"mode": "caller"}}, ["platforms.acme.adapter"]),
    ],
)
def test_any_other_change_needs_a_restart(change: dict[str, Any], settings: list[str]) -> None:
    async def main() -> None:
        async with reloadable() as it:
            new = tables(BOT_101, change.pop("server", {}), [ANY])
            new["platforms"]["acme"] |= change
            it.tables = new
            it.hang_up()
            await asyncio.sleep(1)
            lines = it.gateway.logged()
            assert [line["setting"] for line in lines if line["event"] == "needs-restart"] == settings
            assert await it.status() == "invalid-api-key", "callers are in force all the same"
            # A credential that came with another address is not for this one.
            expected = "none" if change else "connected"
            assert await it.status("acme/1", **{"X-API-Key": "key-of-web-2f6c9d41"}) == expected

    clock.run(main())


@virtual
async def test_a_credential_is_exchanged_though_a_limit_beside_it_needs_a_restart() -> None:
    async with reloadable() as it:
        it.tables = tables(BOT_101, callers=[ANY], each={"max_calls": 9, "max_waiting": 9})
        it.hang_up()
        await asyncio.sleep(1)
        settings = [line["setting"] for line in it.gateway.logged() if line["event"] == "needs-restart"]
        assert [each for each in settings if "acme" in each] == [
            "platforms.acme.max_calls",
            "platforms.acme.max_waiting",
        ]
        assert await it.status("acme/1", **{"X-API-Key": "key-of-web-2f6c9d41"}) == "connected"


@virtual
async def test_platforms_come_and_go_with_a_restart() -> None:
    async with reloadable() as it:
        lines = await it.reload(
            {"acme": OWN["acme"], "bank": CALLERS["acme"]}, [ANY | {"platforms": ["acme", "bank"]}]
        )
        settings = [line["setting"] for line in lines if line["event"] == "needs-restart"]
        assert settings == ["platforms.club", "platforms.bank"]
        key = {"X-API-Key": "key-of-web-2f6c9d41"}
        assert await it.status("acme/103", **key) == "pending_outgoing"
        assert await it.status("bank/103", **key) == "unknown-platform"
        assert await it.status("club/103", **key) == "not-allowed"


@virtual
async def test_a_broken_configuration_keeps_the_old_state_and_says_so() -> None:
    async with reloadable(OWN, [ANY]) as it:
        key = {"X-API-Key": "key-of-web-2f6c9d41"}
        for broken in (
            tables(OWN, {"prot": 1}, [caller("other")]),
            tables(OWN | {"acme": {"mode": "bot"}}, {}, [caller("other")]),
            tables(OWN, {}, [caller("other", platforms=["nowhere"])]),
        ):
            it.tables = broken
            it.hang_up()
            await asyncio.sleep(1)
            line = it.gateway.logged()[-1]
            assert (line["event"], line["level"]) == ("not-reloaded", "error")
            assert line["configuration"].startswith(
                ("server.prot: unknown key", "platforms.acme.cred", "callers[0].pl")
            )
            assert await it.status(**key) == "pending_outgoing"


@virtual
async def test_what_only_a_restart_could_put_right_keeps_the_old_state() -> None:
    """The file is fine by itself: it does without callers, because it no longer names viewers."""
    async with reloadable(NAMED, [ANY]) as it:
        other = {name: each | {"adapter": "symphony"} for name, each in CALLERS.items()}
        it.tables = tables(CALLERS)
        it.tables["platforms"]["club"] |= {"adapter": "symphony", "credentials": other["club"] | {"mode": "caller"}}
        del it.tables["platforms"]["club"]["credentials"]["adapter"]
        it.hang_up()
        await asyncio.sleep(1)
        assert it.gateway.logged()[-1]["configuration"].startswith("platforms.club.credentials: mode jwt can speak")
        headers = {"X-API-Key": "key-of-web-2f6c9d41", "X-On-Behalf-Of": "101"}
        assert await it.status("acme/1", **headers) == "connected"


@virtual
async def test_a_warning_is_told_again() -> None:
    async with reloadable() as it:
        short: dict[str, dict[str, Any]] = OWN | {"club": {"mode": "jwt", "secret": "short", "user_id": 1}}
        lines = await it.reload(short)
        assert lines == [
            DONE | {"changed": ["platforms.club.credentials"]},
            {
                "level": "warning",
                "event": "configuration",
                "setting": "platforms.club.credentials.secret_file",
                "warning": "short-secret",
            },
        ]


@virtual
async def test_many_signals_are_two_reloads() -> None:
    """The second reads what came after the first began."""
    async with reloadable() as it:
        for _ in range(100):
            it.hang_up()
        await asyncio.sleep(1)
        assert it.reads == 2
        it.hang_up()
        await asyncio.sleep(1)
        assert it.reads == 3


@virtual
async def test_a_failure_nobody_foresaw_does_not_end_reloading() -> None:
    async with reloadable() as it:
        it.tables = None  # type: ignore[assignment]  # as no file could say
        it.hang_up()
        await asyncio.sleep(1)
        line = it.gateway.logged()[-1]
        assert (line["event"], line["error"]) == ("not-reloaded", "AttributeError")
        assert await it.reload(OWN) == [DONE]


def test_a_reload_reads_in_a_thread() -> None:
    """Parsing a key takes 40 ms, and requests don't wait for it."""

    class Snapshots:
        def read_certificates(self, _settings: Settings) -> None:
            seen.append(threading.current_thread())

        def renew(self, _settings: Settings, _certificates: None) -> tuple[str, ...]:
            raise ConfigurationError("enough")

    seen: list[threading.Thread] = []

    async def main() -> None:
        async with running() as gateway:

            def read() -> Settings:
                seen.append(threading.current_thread())
                return from_tables(tables(OWN))

            Reloader(read, Snapshots(), gateway.log).start()  # type: ignore[arg-type]  # all that it needs
            while not gateway.lines:  # noqa: ASYNC110  a log has no event
                await asyncio.sleep(0.01)

    asyncio.run(main())
    assert len(seen) == 2
    assert threading.main_thread() not in seen


@virtual
async def test_who_may_use_only_what_needs_a_restart_has_an_empty_list() -> None:
    async with reloadable({"acme": OWN["acme"]}) as it:
        await it.reload(OWN, [caller("web", platforms=["club"])])
        answer = await it.gateway.client.get("/v1/connections", headers={"X-API-Key": "key-of-web-2f6c9d41"})
        assert answer.json() == {"connections": [], "errors": [], "next_cursor": None, "complete": True}


@virtual
async def test_a_key_that_is_revoked_before_the_body_has_come_is_good_no_more() -> None:
    async with reloadable(OWN, [ANY]) as it:
        said: list[Any] = []
        body = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await body.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        path = "/v1/connections/acme/102/accept"
        headers = [(b"host", b"localhost"), (b"x-api-key", b"key-of-web-2f6c9d41")]
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
        acting = asyncio.create_task(it.gateway.app(scope, receive, send))
        await asyncio.sleep(0.1)
        await it.reload(OWN, [caller("other")])
        body.set()
        await acting
        assert said[0]["status"] == 401
        assert it.gateway.calls == 0


@virtual
async def test_what_an_old_generation_has_under_way_is_ended_with_the_new() -> None:
    """An action comes to its end also if the gateway stops right after a reload."""
    async with reloadable() as it:
        it.gateway.acme.misbehave(Fault(path="/accept", delay=1.4))
        await it.gateway.client.post("/v1/connections/acme/102/accept", headers={"X-Request-Timeout-Ms": "100"})
        await it.reload(BOT_101)
        assert it.gateway.acme.platform.connection(1, 102) == "PENDING_INCOMING"
    assert it.gateway.acme.platform.connection(1, 102) == "ACCEPTED"
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_an_old_generation_is_forgotten_in_the_end() -> None:
    async with reloadable() as it:
        for number in range(20):
            await it.reload(BOT_101 if number % 2 == 0 else OWN)
            await it.status()
        await asyncio.sleep(5 * UNHURRIED)
        assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_a_refresh_token_that_was_replaced_in_memory_outlives_a_change_beside_it() -> None:
    form = {"client_id": "demo", "client_secret": SECRET, "username": "demo", "password": "demo"}
    grant = httpx.Request("POST", "http://club.example/oauth/token/", data=form | {"grant_type": "password"})
    async with reloadable({"acme": OWN["acme"], "club": CALLERS["club"]}) as it:
        answer = await InProcess(it.gateway.club).handle_async_request(grant)
        token = msgspec.json.decode(await answer.aread())["refresh_token"]
        oauth = {"mode": "oauth2", "client_id": "demo", "client_secret": SECRET, "refresh_token": token}
        for more in ({}, {"client_secret_file": "elsewhere"}, {"client_secret_file": "back"}):
            changed = (await it.reload(OWN | {"club": oauth | more}))[0]["changed"]
            assert "platforms.club.credentials" in changed
            assert await it.status("club/103") == "pending_outgoing"

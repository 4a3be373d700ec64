"""Other servers than the one of most tests: Redis 7, TLS, a Unix socket; and the command that tries them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.simulation.faults import Fault
from tests.cli.served import Run, Served
from tests.configuration.files import loaded
from tests.gateways import KEY as PEM
from tests.gateways import OWN, caller
from tests.shared.replicas import KEY, Replicas, replicas, until
from tests.shared.valkey import DEBIAN, Valkey
from tests.tls import Authority

NO_REDIS = pytest.mark.skipif(DEBIAN is None, reason="there is no redis-server")
SHARED = """
[platforms.acme]
adapter = "symphony"
base_url = "{pod}"
credentials = {{ mode = "caller" }}
[shared]
url = "{url}"
key_file = "shared-key"
timeout = 1
"""


async def everything(gateways: Replicas) -> None:
    """All that is shared works."""
    for each in gateways.each:
        assert await each.status(102, caller="web") == "pending_incoming"
    assert gateways.acme.calls.logins == 1
    assert await gateways[0].act(102, "accept", caller="web") == "connected"
    await gateways[1].until_status(102, "connected", caller="web")
    gateways.acme.misbehave(Fault(path="/connection", retry_after=30, times=1))
    assert await gateways[0].status(103, caller="web") == "platform-throttled"
    await gateways[1].until('received_total{kind="throttled"}', 1)
    assert await gateways[1].status(103, caller="web") == "platform-throttled"
    for each in gateways.each:
        assert each.events() == ["shared-store-up"]


BOT = '{{ mode = "bot", username = "demo", private_key_file = "acme.pem" }}'
CALLERS = [caller("web", may=["read", "act"], rate="999999/s")]


@NO_REDIS
async def test_redis_7() -> None:
    server = Valkey(program=DEBIAN or "")
    try:
        async with replicas(server, 2, OWN, callers=CALLERS) as gateways:
            await everything(gateways)
    finally:
        server.close()


@pytest.fixture
def over_tls(tmp_path: Path) -> Iterator[Valkey]:
    """Redis, since the package of Valkey comes without TLS."""
    Authority(tmp_path).server()
    server = Valkey(program=DEBIAN or "")
    files = ("--tls-cert-file", "server.pem", "--tls-key-file", "server.pem", "--tls-ca-cert-file", "ca.pem")
    for option, file in zip(files[::2], files[1::2], strict=True):
        server.client.config_set(option.removeprefix("--"), str(tmp_path / file))
    server.client.config_set("tls-auth-clients", "no")
    server.client.config_set("requirepass", "right")
    server.client.auth("right")
    server.client.config_set("port", 0)
    server.client.config_set("tls-port", server.port)
    server.url = f"rediss://127.0.0.1:{server.port}"
    yield server
    server.close()


@NO_REDIS
async def test_tls_and_a_password(over_tls: Valkey, tmp_path: Path) -> None:
    keys = {"password": "right", "ca_file": str(tmp_path / "ca.pem")}
    async with replicas(over_tls, 2, OWN, callers=CALLERS, tables_of=[keys] * 2) as gateways:
        await everything(gateways)


@NO_REDIS
async def test_a_certificate_of_somebody_else(over_tls: Valkey, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Authority(other)
    keys: dict[str, Any] = {"password": "right", "ca_file": str(other / "ca.pem")}
    async with replicas(over_tls, 1, tables_of=[keys], connected=False) as gateways:
        assert await gateways[0].status(101) == "connected"
        await until(lambda: _events(gateways), ["shared-store-down"])


async def test_a_unix_socket(tmp_path: Path) -> None:
    socket = tmp_path / "valkey.sock"
    server = Valkey("--unixsocket", str(socket))
    server.url = f"unix://{socket}"
    try:
        async with replicas(server, 2, OWN, callers=CALLERS) as gateways:
            await everything(gateways)
    finally:
        server.close()


async def test_a_server_that_is_too_old(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.shared.client.OLDEST", 99)
    async with replicas(valkey, 1, connected=False) as gateways:
        assert await gateways[0].status(101) == "connected"
        await until(lambda: _events(gateways), ["shared-store-down"])
        assert '"error":"TooOld"' in "".join(gateways[0].lines)


async def test_what_is_no_such_server(valkey: Valkey) -> None:
    async def talks(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talks, "127.0.0.1", 0)
    keys = {"url": f"valkey://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    async with server, replicas(valkey, 1, tables_of=[keys], connected=False) as gateways:
        assert await gateways[0].status(101) == "connected"
        await until(lambda: _events(gateways), ["shared-store-down"])


def test_check_tries_it(run: Run, pod: Served, own_valkey: Valkey, tmp_path: Path) -> None:
    (tmp_path / "shared-key").write_text(KEY)
    (tmp_path / "shared-key").chmod(0o600)
    loaded(tmp_path, SHARED.format(pod=pod.url, url=own_valkey.url))
    config = str(tmp_path / "gateway.toml")
    good = run("check", "--config", config)
    assert (good.exit_code, good.output.splitlines()[-1]) == (0, "shared (valkey): ok: it can be used")
    own_valkey.client.config_set("requirepass", "right")
    wrong = run("check", "--config", config, GATEWAY_SHARED__PASSWORD="wrong")
    by_itself = "; each replica is by itself"
    assert (wrong.exit_code, wrong.output.splitlines()[-1]) == (
        1,
        f"shared (valkey): it refuses the user or the password{by_itself}",
    )
    assert run("check", "--config", config, GATEWAY_SHARED__PASSWORD="right").exit_code == 0
    own_valkey.kill()
    gone = run("check", "--config", config)
    assert (gone.exit_code, gone.output.splitlines()[-1]) == (1, f"shared (valkey): no connection{by_itself}")


async def test_an_action_of_a_command_is_seen(run: Run, pod: Served, valkey: Valkey, tmp_path: Path) -> None:
    (tmp_path / "acme.pem").write_text(PEM)
    (tmp_path / "shared-key").write_text(KEY)
    bot = SHARED.replace('{{ mode = "caller" }}', BOT)
    loaded(tmp_path, bot.format(pod=pod.url, url=valkey.url))
    config = str(tmp_path / "gateway.toml")
    first = await asyncio.to_thread(run, "lookup", "--config", config, "acme", "102")
    assert first.exit_code == 0
    again = await asyncio.to_thread(run, "act", "--config", config, "acme", "102", "accept")
    assert again.exit_code == 0
    assert pod.simulator.calls.logins == 1
    assert len(valkey.messages("connection-gateway:messages")) >= 3


async def _events(gateways: Replicas) -> list[str]:
    return gateways[0].events()

"""Certificates that change under the same name: those in the file at a reload are in force after it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from adapters.simulation import Simulator, serving
from adapters.simulation.faults import Fault
from gateway.app import create_app
from gateway.config.converter import from_tables
from gateway.runtime.reload import Reloader
from gateway.telemetry.log import Log
from gateway.transports.trust import ENVIRONMENT
from tests.gateways import OWN, tables
from tests.network.servers import Proxy, over_tls
from tests.tls import Authority

HASHED = "0d001701.0"
"""The name by which OpenSSL finds the certificate of our authorities in a folder."""
BOTH = {"acme": OWN["acme"], "bank": OWN["acme"]}


class Gateway:
    """`app` in front of one pod, by two names, and what it logs about reloads."""

    def __init__(self, **acme: Any) -> None:
        self.lines: list[str] = []
        self._tables = tables(BOTH, {"request_timeout": 30})
        self._tables["platforms"]["acme"] |= acme
        log = Log(self.lines.append)
        self.app: Starlette = create_app(from_tables(self._tables), log=log)
        self._reloading = Reloader(lambda: from_tables(self._tables), self.app.state.snapshots, log)

    async def reload(self) -> str:
        """What the log says of it."""
        before = len(self.lines)
        self._reloading.start()
        async with asyncio.timeout(30):
            while not (said := [line for line in self.lines[before:] if "reloaded" in line]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return said[0]

    async def lookup(self, user: int = 103) -> str:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
            found = (await client.get(f"/v1/connections/acme/{user}")).json()
        return str(found.get("status") if "as_of" in found else found["type"].removeprefix("/problems/"))


@asynccontextmanager
async def running(**acme: Any) -> AsyncIterator[Gateway]:
    gateway = Gateway(**acme)
    async with gateway.app.router.lifespan_context(gateway.app):
        yield gateway


@pytest.fixture(autouse=True)
def _no_certificates_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ENVIRONMENT:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def file(tmp_path: Path, authority: Authority) -> Path:
    """What the configuration or the environment names: at first the right authority."""
    return Path(shutil.copy(authority.file, tmp_path / "trusted.pem"))


async def test_a_new_ca_file_is_in_force_after_a_reload(
    pod: Simulator, authority: Authority, another: Authority, file: Path
) -> None:
    shutil.copy(another.file, file)
    async with over_tls(pod, authority) as url, running(base_url=url, ca_file=str(file)) as gateway:
        assert await gateway.lookup() == "platform-unreachable"
        shutil.copy(authority.file, file)
        assert await gateway.lookup() == "platform-unreachable", "not before the reload"
        assert '"changed":["platforms.acme.ca_file"]' in await gateway.reload()
        assert await gateway.lookup() == "pending_outgoing"


async def test_who_is_trusted_no_more_is_asked_no_more(
    pod: Simulator, authority: Authority, another: Authority, file: Path
) -> None:
    """Also where a connection from before is idle, and could be used again."""
    async with over_tls(pod, authority) as url, running(base_url=url, ca_file=str(file)) as gateway:
        assert await gateway.lookup() == "pending_outgoing"
        shutil.copy(another.file, file)
        await gateway.reload()
        calls = pod.calls.calls
        assert await gateway.lookup() == "platform-unreachable"
        assert pod.calls.calls == calls


async def test_a_call_in_flight_finishes_as_it_began(
    pod: Simulator, authority: Authority, another: Authority, file: Path
) -> None:
    async with over_tls(pod, authority) as url, running(base_url=url, ca_file=str(file)) as gateway:
        await gateway.lookup()
        calls = pod.calls.calls
        pod.misbehave(Fault(path="/info", delay=1.0))
        asking = asyncio.create_task(gateway.lookup())
        while pod.calls.calls == calls:  # noqa: ASYNC110  a simulator counts, it does not tell
            await asyncio.sleep(0.01)
        shutil.copy(another.file, file)
        await gateway.reload()
        assert not asking.done()
        assert await asking == "pending_outgoing"
        assert await gateway.lookup() == "platform-unreachable"


async def test_what_did_not_change_keeps_its_connections(pod: Simulator, authority: Authority, file: Path) -> None:
    ports: set[Any] = set()

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        ports.add(scope["client"])
        await pod(scope, receive, send)

    async with over_tls(counting, authority) as url, running(base_url=url, ca_file=str(file)) as gateway:
        for _ in range(3):
            assert await gateway.lookup() == "pending_outgoing"
            assert "changed" not in await gateway.reload()
        assert len(ports) == 1


@pytest.mark.parametrize("variable", ENVIRONMENT)
async def test_certificates_of_the_environment_are_in_force_after_a_reload(
    pod: Simulator,
    authority: Authority,
    another: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    file = folder / HASHED
    shutil.copy(another.file, file)
    monkeypatch.setenv(variable, str(folder if variable == "SSL_CERT_DIR" else file))
    async with over_tls(pod, authority) as url, running(base_url=url) as gateway:
        assert await gateway.lookup() == "platform-unreachable"
        shutil.copy(authority.file, file)
        assert f'"changed":["{variable}"]' in await gateway.reload()
        assert await gateway.lookup() == "pending_outgoing"


def spoil(file: Path, content: str | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_text(content)


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n", None])
@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE"])
async def test_certificates_that_can_not_be_read_keep_the_old_state(
    pod: Simulator,
    authority: Authority,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
    variable: str | None,
) -> None:
    if variable is not None:
        monkeypatch.setenv(variable, str(file))
    named = {"ca_file": str(file)} if variable is None else {}
    async with over_tls(pod, authority) as url, running(base_url=url, **named) as gateway:
        spoil(file, content)
        said = await gateway.reload()
        assert '"event":"not-reloaded"' in said
        assert (variable or "platforms.acme.ca_file") in said
        assert await gateway.lookup() == "pending_outgoing"


async def test_a_proxy_is_trusted_by_the_new_certificates_too(
    pod: Simulator, authority: Authority, another: Authority, file: Path
) -> None:
    shutil.copy(another.file, file)
    async with (
        serving(pod) as url,
        Proxy(url).running(authority.server()) as way,
        running(base_url="http://pod.example", proxy=way, ca_file=str(file)) as gateway,
    ):
        assert await gateway.lookup() == "platform-unreachable"
        shutil.copy(authority.file, file)
        await gateway.reload()
        assert await gateway.lookup() == "pending_outgoing"

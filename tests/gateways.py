"""A whole gateway in process, in front of a simulated pod (`acme`) and a simulated community (`club`).

Where two platforms of one kind matter, `bank` is another pod.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette

from adapters.settings import PlatformSettings
from adapters.simulation import Simulator, private_key, simulator
from gateway.app import create_app
from gateway.conversion import from_tables
from gateway.telemetry.log import Log
from tests.wire import InProcess

KEY = private_key()
OWN = {
    "acme": {"mode": "bot", "username": "demo", "private_key": KEY},
    "club": {"mode": "token", "token": "demo"},
}
CALLERS = {"acme": {"mode": "caller"}, "club": {"mode": "caller"}}
ADAPTERS = {"acme": "symphony", "club": "selfcommunity", "bank": "symphony"}


class Gateway:
    """`client` asks it, `lines` is its log, `acme` and `club` are the simulators behind it."""

    def __init__(self, credentials: Mapping[str, Mapping[str, Any]], server: Mapping[str, Any]) -> None:
        self.lines: list[str] = []
        self.simulators: dict[str, Simulator] = {
            name: simulator(adapter) for name, adapter in ADAPTERS.items() if name in credentials
        }
        settings = from_tables(tables(credentials, server))
        self.app: Starlette = create_app(settings, log=Log(self.lines.append), wire=self._wire)
        self.client = self.client_at("http://localhost:8080")

    @property
    def acme(self) -> Simulator:
        return self.simulators["acme"]

    @property
    def club(self) -> Simulator:
        return self.simulators["club"]

    @property
    def calls(self) -> int:
        """How often any platform was asked for anything."""
        return sum(each.calls.calls + each.calls.logins for each in self.simulators.values())

    def client_at(self, base_url: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=base_url)

    def logged(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.lines]

    def _wire(self, settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        name = httpx.URL(settings.base_url).host.removesuffix(".example")
        return InProcess(self.simulators[name])


def tables(credentials: Mapping[str, Mapping[str, Any]], server: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Decoded TOML for these platforms."""
    return {
        "server": dict(server or {}),
        "platforms": {
            name: {"adapter": ADAPTERS[name], "base_url": f"http://{name}.example", "credentials": dict(each)}
            for name, each in credentials.items()
        },
    }


@asynccontextmanager
async def running(credentials: Mapping[str, Mapping[str, Any]] = OWN, **server: Any) -> AsyncIterator[Gateway]:
    """A gateway with these credentials and these keys of `[server]`, started and stopped as a server would."""
    gateway = Gateway(credentials, server)
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        yield gateway

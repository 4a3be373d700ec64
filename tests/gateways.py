"""A whole gateway in process, in front of a simulated pod (`acme`) and a simulated community (`club`).

Where two platforms of one kind matter, `bank` is another pod and `guild` another community. `site` is a BuddyPress
site, for tests that ask for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette

from adapters.selfcommunity.simulator import SECRET
from adapters.settings import PlatformSettings
from adapters.simulation import Simulator, private_key, simulator
from gateway.app import create_app
from gateway.auth.callers import key_digest
from gateway.config.converter import from_tables
from gateway.telemetry.log import Log
from tests.wire import Bounded, InProcess

KEY = private_key()
THOUSAND = {"max_calls": 1000, "max_waiting": 1000}
"""For each platform of a gateway that a thousand ask at once."""
OWN = {
    "acme": {"mode": "bot", "username": "demo", "private_key": KEY},
    "club": {"mode": "token", "token": "demo"},
}
CALLERS = {"acme": {"mode": "caller"}, "club": {"mode": "caller"}}
NAMED = {
    "acme": {"mode": "obo", "app_id": "app", "private_key": KEY},
    "club": {"mode": "jwt", "secret": SECRET},
}
UNHURRIED = 60.0
"""Seconds that a call may take where a test doesn't say: no answer depends on how fast the machine is."""
ADAPTERS = {
    "acme": "symphony",
    "club": "selfcommunity",
    "bank": "symphony",
    "guild": "selfcommunity",
    "site": "buddypress",
}


def caller(name: str, **policy: Any) -> dict[str, Any]:
    """An entry of `[[callers]]`. Its key is `key_of(name)`."""
    return {"name": name, "key_sha256": key_digest(key_of(name)), **policy}


def key_of(name: str) -> str:
    return f"key-of-{name}-2f6c9d41"


class Gateway:
    """`client` asks it, `lines` is its log, `acme` and `club` are the simulators behind it."""

    def __init__(
        self,
        credentials: Mapping[str, Mapping[str, Any]],
        callers: Sequence[Mapping[str, Any]],
        server: Mapping[str, Any],
        each: Mapping[str, Any],
        cache: Mapping[str, Any] | None = None,
        watch: Mapping[str, Any] | None = None,
        events: Mapping[str, Any] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self.simulators: dict[str, Simulator] = {
            name: simulator(adapter) for name, adapter in ADAPTERS.items() if name in credentials
        }
        configured = tables(credentials, server, callers, each, cache) | {"watch": dict(watch or {})}
        for name, table in (events or {}).items():
            configured["platforms"][name]["events"] = dict(table)
        settings = from_tables(configured)
        self.log = Log(self.lines.append, server["hash_key"].encode() if "hash_key" in server else None)
        self.app: Starlette = create_app(settings, log=self.log, wire=self._wire)
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

    def client_at(self, base_url: str, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=base_url, headers=headers)

    def as_caller(self, name: str, **headers: str) -> httpx.AsyncClient:
        """A client with this caller's key."""
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        return self.client_at("http://localhost:8080", **{"X-API-Key": key_of(name)}, **named)

    def logged(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.lines]

    def _wire(self, settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        name = httpx.URL(settings.base_url).host.removesuffix(".example")
        return Bounded(InProcess(self.simulators[name]))


def tables(
    credentials: Mapping[str, Mapping[str, Any]],
    server: Mapping[str, Any] | None = None,
    callers: Sequence[Mapping[str, Any]] = (),
    each: Mapping[str, Any] | None = None,
    cache: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Decoded TOML for these platforms, with the keys of `each` in the table of every one.

    Nothing is cached unless `cache` or those keys say so: a test asks the platform as often as it asks.
    """
    return {
        "callers": [dict(each) for each in callers],
        "server": {"request_timeout": UNHURRIED, **(server or {})},
        "cache": {"fresh_for": 0} if cache is None else dict(cache),
        "platforms": {
            name: {"adapter": ADAPTERS[name], "base_url": f"http://{name}.example", "credentials": dict(own)}
            | dict(each or {})
            for name, own in credentials.items()
        },
    }


@asynccontextmanager
async def running(
    credentials: Mapping[str, Mapping[str, Any]] = OWN,
    callers: Sequence[Mapping[str, Any]] = (),
    each: Mapping[str, Any] | None = None,
    cache: Mapping[str, Any] | None = None,
    watch: Mapping[str, Any] | None = None,
    events: Mapping[str, Any] | None = None,
    **server: Any,
) -> AsyncIterator[Gateway]:
    """A gateway with these credentials, callers, keys of every platform, of `[watch]` and of `[server]`, and events by platform, started and
    stopped as a server would.
    """
    gateway = Gateway(credentials, callers, server, each or {}, cache, watch, events)
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        yield gateway

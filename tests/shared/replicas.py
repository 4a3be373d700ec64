"""Several gateways in this process, which share a real store and the same simulated platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
import msgspec

from adapters.settings import PlatformSettings
from adapters.simulation import Simulator, simulator
from gateway.app import create_app
from gateway.config.converter import from_tables
from gateway.telemetry.log import Log
from tests.gateways import ADAPTERS, OWN, key_of, tables
from tests.shared.valkey import PATIENCE, Valkey
from tests.wire import Bounded, InProcess

KEY: Final = "7d" * 32
OTHER_KEY: Final = "4b" * 32
KEPT: Final = {"fresh_for": 3600.0, "stale_for": 7200.0}
"""Nothing grows old in a test."""


class Replica:
    """One gateway: `client` asks it, `lines` is its log."""

    def __init__(self, configuration: Mapping[str, Any], platforms: Mapping[str, Simulator]) -> None:
        self.lines: list[str] = []
        self._configuration = configuration
        self._platforms = platforms
        self.app = create_app(from_tables(dict(configuration)), log=Log(self.lines.append), wire=self._wire)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost:8080")

    async def status(self, user: int, platform: str = "acme", **headers: str) -> str:
        """The status that it tells, or the slug of a problem."""
        return told(await self.client.get(f"/v1/connections/{platform}/{user}", headers=named(headers)))

    async def act(self, user: int, action: str, platform: str = "acme", **headers: str) -> str:
        return told(await self.client.post(f"/v1/connections/{platform}/{user}/{action}", headers=named(headers)))

    def reload(self, **tables: Any) -> None:
        """Exchange these tables of the configuration."""
        self.app.state.snapshots.reload(from_tables({**self._configuration, **tables}))

    def events(self, beginning: str = "shared-") -> list[str]:
        """What stands in the log of the store."""
        lines = (msgspec.json.decode(line) for line in self.lines)
        return [each["event"] for each in lines if each["event"].startswith(beginning)]

    async def metric(self, name: str) -> float:
        text = (await self.client.get("/metrics")).text
        (line,) = [each for each in text.splitlines() if each.startswith(f"connection_gateway_shared_{name} ")]
        return float(line.split()[1])

    async def until(self, metric: str, value: float) -> None:
        await until(lambda: self.metric(metric), value)

    async def until_status(self, user: int, status: str, **headers: str) -> None:
        await until(lambda: self.status(user, **headers), status)

    def _wire(self, settings: PlatformSettings) -> httpx.AsyncBaseTransport:
        name = httpx.URL(settings.base_url).host.removesuffix(".example")
        return Bounded(InProcess(self._platforms[name]))


class Replicas:
    """All of them, and the platforms behind them."""

    def __init__(self, platforms: Mapping[str, Simulator]) -> None:
        self.platforms = platforms
        self.each: list[Replica] = []

    @property
    def acme(self) -> Simulator:
        return self.platforms["acme"]

    @property
    def club(self) -> Simulator:
        return self.platforms["club"]

    def __getitem__(self, place: int) -> Replica:
        return self.each[place]

    async def until_connected(self) -> None:
        for each in self.each:
            await each.until("up", 1)
            await each.until("following", 1)


def named(headers: Mapping[str, str]) -> dict[str, str]:
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    if "caller" in found:
        found["X-API-Key"] = key_of(found.pop("caller"))
    return found


def told(answer: httpx.Response) -> str:
    content = answer.json()
    return str(content["type"].removeprefix("/problems/") if answer.is_error else content["status"])


async def until(look: Any, expected: object) -> None:
    """Wait until `look` finds that."""
    found: object = None
    for _ in range(int(PATIENCE / 0.01)):
        found = await look()
        if found == expected:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"expected {expected!r}, and it stays {found!r}")


def shared(store: Valkey, **keys: Any) -> dict[str, Any]:
    """The table `[shared]`. Nothing depends on how fast the machine is, unless a test says so."""
    return {"url": store.url, "key": KEY, "timeout": 1.0, **keys}


@asynccontextmanager
async def replicas(
    store: Valkey,
    count: int = 2,
    credentials: Mapping[str, Mapping[str, Any]] = OWN,
    *,
    callers: Sequence[Mapping[str, Any]] = (),
    each: Mapping[str, Any] | None = None,
    tables_of: Sequence[Mapping[str, Any]] = ({}, {}, {}),
    server: Mapping[str, Any] | None = None,
    connected: bool = True,
    platforms: Mapping[str, Simulator] | None = None,
    credentials_of: Sequence[Mapping[str, Mapping[str, Any]]] | None = None,
    watch: Mapping[str, Any] | None = None,
    events: Mapping[str, Any] | None = None,
) -> AsyncIterator[Replicas]:
    """So many gateways, started and connected; `tables_of` are keys of `[shared]` that each has apart."""
    found = Replicas(platforms or {name: simulator(ADAPTERS[name]) for name in credentials})
    async with AsyncExitStack() as stack:
        for place in range(count):
            own = credentials if credentials_of is None else credentials_of[place]
            configuration = tables(own, server, callers, each, KEPT)
            configuration["watch"] = dict(watch or {})
            for name, table in (events or {}).items():
                configuration["platforms"][name]["events"] = dict(table)
            configuration["shared"] = shared(store, **tables_of[place])
            replica = Replica(configuration, found.platforms)
            found.each.append(replica)
            await stack.enter_async_context(replica.app.router.lifespan_context(replica.app))
            await stack.enter_async_context(replica.client)
        if connected:
            await found.until_connected()
        yield found

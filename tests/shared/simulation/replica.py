"""One replica without HTTP: its platform, and its part of what is shared, over the simulated network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

import httpx

from adapters.contract import Viewer
from adapters.user_ids import UserKey
from gateway.config.converter import from_tables
from gateway.platforms.platform import Platform
from gateway.platforms.registry import PlatformRegistry
from gateway.platforms.remote_changes import RemoteChanges
from gateway.shared.metrics import SharedMetrics
from gateway.shared.replicas import Shared
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics
from tests.gateways import NAMED, caller, tables
from tests.shared.replicas import KEPT, KEY
from tests.shared.simulation.network import Link
from tests.shared.simulation.pod import VIEWERS, Key

REQUEST_TIMEOUT: Final = 2.0
SETTINGS: Final = from_tables(
    tables(
        {"acme": NAMED["acme"]},
        {"request_timeout": REQUEST_TIMEOUT},
        [caller("web", on_behalf_of=["*"])],
        cache=KEPT,
    )
    | {"shared": {"url": "valkey://store.example", "key": KEY}}
)
VIEWER: Final = {0: Viewer.own("acme")} | {number: Viewer.named("acme", number) for number in VIEWERS}
"""By number; 0 is the app that speaks for the others."""
NUMBERS: Final = {viewer.key: number for number, viewer in VIEWER.items()}


class Observers(NamedTuple):
    """Told what reached a replica, after it was applied."""

    evicted: Callable[[int, Key | None], None]
    """what is not to be served any more: None for everything"""
    throttled: Callable[[int, float], None]


class Changes(RemoteChanges):
    """Those of the gateway, observed."""

    def __init__(self, registry: PlatformRegistry, number: int, observers: Observers) -> None:
        super().__init__(registry)
        self._number = number
        self._observers = observers

    def evict(self, platform: str, viewer: bytes, user_id: UserKey) -> None:
        super().evict(platform, viewer, user_id)
        self._observers.evicted(self._number, (NUMBERS[viewer], int(user_id)))

    def throttle(self, platform: str, scope: bytes, seconds: float) -> None:
        super().throttle(platform, scope, seconds)
        self._observers.throttled(self._number, seconds)

    def clear(self) -> None:
        super().clear()
        self._observers.evicted(self._number, None)


class Replica:
    """Started and stopped as a process is. What it knows is gone then; the `link` is its machine's."""

    def __init__(self, link: Link, wire: httpx.AsyncBaseTransport, observers: Observers) -> None:
        self.link = link
        self._wire = wire
        self._observers = observers
        self._requests: set[asyncio.Task[None]] = set()
        self.is_running = False
        """whether it takes requests"""

    def start(self) -> None:
        assert SETTINGS.shared is not None
        metrics = Metrics()
        log = Log(lambda _line: None)
        self.shared = Shared(
            SETTINGS.shared,
            SETTINGS.platforms,
            log,
            SharedMetrics(metrics.registry),
            request_timeout=REQUEST_TIMEOUT,
            connect=self.link.connect,
        )
        self._registry = PlatformRegistry(
            SETTINGS, wire=lambda _settings: self._wire, warn=log.warn, metrics=metrics, replicas=self.shared
        )
        self.shared.changes = Changes(self._registry, self.link.replica, self._observers)
        self.shared.start()
        self.started_at = asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """After the requests that it has."""
        self.is_running = False
        while self._requests:
            await asyncio.gather(*self._requests)
        await self._registry.aclose()
        await self.shared.aclose()

    @property
    def platform(self) -> Platform:
        return self._registry.platforms["acme"]

    @property
    def unconfirmed(self) -> int:
        """Messages of which it did not know, when it stopped, that others can read them."""
        return len(self.shared._confirmations)  # noqa: SLF001

    def lease_of(self, number: int) -> str:
        """The name of this viewer's lease in the store, which nobody else needs to know."""
        return self.shared._tokens["acme"]._name_of_lease(VIEWER[number])  # noqa: SLF001

    async def until_done(self) -> None:
        while self._requests:
            await asyncio.gather(*self._requests)

    def begin(self, request: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a request, unless it takes none now."""
        if self.is_running:
            task = asyncio.create_task(request())
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)

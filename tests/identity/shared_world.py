"""The same world with two processes, which share over one store. Requests go to them in turn.

The store is the simulated one, since time is simulated as well.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from random import Random
from typing import Any, ClassVar, Final, NamedTuple
from unittest.mock import patch

from starlette.applications import Starlette

from gateway.config.settings import Settings
from gateway.runtime.reload import Reloader
from gateway.shared.metrics import SharedMetrics
from gateway.shared.replicas import Shared
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics
from tests.identity.machine import Identities
from tests.identity.world import World
from tests.shared.simulation.network import Link, Weather
from tests.shared.simulation.server import Server

PROCESSES: Final = 2
SOON: Final = 0.1
"""Seconds in which what happened at one process is known to the other."""
TABLE: Final = """
[shared]
url = "valkey://store.example"
key_file = "shared-key"
"""


class Process(NamedTuple):
    app: Starlette
    reloading: Reloader


class SharedWorld(World):
    messages: ClassVar[int] = 0
    """over all worlds: what processes told each other"""

    def __init__(self) -> None:
        self._server: Server | None = None
        super().__init__()

    def close(self) -> None:
        assert self._server is not None
        SharedWorld.messages += self._server.state.added
        super().close()

    def reload(self, policies: int, own: Mapping[str, int]) -> None:
        super().reload(policies, own)
        for process in self._processes[:-1]:  # the last one has been
            self.loop.call_soon(process.reloading.start)
        self.run(asyncio.sleep(SOON))

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: Any = None
    ) -> tuple[int, dict[str, Any]]:
        self._app = next(self._turns).app
        answer = await super().ask(method, path, headers, body)
        if method == "POST":
            await asyncio.sleep(SOON)
        return answer

    def _configure(self) -> None:
        self._write("shared-key", "7d" * 32)
        super()._configure()
        file = self.folder / "gateway.toml"
        file.write_text(file.read_text() + TABLE)

    async def _start(self) -> None:
        self._server = self._server or Server(1.7e9)
        self._processes: list[Process] = []
        self._running = AsyncExitStack()
        for number in range(PROCESSES):
            link = Link(number, self._server, Random(number), Weather())  # noqa: S311
            with patch("gateway.app.shared_of", _over(link)):
                await super()._start()
            self._running.push_async_exit(self._lifespan)
            self._processes.append(Process(self._app, self._reloading))
        self._turns = itertools.cycle(self._processes)
        await asyncio.sleep(SOON)

    async def _stop(self) -> None:
        await self._running.aclose()


def _over(link: Link) -> Callable[[Settings, Log, Metrics], Shared]:
    """As `gateway.app.shared_of`, over this link."""

    def shared_of(settings: Settings, log: Log, metrics: Metrics) -> Shared:
        assert settings.shared is not None
        return Shared(
            settings.shared,
            settings.platforms,
            log,
            SharedMetrics(metrics.registry),
            request_timeout=settings.server.request_timeout,
            connect=link.connect,
        )

    return shared_of


class SharedIdentities(Identities):
    world_type: ClassVar[type[World]] = SharedWorld

"""SIGHUP: read the configuration again, and put in force what can be without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.generation import Generations
from gateway.settings import ConfigurationError, Settings
from gateway.telemetry.log import Log


class Reloading:
    """`read` gives the settings as they are now. It runs in a thread: parsing a key takes 40 ms."""

    def __init__(self, read: Callable[[], Settings], generations: Generations, log: Log) -> None:
        self._read = read
        self._generations = generations
        self._log = log
        self._under_way: asyncio.Task[None] | None = None
        self._once_more = False

    def start(self) -> None:
        """Begin, or once more after the one under way: what it has read may be old by now."""
        if self._under_way is None:
            self._under_way = asyncio.get_running_loop().create_task(self._run())
        else:
            self._once_more = True

    async def _run(self) -> None:
        try:
            await self._reload()
        finally:
            self._under_way = None
        if self._once_more:
            self._once_more = False
            self.start()

    async def _reload(self) -> None:
        try:
            settings = await asyncio.to_thread(self._read)
            renewal = self._generations.renew(settings)
        except ConfigurationError as error:
            self._log.line("not-reloaded", level="error", configuration=str(error))
            return
        except Exception as error:  # noqa: BLE001  whatever it is, what was in force still is
            self._log.failure("not-reloaded", error)
            return
        self._log.line("reloaded", changed=renewal.exchanged)
        self._log.warnings(settings.warnings)
        for setting in renewal.beyond:
            self._log.line("needs-restart", level="warning", setting=setting)

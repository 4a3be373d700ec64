"""Reloads the configuration on SIGHUP, as far as that needs no restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from adapters.daemon_thread import DaemonThread
from gateway.config.settings import ConfigurationError, Settings
from gateway.runtime.snapshot import Snapshots
from gateway.telemetry.log import Log
from gateway.telemetry.metrics import Metrics
from gateway.transports.trust import Authorities, CertificateSource

READ_WITHIN: Final = 30.0
"""Seconds that reading may take: a file on a mount whose server is gone hangs for good."""


class Reloader:
    """`read` gives the settings as they are now. It runs in a thread: it takes a while, and files may hang."""

    def __init__(
        self,
        read: Callable[[], Settings],
        snapshots: Snapshots,
        log: Log,
        *,
        on_begin: Callable[[], None] = lambda: None,
        on_end: Callable[[], None] = lambda: None,
        metrics: Metrics | None = None,
    ) -> None:
        self._read = read
        self._snapshots = snapshots
        self._log = log
        self._on_begin = on_begin
        self._on_end = on_end
        self._metrics = metrics or Metrics()
        self._thread = DaemonThread()
        self._under_way: asyncio.Task[None] | None = None
        self.runs_again = False
        """whether another reload follows the one under way"""
        self.succeeded = True
        """whether the last reload did"""

    def start(self) -> None:
        """Begin, or once more after the one under way: what it has read may be old by now."""
        if self._under_way is None:
            self._under_way = asyncio.get_running_loop().create_task(self._run())
        else:
            self.runs_again = True

    async def _run(self) -> None:
        self._on_begin()
        try:
            self.succeeded = await self._reload()
            self._metrics.reloaded(is_good=self.succeeded)
        finally:
            self._under_way = None
            self._on_end()
        if self.runs_again:
            self.runs_again = False
            self.start()

    async def _reload(self) -> bool:
        """Whether the configuration is in force now."""
        try:
            settings, certificates = await self._read_all()
            reloaded = self._snapshots.reload(settings, certificates)
        except ConfigurationError as error:
            self._log.line("not-reloaded", level="error", configuration=str(error))
            return False
        except TimeoutError:
            hangs = f"a file could not be read within {READ_WITHIN:g} s"
            self._log.line("not-reloaded", level="error", configuration=hangs)
            return False
        except Exception as error:  # noqa: BLE001  whatever it is, what was in force still is
            self._log.failure("not-reloaded", error)
            return False
        self._log.line("reloaded", changed=reloaded.exchanged)
        self._log.warnings(each.logged for each in settings.warnings)
        for setting in reloaded.needs_restart:
            self._log.line("needs-restart", level="warning", setting=setting)
        return True

    async def _read_all(self) -> tuple[Settings, Mapping[CertificateSource, Authorities]]:
        """Where an earlier reading still hangs, this one waits for its turn, and no longer than for itself."""

        def read() -> tuple[Settings, Mapping[CertificateSource, Authorities]]:
            settings = self._read()
            return settings, self._snapshots.read_certificates(settings)

        reading = asyncio.get_running_loop().run_in_executor(self._thread, read)
        return await asyncio.wait_for(reading, READ_WITHIN)

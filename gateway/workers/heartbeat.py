"""Looks after workers whose event loop hangs, and tells the service manager that the parent's own does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from gateway.server.notifier import Notifier
from gateway.workers.channel import Kind
from gateway.workers.log import ParentLog
from gateway.workers.process import Worker

PING_INTERVAL: Final = 5.0
"""Seconds."""
UNANSWERED: Final = 6
"""Pings without an answer after which a worker is killed."""


async def watch_over(running: Mapping[int, Worker], log: ParentLog, interval: float) -> None:
    """Kill workers that hang. Pings are counted, so time in which all processes were stopped is nobody's fault."""
    while True:
        await asyncio.sleep(interval)
        for each in [each for each in running.values() if each.is_ready]:
            if each.pings == UNANSWERED:
                log.line("worker-hangs", level="error", worker=each.number)
                each.kill()
            each.pings += 1
            each.send(Kind.PING)


async def feed_watchdog(notifier: Notifier) -> None:
    """Tell the service manager of each sign of life that it waits for."""
    while (interval := notifier.watchdog_interval) is not None:
        notifier.alive()
        await asyncio.sleep(interval)

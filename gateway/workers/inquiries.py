"""What the parent asks all workers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from gateway.workers.channel import Kind
from gateway.workers.process import Gone, Worker

MEASURED_WITHIN: Final = 1.0
"""Seconds after which a worker counts with the metrics that it told of last."""
RELOADED_WITHIN: Final = 60.0
"""Seconds after which the next worker is told to reload: longer than a worker tries."""


async def measure_all(workers: Iterable[Worker]) -> None:
    """Ask workers for their metrics, which they then have."""
    asking = [asyncio.ensure_future(each.ask(Kind.MEASURE, Kind.MEASURED)) for each in workers]
    if asking:
        await asyncio.wait(asking, timeout=MEASURED_WITHIN)
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def reload_all(workers: Iterable[Worker]) -> None:
    """Tell workers to reload, one after another, up to the first that refuses the configuration."""
    for worker in workers:
        if not await _reload(worker):
            return


async def _reload(worker: Worker) -> bool:
    """Whether this worker has not refused the configuration. One that has ended reads it when it is replaced."""
    try:
        async with asyncio.timeout(RELOADED_WITHIN):
            await worker.until_ready()
            return (await worker.ask(Kind.RELOAD, Kind.RELOADED)).ok
    except (Gone, TimeoutError):
        return True

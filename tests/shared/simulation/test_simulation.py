"""Replicas in a world where everything fails in any order, over many seeds. `SIMULATION_SEEDS=10000` runs more."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from typing import Final

from tests import clock
from tests.shared.simulation.world import World

ENOUGH: Final = 150


def simulate(seed: int) -> Counter[str]:
    """What happened. Raises an ExceptionGroup, or an AssertionError, where something must not."""
    unhandled: list[Exception] = []

    async def main() -> Counter[str]:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, told: unhandled.append(told["exception"]))
        random.seed(seed)  # the pauses of the store's probes
        world = World(seed)
        await world.run()
        return world.counts

    counts = clock.run(main())
    if unhandled:
        raise ExceptionGroup(f"seed {seed}", unhandled)
    return counts


def test_replicas_agree_whatever_fails(tell: Callable[[str], None]) -> None:
    counts: Counter[str] = Counter()
    seeds = int(os.environ.get("SIMULATION_SEEDS", ENOUGH))
    for seed in range(seeds):
        try:
            counts += simulate(seed)
        except Exception as failure:
            failure.add_note(f"seed {seed}")
            raise
    told = ", ".join(f"{times:,} {what}" for what, times in counts.most_common())
    tell(f"replicas: {seeds:,} seeds ({told})")
    assert min(counts[each] for each in ("lookups", "evictions", "gaps", "windows of others", "logins")) > seeds / 10

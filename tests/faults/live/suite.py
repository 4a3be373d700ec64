"""All that is done, by name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from tests.faults.live.figures import Figure, Scale
from tests.faults.live.hostile import HOSTILE
from tests.faults.live.large_lists import large_lists
from tests.faults.live.moving import moving
from tests.faults.live.scenarios import SCENARIOS, Scenario
from tests.faults.live.soak import soak

ALL: Final[dict[str, Scenario]] = {**SCENARIOS, **HOSTILE, "large-lists": large_lists, "soak": soak}

LONG_ONLY: Final[dict[str, Scenario]] = {"moving": moving}
"""What takes as long however little is done: `make test` leaves it out."""


def run(name: str, folder: Path, port: int, scale: Scale) -> list[Figure]:
    """What one of them found."""

    async def to_the_end() -> list[Figure]:
        figures = await {**ALL, **LONG_ONLY}[name](folder, port, scale)
        await asyncio.sleep(0.1)  # until all connections that were closed are
        return figures

    return asyncio.run(to_the_end())

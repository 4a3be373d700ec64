"""One platform's list is as large as may be, and the other platform's callers wait no longer for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from tests.faults.live.callers import Answer, Caller, at_once, share
from tests.faults.live.figures import Figure, Scale
from tests.faults.live.large_pod import LISTS, large_pod
from tests.faults.live.processes import gateway, simulated
from tests.faults.live.scenarios import STATUSES, of_club

LONGEST_WAIT: Final = 0.05
"""Seconds."""
TIMES: Final = 3
"""that each list is asked for"""
REFUSED: Final = frozenset({"of badly typed entries", "with one badly typed entry in a hundred"})


async def large_lists(folder: Path, port: int, scale: Scale) -> list[Figure]:
    """Lists of 16 MB, valid or not, and callers of another platform beside."""
    found: list[Figure] = []
    async with simulated("selfcommunity") as club:
        for name in LISTS:
            told = "platform-invalid-answer" if name in REFUSED else "pending_incoming"
            async with (
                large_pod(name) as acme,
                gateway(folder, port, {"acme": acme, "club": club.url}, request_timeout=30),
            ):
                await at_once(port, 4, of_club, seconds=1.0)
                quiet = await at_once(port, 4, of_club, seconds=scale.seconds / 2)
                listing = asyncio.create_task(at_once(port, 1, the_list, most=TIMES))
                beside: list[Answer] = []
                while not listing.done():
                    beside += await at_once(port, 4, of_club, most=20)
                kinds = {each.kind for each in await listing}
            wrong = sum(each.kind not in STATUSES for each in beside)
            latest, usual = share(beside, 1.0), share(quiet, 1.0)
            what = f"a list of 16 MB {name}"
            found += [
                Figure(f"{what}: what is told", " ".join(sorted(kinds)), told, kinds == {told}),
                Figure(f"{what}: others' answers", f"{len(beside):,}, {wrong} wrong", "0 wrong", not wrong),
                Figure(
                    f"{what}: the longest that others waited",
                    f"{latest * 1e3:.0f} ms, {usual * 1e3:.0f} ms without",
                    f"at most {LONGEST_WAIT * 1e3:.0f} ms",
                    latest <= LONGEST_WAIT,
                    is_timing=True,
                ),
            ]
    return found


async def the_list(caller: Caller) -> Answer:
    return await caller.get("/v1/connections?platform=acme&status=pending_incoming&limit=1")

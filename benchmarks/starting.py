"""From spawning a server to its first 200, and what it holds then without having done anything."""

from __future__ import annotations

from typing import Final, NamedTuple

from benchmarks.servers import BARE, FASTAPI, FASTIFY, GATEWAY, HEADERS, PATH, STARLETTE, Servers

ROWS: Final = (GATEWAY, FASTAPI, STARLETTE, FASTIFY, BARE)
MOST_MEMORY: Final = 60.0
"""MB that the gateway may hold."""
LONGEST: Final = 0.6
"""Seconds that it may take."""


class Start(NamedTuple):
    seconds: float
    memory: float
    """MB"""


def measure(servers: Servers, rounds: int, absent: set[str]) -> dict[str, list[Start]]:
    """One start before the counted ones writes the bytecode."""
    found: dict[str, list[Start]] = {name: [] for name in ROWS if name not in absent}
    for round_ in range(rounds + 1):
        for name, starts in found.items():
            process = servers.start(name)
            seconds = process.wait("/readyz", {}) if name == GATEWAY else process.wait(PATH, HEADERS)
            memory = process.memory()
            servers.stop(process)
            if round_:
                starts.append(Start(seconds, memory))
    return found

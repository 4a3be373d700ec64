"""How the cost of a lookup grows with callers, users, viewers, processes and what is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from benchmarks import load
from benchmarks.load import Asked
from benchmarks.processes import Process
from benchmarks.scenarios import NUMBERS, Instrumented, check, median, one_round
from benchmarks.servers import CACHED, FASTAPI, FASTIFY, GATEWAY, Servers

CONCURRENT: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
USERS: Final = (1, 10, 100, 1000)
VIEWERS: Final = (1, 10, 100, 1000, 10_000)
ENTRIES: Final = (100, 1000, 10_000, 100_000)
SECONDS: Final = 1.0


class Table(NamedTuple):
    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


Curves = dict[str, list[tuple[int, float]]]
"""By server, CPU per lookup in µs over how many ask at once."""


def over_concurrency(servers: Servers, rounds: int, absent: set[str]) -> tuple[Table, Curves]:
    """The gateway beside two that ask once for each lookup."""
    names = [name for name in (GATEWAY, FASTIFY, FASTAPI) if name not in absent]
    running = [_ready(servers, name) for name in names]
    curves: Curves = {name: [] for name in names}
    rows = []
    for at_once in CONCURRENT:
        cells = [str(at_once)]
        for each, found in zip(running, _in_turns(running, rounds, at_once, distinct), strict=True):
            curves[each.name].append((at_once, median(found, "cpu")))
            cells += [f"{median(found, 'cpu'):.0f}", f"{median(found, 'p50'):.1f}"]
        rows.append(tuple(cells))
    servers.stop(*running)
    columns = ("at once", *(f"{name}: {what}" for name in names for what in ("CPU, µs", "p50, ms")))
    return Table("every lookup another user, one viewer", columns, rows), curves


def over_users(servers: Servers, rounds: int) -> Table:
    gateway = _ready(servers, GATEWAY)
    rows = []
    for users in USERS:
        (found,) = _in_turns([gateway], rounds, 4, partial(_lookups_of, users))
        cpu, p50 = median(found, "cpu"), median(found, "p50")
        rows.append((f"{users:,}", f"{cpu / 1000:.2f}", f"{cpu / users:.0f}", f"{p50:.1f}"))
    servers.stop(gateway)
    columns = ("users in one `POST /v1/lookup`", "CPU per call, ms", "CPU per user, µs", "p50, ms")
    return Table("4 calls at once", columns, rows)


def over_viewers(servers: Servers, rounds: int) -> Table:
    gateway = _ready(servers, GATEWAY)
    rows = []
    for viewers in VIEWERS:
        (found,) = _in_turns([gateway], rounds, 32, partial(_as_one_of, viewers))
        rows.append((f"{viewers:,}", f"{median(found, 'cpu'):.0f}", f"{median(found, 'memory'):.0f}"))
    servers.stop(gateway)
    return Table(
        "32 at once, every lookup another user", ("viewers in turn", "CPU per lookup, µs", "memory, MB"), rows
    )


def over_processes(servers: Servers, rounds: int) -> Table:
    """Both on the one core that servers have here, so what is compared is the cost, not the speed."""
    two = [_ready(servers, GATEWAY), _ready(servers, GATEWAY)]
    rows = []
    for processes in (two[:1], two):
        found = [one_round(processes, 32, distinct(), SECONDS) for _ in range(rounds + 1)][1:]
        rows.append((str(len(processes)), f"{median(found, 'cpu'):.0f}", f"{median(found, 'memory'):.0f}"))
    servers.stop(*two)
    return Table("32 at once, spread over them", ("processes", "CPU per lookup, µs", "memory of all, MB"), rows)


def over_entries(servers: Servers, rounds: int) -> Table:
    gateway = _ready(servers, CACHED)
    rows = []
    filled = 0
    for entries in ENTRIES:
        fill = (load.lookup_of_many(list(range(start + 1, start + 101))) for start in range(filled, entries, 100))
        one_round([gateway], 1, fill, seconds=600, most=(entries - filled) // 100)
        filled = entries
        (found,) = _in_turns([gateway], rounds, 32, partial(_kept, entries), awake=True)
        rows.append((f"{entries:,}", f"{median(found, 'cpu'):.0f}", f"{median(found, 'memory'):.0f}"))
    servers.stop(gateway)
    columns = ("entries", "CPU per hit, µs", "memory, MB")
    return Table("32 at once, all that is kept in turn", columns, rows)


def distinct() -> Iterator[Asked]:
    return (load.lookup(number) for number in NUMBERS)


def _lookups_of(users: int) -> Iterator[Asked]:
    while True:
        yield load.lookup_of_many(list(itertools.islice(NUMBERS, users)))


def _as_one_of(viewers: int) -> Iterator[Asked]:
    return (load.lookup(number, f"the-token-of-viewer-{number % viewers}") for number in NUMBERS)


def _kept(entries: int) -> Iterator[Asked]:
    return (load.lookup(number + 1) for number in itertools.cycle(range(entries)))


def _ready(servers: Servers, name: str) -> Process:
    process = servers.ready(name)
    check(process)
    return process


def _in_turns(
    processes: Sequence[Process],
    rounds: int,
    at_once: int,
    asking: Callable[[], Iterator[Asked]],
    *,
    awake: bool = False,
) -> list[list[Instrumented]]:
    """Of each process; the first of the rounds is not counted."""
    found: list[list[Instrumented]] = [[] for _ in processes]
    for round_ in range(rounds + 1):
        for each, measured in zip(processes, found, strict=True):
            one = one_round([each], at_once, asking(), SECONDS, awake=awake)
            if round_:
                measured.append(one)
    return found

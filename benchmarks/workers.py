"""What a second worker adds on two cores, which both may use: one and two workers take turns in one run."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from typing import Final

from benchmarks import load
from benchmarks.figures import Figure
from benchmarks.load import Asked
from benchmarks.scenarios import Instrumented, check, one_round
from benchmarks.servers import ONE_WORKER, TWO_WORKERS, Servers

AT_ONCE: Final = 32
USERS: Final = 200
"""In one `POST /v1/lookup`, all of them cached: the callers, who share the cores, have little to do for it."""
SECONDS: Final = 1.5
WANTED: Final = 1.7
"""Times the requests per second of one worker."""
Found = dict[str, list[Instrumented]]


def measure(servers: Servers, rounds: int) -> Found:
    """Both, in each of the rounds; one more comes first, and is not counted."""
    running = [servers.ready(name) for name in (ONE_WORKER, TWO_WORKERS)]
    for each in running:
        check(each)
    found: Found = {each.name: [] for each in running}
    for round_ in range(rounds + 1):
        for each in running:
            measured = one_round([each], AT_ONCE, _asking(), SECONDS)
            if round_:
                found[each.name].append(measured)
    servers.stop(*running)
    return found


def figure(found: Found) -> Figure:
    """The median of the ratios in each round."""
    pairs = zip(found[TWO_WORKERS], found[ONE_WORKER], strict=True)
    ratio = statistics.median(two.per_second / one.per_second for two, one in pairs)
    text = f"requests per second of two workers on two cores, {USERS} cached users each, against one worker"
    return Figure(text, f"{ratio:.2f} times", f"at least {WANTED:g} times", ratio >= WANTED)


def _asking() -> Iterator[Asked]:
    return itertools.repeat(load.lookup_of_many(list(range(1, USERS + 1))))

"""What is measured side by side, in rounds that take turns: a busy moment of the machine spoils no row alone."""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.request import Request, urlopen

import uvloop

from benchmarks import load, nginx
from benchmarks.load import Asked
from benchmarks.processes import Process
from benchmarks.servers import (
    BARE,
    CACHED,
    FASTAPI,
    FASTIFY,
    GATEWAY,
    HEADERS,
    NJS,
    PATH,
    PROXY,
    STARLETTE,
    Servers,
)

SECONDS: Final = 0.7
"""Of one round of one server. Six of them have to fit into 5 s: httpx lets connections go that were idle for so long,
and where it has to open all of them again at once, its pool is larger afterwards and a lookup costs it twice as much.
That would flatter us."""
EVERYBODY: Final = (GATEWAY, FASTAPI, STARLETTE, FASTIFY, NJS, PROXY)
NUMBERS: Final = itertools.count(int(time.time()) * 10**6)
"""User ids: none is asked for twice."""


class Scenario(NamedTuple):
    title: str
    at_once: int
    servers: tuple[str, ...]
    asking: Callable[[str], Iterator[Asked]]
    awake: bool = False
    """whether callers have a core of their own, because the platform is not asked"""


class Instrumented(NamedTuple):
    """Of one server in one round."""

    cpu: float
    """microseconds per request"""
    per_second: float
    p50: float
    p99: float
    """milliseconds"""
    memory: float
    """MB, after it"""


def distinct(_server: str) -> Iterator[Asked]:
    return (load.lookup(number) for number in NUMBERS)


def viewers(_server: str) -> Iterator[Asked]:
    return (load.lookup(number, f"the-token-of-viewer-{number}") for number in NUMBERS)


def few(server: str) -> Iterator[Asked]:
    """A hundred users, again and again. The bare route says the same of all."""
    expected = b'"stale":false' if server == BARE else None
    asked = [load.lookup(769_658_112_000 + number, expected=expected) for number in range(100)]
    return itertools.cycle(asked)


SCENARIOS: Final = {
    "distinct": Scenario("32 at once, one viewer, every lookup another user", 32, EVERYBODY, distinct),
    "viewers": Scenario("32 at once, every lookup another viewer and another user", 32, EVERYBODY, viewers),
    "cached": Scenario("32 at once, a hundred users again and again", 32, (CACHED, BARE), few, awake=True),
    "lone": Scenario("one at a time, every lookup another user", 1, EVERYBODY, distinct),
}


def measure(servers: Servers, scenario: Scenario, rounds: int, absent: set[str]) -> dict[str, list[Instrumented]]:
    """Every server that takes part, in each of the rounds; one more comes first, and is not counted."""
    running = [servers.ready(name) for name in scenario.servers if name not in absent]
    for each in running:
        check(each)
    found: dict[str, list[Instrumented]] = {each.name: [] for each in running}
    for round_ in range(rounds + 1):
        for each in running:
            measured = one_round([each], scenario.at_once, scenario.asking(each.name), awake=scenario.awake)
            if round_:
                found[each.name].append(measured)
    servers.stop(*running)
    return found


def one_round(
    processes: list[Process],
    at_once: int,
    asking: Iterator[Asked],
    seconds: float = SECONDS,
    most: int = 10**9,
    *,
    awake: bool = False,
) -> Instrumented:
    before = sum(each.cpu() for each in processes)
    ports = [each.port for each in processes]
    run = uvloop.run(load.run(ports, at_once, asking, seconds=seconds, most=most, awake=awake))
    spent = sum(each.cpu() for each in processes) - before
    return Instrumented(
        cpu=spent / run.requests * 1e6,
        per_second=run.requests / run.seconds,
        p50=run.latency(0.5) * 1e3,
        p99=run.latency(0.99) * 1e3,
        memory=sum(each.memory() for each in processes),
    )


def check(server: Process) -> None:
    """That it says what all say, field by field, before anything is timed."""
    url = f"http://127.0.0.1:{server.port}{PATH}"
    with urlopen(Request(url, headers=HEADERS), timeout=5) as answer:
        said = json.load(answer)
    if server.name == PROXY:
        expected = json.loads(nginx.NATIVE % PATH.rpartition("/")[2])
    else:
        expected = {
            "platform": "acme",
            "user_id": PATH.rpartition("/")[2],
            "status": "pending_outgoing",
            "native_status": "PENDING_OUTGOING",
            "actions": [],
            "first_requested_at": "2016-08-01T02:21:13.812Z",
            "updated_at": "2016-08-12T16:07:56.255Z",
            "request_count": 1,
            "as_of": said["as_of"],
            "stale": False,
        }
    if said != expected or list(said) != list(expected):
        raise load.WrongAnswer(f"{server.name} says {said}")


def median(rounds: list[Instrumented], what: str) -> float:
    return float(statistics.median(getattr(each, what) for each in rounds))

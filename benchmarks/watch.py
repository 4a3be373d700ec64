"""A thousand streams of a hundred users each on one process: what they cost, and what lookups beside them wait."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.request import urlopen

from benchmarks.figures import Figure
from benchmarks.load import TOKEN
from benchmarks.processes import Process
from benchmarks.scenarios import Instrumented, distinct, one_round
from benchmarks.servers import GATEWAY, Servers

STREAMS: Final = 1000
USERS: Final = 100
OF_ONE_VIEWER: Final = 300
"""Users that the streams of one viewer watch, all together: as many as one upstream call can read."""
INTERVAL: Final = 10.0
"""`watch.interval`, as it is by default."""
INTERVALS: Final = 3
"""In which nothing else happens, while the cost of the streams is measured."""
AT_ONCE: Final = 32
SECONDS: Final = INTERVAL
"""Of one round of lookups, so that every viewer is read once in it."""
MOST_TIMES: Final = 1.2
"""The p99 of lookups beside the streams, against without them."""
LONGEST: Final = 30.0
"""Seconds that a stream may take to begin."""
EVENT: Final = b"event: connection\n"


class Quiet(NamedTuple):
    """The streams by themselves."""

    reads: float
    """upstream calls per viewer and interval"""
    cpu: float
    """seconds per stream and hour"""
    memory: float
    """kB per stream"""


class Watched(NamedTuple):
    """The streams of one kind."""

    title: str
    quiet: Quiet
    beside: list[Instrumented]
    """lookups beside the streams, by round"""
    alone: list[Instrumented]
    """lookups without them"""

    @property
    def times(self) -> float:
        """The median of the ratios in each round."""
        return statistics.median(one.p99 / other.p99 for one, other in zip(self.beside, self.alone, strict=True))


class Kind(NamedTuple):
    title: str
    viewers: int
    request: Callable[[int], bytes]
    """of each stream"""


def measure(servers: Servers, rounds: int) -> list[Watched]:
    """Rounds with streams and without take turns; one more of both comes first, and is not counted."""
    return [_measure(servers, kind, rounds) for kind in KINDS]


def figures(found: list[Watched]) -> list[Figure]:
    """For each kind of streams: what they ask of the platform, and what lookups beside them wait."""
    told = []
    for each in found:
        reads, text = each.quiet.reads, f"upstream reads per viewer and interval, {each.title}"
        told.append(Figure(text, f"{reads:.2f}", "1", abs(reads - 1) < 0.05))  # one of them may fall just outside
        text = f"p99 of lookups beside {each.title}, against without"
        told.append(
            Figure(text, f"{each.times:.2f} times", f"at most {MOST_TIMES:g} times", each.times <= MOST_TIMES)
        )
    return told


def _measure(servers: Servers, kind: Kind, rounds: int) -> Watched:
    gateway = servers.ready(GATEWAY)
    _lookups(gateway)
    before = gateway.memory()
    with _streams(gateway, kind):
        time.sleep(1.0)
        memory = gateway.memory()
        cpu, calls = gateway.cpu(), _calls(servers.platform)
        time.sleep(INTERVAL * INTERVALS)
        calls = _calls(servers.platform) - calls - 1
        cpu = gateway.cpu() - cpu
    quiet = Quiet(
        reads=calls / kind.viewers / INTERVALS,
        cpu=cpu / STREAMS / (INTERVAL * INTERVALS) * 3600,
        memory=(memory - before) * 1000 / STREAMS,
    )
    found = Watched(kind.title, quiet, [], [])
    for round_ in range(rounds + 1):
        with _streams(gateway, kind):
            beside = _lookups(gateway)
        alone = _lookups(gateway)
        if round_:
            found.beside.append(beside)
            found.alone.append(alone)
    servers.stop(gateway)
    return found


def _lookups(gateway: Process) -> Instrumented:
    return one_round([gateway], AT_ONCE, distinct(GATEWAY), SECONDS)


@contextlib.contextmanager
def _streams(gateway: Process, kind: Kind) -> Iterator[None]:
    """Open streams that have been sent the state of each user. What comes later is not read: it is a comment."""
    with contextlib.ExitStack() as opened:
        streams = []
        for number in range(STREAMS):
            stream = opened.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=LONGEST))
            stream.sendall(kind.request(number))
            streams.append(stream)
        for stream in streams:
            text = b""
            while text.count(EVENT) < USERS:
                part = stream.recv(1 << 20)
                if not part:
                    raise RuntimeError(f"a stream has ended: {text[:1000]!r}")
                text += part
        yield
    while _open_streams(gateway):
        time.sleep(0.05)


def _request(first: int, token: str) -> bytes:
    users = [{"platform": "acme", "user_id": str(1 + (first + each) % OF_ONE_VIEWER)} for each in range(USERS)]
    body = json.dumps({"users": users})
    head = f"POST /v1/watch HTTP/1.1\r\nHost: localhost\r\nsessionToken: {token}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()


KINDS: Final = (
    Kind(f"{STREAMS:,} streams of one viewer", 1, lambda number: _request(number, TOKEN)),
    Kind(
        f"{STREAMS:,} streams of as many viewers",
        STREAMS,
        lambda number: _request(number, f"the-token-of-viewer-{number}"),
    ),
)


def _calls(platform: Process) -> int:
    """Calls that the platform has had, this one included."""
    with urlopen(f"http://127.0.0.1:{platform.port}/calls", timeout=5) as answer:
        return int(answer.read().split()[9])


def _open_streams(gateway: Process) -> int:
    with urlopen(f"http://127.0.0.1:{gateway.port}/metrics", timeout=5) as answer:
        found = re.search(rb"^connection_gateway_streams (\d+)", answer.read(), re.MULTILINE)
    return int(found[1]) if found else 0

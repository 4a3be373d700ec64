"""What a lookup costs two gateways behind nginx, with hashing on the viewer and without, against one gateway.

`python -m benchmarks.balancing`, after `make benchmarks/.venv/gateway/ready`. The gateways share one core, so what is
compared is the cost, not the speed; nginx, the platform and the callers share the other.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Final, NamedTuple
from urllib.request import urlopen

import uvloop

from benchmarks import load, nginx
from benchmarks.processes import CORES, Process, free_port
from benchmarks.scenarios import NUMBERS
from benchmarks.servers import GATEWAY, Servers

AT_ONCE: Final = 32
VIEWERS: Final = 4
"""For each gateway: a second one is there because there is twice as much to do."""
ROUNDS: Final = 21
SECONDS: Final = 1.0
WANTED: Final = 1.1
"""Times the CPU of one gateway, with hashing."""
ONE, HASHED, IN_TURN = "one gateway", "two gateways, hashed on the viewer", "two gateways in turn"


class Measured(NamedTuple):
    """Of one round, for each lookup."""

    cpu: float
    """microseconds of all gateways"""
    calls: float
    """to the platform"""


class Setup(NamedTuple):
    balancer: Process
    gateways: list[Process]


def main() -> int:
    os.sched_setaffinity(0, {CORES[-1]})
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name:
        folder = Path(name)
        servers = Servers(folder)
        balancers: list[Process] = []
        try:
            two = [servers.ready(GATEWAY), servers.ready(GATEWAY)]
            setups = {
                ONE: _balanced(folder, two[:1], is_hashed=True),
                HASHED: _balanced(folder, two, is_hashed=True),
                IN_TURN: _balanced(folder, two, is_hashed=False),
            }
            balancers += [each.balancer for each in setups.values()]
            found: dict[str, list[Measured]] = {each: [] for each in setups}
            for round_ in range(ROUNDS + 1):
                for key, setup in setups.items():
                    measured = _one_round(setup, servers.platform.port)
                    if round_:
                        found[key].append(measured)
        finally:
            servers.stop()
            for each in balancers:
                each.stop()
    return _print(found)


def _balanced(folder: Path, gateways: list[Process], *, is_hashed: bool) -> Setup:
    port = free_port()
    command = nginx.balancer(folder, f"balancer-{port}", port, [each.port for each in gateways], is_hashed=is_hashed)
    balancer = Process("nginx", command, port, folder / f"{port}.log", cores=CORES[-1:], env=None)
    balancer.wait("/v1/connections/acme/1", {"sessionToken": load.TOKEN})
    return Setup(balancer, gateways)


def _one_round(setup: Setup, platform: int) -> Measured:
    viewers = VIEWERS * len(setup.gateways)
    draw = Random(0).randrange  # noqa: S311  # one after the other would fall in with nginx, which takes turns
    asking = (load.lookup(number, f"the-token-of-viewer-{draw(viewers)}") for number in NUMBERS)
    before, calls = sum(each.cpu() for each in setup.gateways), _calls(platform)
    run = uvloop.run(load.run([setup.balancer.port], AT_ONCE * len(setup.gateways), asking, seconds=SECONDS))
    spent = sum(each.cpu() for each in setup.gateways) - before
    return Measured(spent / run.requests * 1e6, (_calls(platform) - calls) / run.requests)


def _calls(platform: int) -> int:
    """How many requests it has had, as nginx counts them."""
    with urlopen(f"http://127.0.0.1:{platform}/calls", timeout=5) as answer:
        return int(answer.read().split()[9])


def _print(found: dict[str, list[Measured]]) -> int:
    print(f"{AT_ONCE} at once and {VIEWERS} viewers for each gateway, every lookup another user; {ROUNDS} rounds\n")
    print("| | CPU per lookup, µs | against one gateway | calls to the platform per lookup |")
    print("| --- | --- | --- | --- |")
    ratios = {}
    for key, rounds in found.items():
        ratios[key] = statistics.median(one.cpu / other.cpu for one, other in zip(rounds, found[ONE], strict=True))
        cpus = [each.cpu for each in rounds]
        spread = f"{statistics.median(cpus):.0f} ({min(cpus):.0f} to {max(cpus):.0f})"
        print(f"| {key} | {spread} | {ratios[key]:.2f} | {statistics.median(each.calls for each in rounds):.3f} |")
    return 0 if ratios[HASHED] <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())

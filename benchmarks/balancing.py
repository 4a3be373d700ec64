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
from typing import Final, NamedTuple

import uvloop

from benchmarks import load, nginx
from benchmarks.processes import CORES, Process, free_port
from benchmarks.scenarios import NUMBERS
from benchmarks.servers import GATEWAY, Servers

AT_ONCE: Final = 32
VIEWERS: Final = 4
"""For each gateway: a second one is there because there is twice as much to do."""
ROUNDS: Final = 15
SECONDS: Final = 1.0
WANTED: Final = 1.1
"""Times the CPU of one gateway, with hashing."""
ONE, HASHED, IN_TURN = "one gateway", "two gateways, hashed on the viewer", "two gateways in turn"


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
            found: dict[str, list[float]] = {each: [] for each in setups}
            for round_ in range(ROUNDS + 1):
                for key, setup in setups.items():
                    cpu = _one_round(setup)
                    if round_:
                        found[key].append(cpu)
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


def _one_round(setup: Setup) -> float:
    """Microseconds of all gateways for each lookup."""
    viewers = VIEWERS * len(setup.gateways)
    asking = (load.lookup(number, f"the-token-of-viewer-{number % viewers}") for number in NUMBERS)
    before = sum(each.cpu() for each in setup.gateways)
    run = uvloop.run(load.run([setup.balancer.port], AT_ONCE * len(setup.gateways), asking, seconds=SECONDS))
    return (sum(each.cpu() for each in setup.gateways) - before) / run.requests * 1e6


def _print(found: dict[str, list[float]]) -> int:
    print(
        f"{AT_ONCE} at once and {VIEWERS} viewers for each gateway, every lookup another user; {ROUNDS} rounds in turn\n"
    )
    print("| | CPU per lookup, µs | against one gateway |\n| --- | --- | --- |")
    ratios = {}
    for key, rounds in found.items():
        ratios[key] = statistics.median(one / other for one, other in zip(rounds, found[ONE], strict=True))
        spread = f"{statistics.median(rounds):.0f} ({min(rounds):.0f} to {max(rounds):.0f})"
        print(f"| {key} | {spread} | {ratios[key]:.2f} |")
    return 0 if ratios[HASHED] <= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())

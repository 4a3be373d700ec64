"""Run all of it long, alone on the machine, and print a table. Exits with 1 where something does not hold."""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
from pathlib import Path

from tests.faults.live import api
from tests.faults.live.figures import LONG, SHORT, Figure, Scale, table
from tests.faults.live.suite import ALL, LONG_ONLY, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.live", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*ALL, *LONG_ONLY, "api"])
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    scale = SHORT if options.short else LONG
    found: list[Figure] = []
    for name in options.only or [*ALL, *([] if options.short else LONG_ONLY), "api"]:
        figures = api_figures(scale) if name == "api" else alone(name, scale)
        sys.stdout.write(f"\n**{name}**\n\n{table(figures)}\n")
        sys.stdout.flush()
        found += figures
    bad = [each for each in found if not each.holds]
    sys.stdout.write(f"\n{len(found) - len(bad)} of {len(found)} hold.\n")
    return 1 if bad else 0


def alone(name: str, scale: Scale) -> list[Figure]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="gateway-faults-") as folder:
        return run(name, Path(folder), port, scale)


def api_figures(scale: Scale) -> list[Figure]:
    try:
        statuses = api.try_all(scale.cases)
    except AssertionError as wrong:
        return [Figure("any call of the API", str(wrong)[:200], "no 500, and each error a problem", holds=False)]
    told = ", ".join(f"{times:,} {status}" for status, times in sorted(statuses.items()))
    enough = statuses.total() >= scale.cases and 500 not in statuses
    return [Figure(f"{statuses.total():,} calls of the API that nobody would think of", told, "0 times 500", enough)]


if __name__ == "__main__":
    sys.exit(main())

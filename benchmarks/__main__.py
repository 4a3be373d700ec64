"""The gateway beside its peers, in one run. Prints Markdown; exits with 1 where a promise does not hold."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import growth, hints, nginx, starting, watch, workers
from benchmarks.figures import Figure, figures
from benchmarks.plot import plot
from benchmarks.processes import CORES
from benchmarks.scenarios import SCENARIOS, Instrumented, measure, median
from benchmarks.servers import GATEWAY, Servers, missing

PICTURE: Final = Path(__file__).parent.parent / "docs" / "images" / "cpu-per-lookup.svg"


def main() -> int:
    options = _options()
    if nginx.NGINX is None:
        print("There is no nginx, which plays the platform: nothing can be measured (Debian: nginx-light).")
        return 2
    why = missing()
    for name, reason in why.items():
        print(f"- missing: {name}: {reason}")
    os.sched_setaffinity(0, {CORES[-1]})
    found: dict[str, dict[str, list[Instrumented]]] = {}
    told: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        servers = Servers(Path(folder))
        try:
            for key in options.only or SCENARIOS:
                if key in SCENARIOS:
                    found[key] = measure(servers, SCENARIOS[key], options.rounds, set(why))
                    _print_scenario(key, found[key])
            if not options.only or "start" in options.only:
                told += _print_starts(starting.measure(servers, min(options.rounds, 5), set(why)))
            if not options.only or "workers" in options.only:
                rows = workers.measure(servers, min(options.rounds, 7))
                _print_rows(
                    "workers", f"{workers.AT_ONCE} at once, {workers.USERS} cached users each, on two cores", rows
                )
                told.append(workers.figure(rows))
            if not options.only or "watch" in options.only:
                watched = watch.measure(servers, min(options.rounds, 5))
                _print_watched(watched, hints.measure(servers))
                told += watch.figures(watched)
            if not options.only or "growth" in options.only:
                _print_growth(servers, min(options.rounds, 2), set(why))
        finally:
            servers.stop()
    told = figures(found) + told
    _print_figures(told)
    return 0 if all(each.holds for each in told) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=[*SCENARIOS, "start", "workers", "watch", "growth"])
    return parser.parse_args()


def _print_scenario(key: str, found: dict[str, list[Instrumented]]) -> None:
    _print_rows(key, SCENARIOS[key].title, found)


def _print_rows(key: str, title: str, found: dict[str, list[Instrumented]]) -> None:
    print(f"\n**{key}**: {title}\n")
    print("| | CPU per request, µs | requests/s | p50, ms | p99, ms | memory, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, rounds in found.items():
        cpus = [each.cpu for each in rounds]
        cells = [
            f"{median(rounds, 'cpu'):.0f} ({min(cpus):.0f} to {max(cpus):.0f})",
            f"{median(rounds, 'per_second'):.0f}",
            f"{median(rounds, 'p50'):.2f}",
            f"{median(rounds, 'p99'):.2f}",
            f"{median(rounds, 'memory'):.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _print_starts(found: dict[str, list[starting.Start]]) -> list[Figure]:
    print("\n**start**: from spawning to the first 200, and resident memory then\n")
    print("| | seconds | memory, MB |\n| --- | --- | --- |")
    for name, starts in found.items():
        seconds = [each.seconds for each in starts]
        spread = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"| {name} | {spread} | {statistics.median(each.memory for each in starts):.0f} |", flush=True)
    ours = found[GATEWAY]
    seconds_, memory = (
        statistics.median(each.seconds for each in ours),
        statistics.median(each.memory for each in ours),
    )
    return [
        Figure(
            "idle memory; spawn to first 200",
            f"{memory:.0f} MB; {seconds_:.2f} s",
            f"at most {starting.MOST_MEMORY:g} MB; {starting.LONGEST:g} s",
            memory <= starting.MOST_MEMORY and seconds_ <= starting.LONGEST,
        )
    ]


def _print_growth(servers: Servers, rounds: int, absent: set[str]) -> None:
    table, curves = growth.over_concurrency(servers, rounds, absent)
    _print_table(table)
    PICTURE.write_text(plot("CPU per lookup, over how many ask at once", "at once", "µs", curves))
    for each in (growth.over_users, growth.over_viewers, growth.over_processes, growth.over_entries):
        _print_table(each(servers, rounds))


def _print_watched(found: list[watch.Watched], told: hints.Told) -> None:
    columns = (
        *("", "reads per viewer and interval", "CPU per stream and hour, s", "memory per stream, kB"),
        "p99 of lookups beside them, times",
    )
    rows = [
        (
            *(each.title, f"{each.quiet.reads:.2f}", f"{each.quiet.cpu:.2f}", f"{each.quiet.memory:.0f}"),
            f"{each.times:.2f}",
        )
        for each in found
    ]
    _print_table(growth.Table(f"{watch.USERS} users each, nothing changes", columns, rows), "watch")
    for each in found:
        title = f"{watch.AT_ONCE} lookups at once, beside {each.title} and without"
        _print_rows("watch", title, {"beside": each.beside, "without": each.alone})
    delays = ("first stream, ms", "last stream, ms", "CPU per stream, µs", "longest other request meanwhile, ms")
    title = f"from an event of the platform to {hints.STREAMS:,} streams of one user"
    _print_table(growth.Table(title, delays, [tuple(f"{each:.0f}" for each in told)]), "watch")


def _print_table(table: growth.Table, key: str = "growth") -> None:
    print(f"\n**{key}**: {table.title}\n")
    for row in (table.columns, ("---",) * len(table.columns), *table.rows):
        print(f"| {' | '.join(row)} |", flush=True)


def _print_figures(told: list[Figure]) -> None:
    print("\n| figure | found | wanted | |\n| --- | --- | --- | --- |")
    for each in told:
        print(f"| {each.text} | {each.found} | {each.wanted} | {'holds' if each.holds else '**does not hold**'} |")


if __name__ == "__main__":
    sys.exit(main())
